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
    for theirs, ours in explanations.ways(model, "relu", images, label_index).values():
        np.testing.assert_allclose(ours(), theirs(), atol=1e-5)


def test_each_way_is_measured_in_each_round(model, images):
    found = explanations.compare_maps(model, "relu", images, rounds=2)
    assert set(found) == set(explanations.GOALS)
    assert all(len(one) == 2 for pair in found.values() for one in pair)


def test_occlusion_is_measured_at_the_best_batch_size(model, images):
    best, bare, occluded = explanations.compare_occlusion(
        model, images, 16, [8, 16, 512], rounds=2
    )
    # three images with nine places and a look at the whole, so no batch of 512
    assert best in (8, 16)
    assert len(bare) == len(occluded) == 2


def test_the_first_call_is_not_counted():
    calls = []
    found = explanations.measure({"a": lambda: calls.append(1)}, rounds=3)
    assert (len(calls), len(found["a"])) == (4, 3)


def test_errors_of_the_default_model_are_explained():
    assert 0 < explanations.explain_errors(2) < explanations.MOST_SECONDS
