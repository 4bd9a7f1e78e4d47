"""Crops are what they say; the other movements are held to SciPy in test_stages."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from PIL import Image

from data_pipelines import augmentation

HEIGHT, WIDTH = 40, 60


def crops(count, epochs=None, epoch=0, **amounts):
    """Edges of random crops: (left, right, top, bottom) as shares of the sides.

    Read off images whose two channels say where a pixel comes from.
    """
    config = augmentation.AugmentationConfig(**amounts)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    ramps = np.stack([x / WIDTH, y / HEIGHT], axis=2).astype(np.float32)
    images = tf.constant(np.repeat(ramps[None], count, axis=0))
    keys = np.stack([np.full(count, epoch), np.arange(count), np.zeros(count, int)], 1)
    found = augmentation.augment(images, keys, 3, config, epochs).numpy()
    # the outermost pixels lean on the edge, so lines are drawn through inner ones
    across, down = found[:, 20, :, 0], found[:, :, 30, 1]
    step_x = (across[:, 40] - across[:, 20]) / 20
    step_y = (down[:, 30] - down[:, 10]) / 20
    left = across[:, 20] - 20.5 * step_x
    top = down[:, 10] - 10.5 * step_y
    return left, left + WIDTH * step_x, top, top + HEIGHT * step_y


def uniform_up_to(values, least, most):
    return scipy.stats.kstest(values, "uniform", (least, most - least)).pvalue


def test_a_crop_shows_a_uniform_share_of_the_area_within_the_image():
    left, right, top, bottom = crops(3000, crop_scale=0.4)
    width, height = right - left, bottom - top
    assert min(left.min(), top.min()) > -1e-4
    assert max(right.max(), bottom.max()) < 1 + 1e-4
    area = width * height
    assert uniform_up_to(area, 0.4, 1) > 1e-3
    assert uniform_up_to(left / (1 - width), 0, 1) > 1e-3
    assert uniform_up_to(top / (1 - height), 0, 1) > 1e-3


def test_a_crop_has_the_stated_proportions_where_they_fit():
    left, right, top, bottom = crops(3000, crop_scale=0.4, crop_aspect=2)
    width, height = right - left, bottom - top
    wide = np.minimum(np.log(2), -np.log(width * height))
    assert (np.abs(np.log(width / height)) <= wide + 1e-3).all()
    roomy = wide > 0.3
    relative = np.log(width / height)[roomy] / wide[roomy]
    assert uniform_up_to(relative, -1, 1) > 1e-3


def test_extreme_crops_are_the_whole_or_the_smallest():
    left, right, top, bottom = crops(
        400, epochs=2, epoch=1, crop_scale=0.25, crop_aspect=1, schedule="soft_to_hard"
    )
    area = (right - left) * (bottom - top)
    smallest = np.isclose(area, 0.25, atol=1e-3)
    assert (smallest | np.isclose(area, 1, atol=1e-3)).all()
    assert 0.4 < smallest.mean() < 0.6


def test_a_crop_is_what_pillow_makes_of_the_same_box():
    generator = np.random.default_rng(0)
    pixels = generator.random((8, HEIGHT, WIDTH, 1)).astype(np.float32)
    keys = np.stack([np.zeros(8, int), np.arange(8), np.zeros(8, int)], axis=1)
    config = augmentation.AugmentationConfig(crop_scale=0.3)
    found = augmentation.augment(tf.constant(pixels), keys, 3, config).numpy()
    edges = np.stack(crops(8, crop_scale=0.3), axis=1)
    for row, (left, right, top, bottom) in enumerate(edges):
        box = np.array([left * WIDTH, top * HEIGHT, right * WIDTH, bottom * HEIGHT])
        expected = Image.fromarray(pixels[row, :, :, 0]).resize(
            (WIDTH, HEIGHT),
            Image.Resampling.BILINEAR,
            box=tuple(np.clip(box, 0, [WIDTH, HEIGHT] * 2).tolist()),
        )
        # edges are read off with errors of about 1e-4 of a pixel
        np.testing.assert_allclose(
            found[row, 2:-2, 2:-2, 0], np.asarray(expected)[2:-2, 2:-2], atol=5e-3
        )


@pytest.mark.parametrize("fill", augmentation.FILLS)
def test_a_turned_crop_shows_what_lies_beyond_it_and_not_the_fill(fill):
    """In the middle of a large image a small crop has image on all sides."""
    generator = np.random.default_rng(1)
    pixels = generator.random((64, 41, 41, 1)).astype(np.float32) * 0.5 + 0.4
    keys = np.stack([np.zeros(64, int), np.arange(64), np.zeros(64, int)], axis=1)
    amounts = {"crop_scale": 0.05, "crop_aspect": 1.0, "rotate": 45.0}
    results = [
        augmentation.augment(
            tf.constant(pixels),
            keys,
            3,
            augmentation.AugmentationConfig(**amounts, fill=how),
        ).numpy()
        for how in (fill, "constant")
    ]
    left, right, top, bottom = crops(64, crop_scale=0.05, crop_aspect=1)
    # a square turned by 45 degrees reaches 1.42 times as far from its centre
    width, height = right - left, bottom - top
    inner = (
        (np.abs((left + right) / 2 - 0.5) + 0.71 * width < 0.48)
        & (np.abs((top + bottom) / 2 - 0.5) + 0.71 * height < 0.48)
    )  # fmt: skip
    assert inner.sum() > 3
    np.testing.assert_array_equal(results[0][inner], results[1][inner])
    assert results[1][inner].min() > 0.39
