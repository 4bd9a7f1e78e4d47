"""RandAugment's operations against Pillow and SciPy, and how they are drawn."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from data_pipelines import augmentation
from data_pipelines.augmentation import geometry, rand_augment

NAMES = rand_augment.OPERATIONS
GENERATOR = np.random.default_rng(0)
HEIGHT, WIDTH = 24, 36


def photographs(count, channels=3):
    """Smooth images of 8 bits whose levels do not fill the scale."""
    rough = GENERATOR.random((count, HEIGHT, WIDTH, channels))
    smooth = scipy.ndimage.gaussian_filter(rough, (0, 3, 3, 0))
    low, high = smooth.min(), smooth.max()
    return np.round(40 + 180 * (smooth - low) / (high - low)).astype(np.uint8)


def choice_of(names, signed):
    """A batch in which image i gets one operation."""
    numbers = [[NAMES.index(name)] for name in names]
    return rand_augment.Choice(
        tf.constant(numbers, tf.int32), tf.constant(signed, tf.float32)[:, None]
    )


def changed(pixels, names, signed):
    images = tf.constant(pixels / np.float32(255))
    return rand_augment.change_values(images, choice_of(names, signed)).numpy()


def autocontrast(image, _):
    return ImageOps.autocontrast(image)


def solarize(image, signed):
    return ImageOps.solarize(image, round(256 * (1 - abs(signed))))


def enhanced(kind):
    return lambda image, signed: kind(image).enhance(1 + 0.9 * signed)


PILLOW = {
    "identity": lambda image, _: image,
    "autocontrast": autocontrast,
    "equalize": lambda image, _: ImageOps.equalize(image),
    "solarize": solarize,
    "posterize": lambda image, signed: ImageOps.posterize(
        image, 8 - round(4 * abs(signed))
    ),
    "colour": enhanced(ImageEnhance.Color),
    "contrast": enhanced(ImageEnhance.Contrast),
    "brightness": enhanced(ImageEnhance.Brightness),
    "sharpness": enhanced(ImageEnhance.Sharpness),
}
# Pillow rounds the mean that contrast goes by, and every result, to whole levels
LEVELS = {"contrast": 2.0, "colour": 1.6, "sharpness": 1.5, "autocontrast": 1.1,
          "brightness": 1.1}  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PILLOW)
def test_values_are_changed_as_pillow_does(name, channels):
    pixels = photographs(6, channels)
    signed = [-1.0, -0.5, -0.25, 0.25, 0.5, 1.0]
    found = changed(pixels, [name] * 6, signed)
    for row in range(6):
        one = pixels[row] if channels == 3 else pixels[row, :, :, 0]
        expected = np.asarray(PILLOW[name](Image.fromarray(one), signed[row]))
        apart = 255 * found[row] - expected.reshape(found[row].shape)
        assert np.abs(apart).max() <= LEVELS.get(name, 0) + 1e-3


def test_solarizing_with_all_magnitude_inverts():
    pixels = photographs(2)
    np.testing.assert_allclose(
        changed(pixels, ["solarize"] * 2, [1, -1]), 1 - pixels / 255, atol=1e-6
    )


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
def test_images_of_one_level_stay(name):
    pixels = np.full((2, HEIGHT, WIDTH, 3), [[[[0, 128, 255]]]], np.uint8)
    np.testing.assert_allclose(
        changed(pixels, [name] * 2, [1, 1]), pixels / 255, atol=1e-6
    )


@pytest.mark.parametrize("side", [1, 2])
def test_sharpness_has_no_inside_to_change_in_tiny_images(side):
    images = tf.constant(GENERATOR.random((2, side, 5, 3)), tf.float32)
    found = rand_augment.change_values(images, choice_of(["sharpness"] * 2, [1, -1]))
    np.testing.assert_array_equal(found, images)


MATRICES = {
    "rotate": lambda s: [
        [np.cos(s * np.pi / 6), np.sin(s * np.pi / 6), 0],
        [-np.sin(s * np.pi / 6), np.cos(s * np.pi / 6), 0],
    ],
    "shear_x": lambda s: [[1, 0, 0], [0.3 * s, 1, 0]],
    "shear_y": lambda s: [[1, 0.3 * s, 0], [0, 1, 0]],
    "shift_x": lambda s: [[1, 0, 0], [0, 1, 0.3 * WIDTH * s]],
    "shift_y": lambda s: [[1, 0, 0.3 * HEIGHT * s], [0, 1, 0]],
}


def moved_by_scipy(image, name, signed):
    matrix = np.array(MATRICES[name](signed))
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    return scipy.ndimage.affine_transform(
        image,
        matrix[:, :2],
        offset=centre - matrix[:, :2] @ centre + matrix[:, 2],
        order=1,
        mode="nearest",
    )


@pytest.mark.parametrize("name", MATRICES)
def test_movements_are_those_of_scipy(name):
    images = photographs(2, 1) / 255
    affine = rand_augment.movement(choice_of([name] * 2, [0.7, -0.4]), HEIGHT, WIDTH)
    found = geometry.resample(tf.constant(images, tf.float32), affine, "nearest")
    for row, signed in enumerate((0.7, -0.4)):
        expected = moved_by_scipy(images[row, :, :, 0], name, signed)
        np.testing.assert_allclose(found[row, :, :, 0], expected, atol=1e-3)


def test_two_movements_follow_one_another_in_the_order_drawn():
    """Smooth enough that resampling twice, as SciPy does here, is resampling once."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = 0.3 + 0.01 * x + 0.006 * y
    choice = rand_augment.Choice(
        tf.constant([[NAMES.index("rotate"), NAMES.index("shear_x")]]),
        tf.constant([[0.8, -0.9]]),
    )
    affine = rand_augment.movement(choice, HEIGHT, WIDTH)
    images = tf.constant(image[None, :, :, None], tf.float32)
    found = geometry.resample(images, affine, "nearest").numpy()[0, :, :, 0]
    turned = moved_by_scipy(image, "rotate", 0.8)
    expected = moved_by_scipy(turned, "shear_x", -0.9)
    middle = (slice(8, -8), slice(12, -12))
    np.testing.assert_allclose(found[middle], expected[middle], atol=1e-3)


def test_a_batch_of_all_operations_is_each_image_alone():
    names = [name for name in NAMES for _ in range(3)]
    signed = np.tile([1.0, -0.5, 0.2], len(NAMES))
    pixels = photographs(len(names))
    together = changed(pixels, names, signed)
    for row in range(0, len(names), 2):
        alone = changed(pixels[row : row + 1], names[row : row + 1], signed[row:][:1])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def keys_of(count):
    return np.stack([np.zeros(count, int), np.arange(count), np.ones(count, int)], 1)


def test_operations_and_signs_are_drawn_evenly_and_apart():
    config = augmentation.AugmentationConfig(rand_augment=2, rand_magnitude=4)
    found = rand_augment.choose(keys_of(20_000), 5, config)
    numbers, signed = found.operation.numpy(), found.signed.numpy()
    for slot in range(2):
        counts = np.bincount(numbers[:, slot], minlength=len(NAMES))
        assert scipy.stats.chisquare(counts).pvalue > 1e-3
    pairs = np.histogram2d(numbers[:, 0], numbers[:, 1], bins=len(NAMES))[0]
    assert scipy.stats.chi2_contingency(pairs).pvalue > 1e-3
    np.testing.assert_allclose(np.abs(signed), 0.4, rtol=1e-6)
    assert abs((signed > 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(signed.size)


def test_strength_multiplies_the_magnitude_up_to_the_end_of_the_scale():
    config = augmentation.AugmentationConfig(rand_augment=3, rand_magnitude=4)
    strength = tf.constant([0.0, 1.0, 2.0, 9.0])
    found = rand_augment.choose(keys_of(4), 5, config, strength)
    np.testing.assert_allclose(
        np.abs(found.signed.numpy()), [[0] * 3, [0.4] * 3, [0.8] * 3, [1] * 3], 1e-6
    )
