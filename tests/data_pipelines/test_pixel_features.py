"""Distances of pixel features are root mean square differences of small pictures."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import labels, neighbours, pixel_features


@pytest.fixture
def pictures(tmp_path):
    """Returns a function from {name: uint8 pixels or bytes} to a label table."""

    def make(named):
        for name, pixels in named.items():
            Image.fromarray(pixels).save(tmp_path / name)
        count = len(named)
        return labels.LabelTable(
            ids=np.array(list(named)),
            locations=np.array([str(tmp_path / name) for name in named]),
            labels=labels.SparseLabels.from_lists([[0]] * count, 1),
            vocabulary=labels.Vocabulary(["thing"]),
            group=np.zeros(count, np.int32),
            group_names=("all",),
            split=np.zeros(count, np.int32),
            split_names=("train",),
        )

    return make


def scene(seed, size=64):
    """A smooth random picture, uint8 [size, size, 3]."""
    coarse = np.random.default_rng(seed).integers(60, 180, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.BICUBIC))


def test_distances_are_root_mean_square_differences_of_pixels(pictures):
    first, second = scene(0, 16), scene(1, 16)
    features = pixel_features.measure(pictures({"a.png": first, "b.png": second}))
    assert features.shape == (2, 16 * 16 * 3)
    assert features.dtype == np.float32
    expected = np.sqrt(np.square(first / 255.0 - second / 255.0).mean())
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(expected)


def test_the_limit_of_pixels_is_the_callers(pictures):
    table = pictures({"a.png": scene(0, 16)})
    assert len(pixel_features.measure(table, max_pixels=256)) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="1 to 255 pixels"):
        pixel_features.measure(table, max_pixels=255)


def test_black_and_white_are_at_distance_one(pictures):
    black, white = np.zeros((5, 9), np.uint8), np.full((40, 3), 255, np.uint8)
    features = pixel_features.measure(
        pictures({"a.png": black, "b.png": white}), size=8, channels=1
    )
    assert features.shape == (2, 64)
    assert np.linalg.norm(features[0] - features[1]) == pytest.approx(1)


def test_the_same_picture_coded_again_is_the_nearest(pictures):
    named = {f"{seed}.png": scene(seed) for seed in range(12)}
    named["again.jpg"] = scene(5)
    named["smaller.png"] = np.asarray(Image.fromarray(scene(7)).resize((32, 32)))
    features = pixel_features.measure(pictures(named))
    index, distance = neighbours.nearest(features, features, 1, exclude_self=True)
    assert index[[5, 7, 12, 13], 0].tolist() == [12, 13, 5, 7]
    apart = np.delete(distance[:, 0], [5, 7, 12, 13])
    assert distance[[12, 13], 0].max() < 0.02 < 0.08 < apart.min()


def test_brightness_and_contrast_can_be_left_out(pictures):
    picture = scene(3).astype(float)
    darker = (0.6 * picture + 5).astype(np.uint8)
    table = pictures({"a.png": scene(3), "b.png": darker, "c.png": scene(4)})
    plain = pixel_features.measure(table)
    without = pixel_features.measure(table, ignore_brightness=True)
    assert np.linalg.norm(plain[0] - plain[1]) > 0.1
    assert np.linalg.norm(without[0] - without[1]) < 0.01
    assert np.linalg.norm(without[0] - without[2]) > 0.1


def test_nearly_blank_images_are_near_without_brightness_too(pictures):
    generator = np.random.default_rng(0)
    table = pictures({
        f"{number}.png": 250 + generator.integers(-1, 2, (16, 16, 3)).astype(np.uint8)
        for number in range(2)
    })  # fmt: skip
    features = pixel_features.measure(table, ignore_brightness=True)
    assert np.linalg.norm(features[0] - features[1]) < 0.1
