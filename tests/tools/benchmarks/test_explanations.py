"""The benchmark of explanations compares ways that find the same maps."""

import keras
import numpy as np
import pytest

from tools.benchmarks import explanations


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    image = keras.Input((32, 32, 3))
    flow = keras.layers.Conv2D(4, 3, strides=4, activation="relu", name="relu")(image)
    flow = keras.layers.GlobalAveragePooling2D()(flow)
    return keras.Model(image, keras.layers.Dense(explanations.LABELS)(flow))


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 32, 32, 3), np.float32)


def test_both_ways_find_the_same_maps(model, images):
    label_index = np.array([4, 0, 2])
    for own in explanations.ways(model, "relu", images, label_index).values():
        found = own[explanations.OURS]()
        np.testing.assert_allclose(found, own[explanations.THEIRS](), atol=1e-5)
    cam, saliency = explanations.ways(model, "relu", images, label_index).values()
    assert cam[explanations.FORWARD]().shape == (3, explanations.LABELS)
    assert saliency[explanations.BARE]().shape == images.shape


def test_each_way_is_measured_in_each_round(model, images):
    found = explanations.compare_maps(model, "relu", images, rounds=2)
    assert set(found) == set(explanations.GOALS)
    assert all(len(one) == 2 for taken in found.values() for one in taken.values())


def test_occlusion_is_measured_at_the_best_batch_size(model, images):
    best, taken = explanations.compare_occlusion(
        model, images, 16, [8, 16, 512], rounds=2
    )
    # three images with nine places and a look at the whole, so no batch of 512
    assert best in (8, 16)
    assert set(taken) == {explanations.FORWARDS, explanations.OURS}


PEER = """#!/bin/sh
while read method; do echo 2.5; done
"""


def test_another_interpreter_takes_its_turns(model, images, tmp_path):
    peer = tmp_path / "python"
    peer.write_text(PEER)
    peer.chmod(0o755)
    with explanations.xplique(str(peer), 32, 3, 2) as peers:
        found = explanations.compare_maps(model, "relu", images, 1, peers)
    assert found["saliency"][explanations.XPLIQUE] == [2.5]


def test_another_interpreter_that_fails_is_an_error(tmp_path):
    with explanations.xplique("false", 32, 3, 2) as peers:
        explain = peers["saliency"][explanations.XPLIQUE]
        with pytest.raises(RuntimeError, match="xplique failed at saliency"):
            explain()


def test_without_another_interpreter_there_is_no_peer():
    with explanations.xplique("", 32, 3, 2) as peers:
        assert not any(peers.values())


def test_errors_of_the_default_model_are_explained():
    assert 0 < explanations.explain_errors(2) < explanations.MOST_SECONDS
