"""Views are the crops and mirror images that their names say, and nothing else."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors, images, views


def pictures(height=9, width=12, channels=3, count=4):
    generator = np.random.default_rng(0)
    return generator.random((count, height, width, channels)).astype(np.float32)


def crops_of(pixels, height, width):
    """The same in NumPy, each corner said in words of its own."""
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return [
        pixels[:, :height, :width],
        pixels[:, :height, -width:],
        pixels[:, -height:, :width],
        pixels[:, -height:, -width:],
        pixels[:, top : top + height, left : left + width],
    ]


EXPECTED = {
    "none": lambda pixels: [pixels],
    "mirror": lambda pixels: [pixels, pixels[:, :, ::-1]],
    "five_crops": lambda pixels: crops_of(pixels, 8, 10),
    "ten_crops": lambda pixels: (
        crops_of(pixels, 8, 10) + [crop[:, :, ::-1] for crop in crops_of(pixels, 8, 10)]
    ),
}


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("name", views.COUNTS)
def test_views_are_those_of_numpy(name, in_graph):
    pixels, config = pictures(), views.ViewsConfig(name)
    size = (8, 10) if config.crops else (9, 12)

    def make(images):
        return views.stack(images, config, *size)

    found = (tf.function(make) if in_graph else make)(tf.constant(pixels))
    expected = np.stack(EXPECTED[name](pixels))
    np.testing.assert_array_equal(found, expected)
    assert len(found) == config.count


def test_ten_crops_of_a_symmetric_image_are_five_twice():
    half = pictures(width=6)
    pixels = tf.constant(np.concatenate([half, half[:, :, ::-1]], axis=2))
    ten = views.stack(pixels, views.ViewsConfig("ten_crops"), 8, 10).numpy()
    five = views.stack(pixels, views.ViewsConfig("five_crops"), 8, 10).numpy()
    # the mirror image of the left corner is the right corner
    np.testing.assert_array_equal(ten[5:], five[[1, 0, 3, 2, 4]])


def test_crops_are_cut_from_images_that_are_decoded_larger():
    config = images.ImageConfig(224, 160, resize="crop")
    decoded = views.ViewsConfig("ten_crops", scale=256 / 224).decoded(config)
    assert (decoded.height, decoded.width, decoded.resize) == (256, 183, "crop")
    assert views.ViewsConfig("mirror").decoded(config) is config


def test_a_scale_that_adds_no_pixel_is_refused():
    config = views.ViewsConfig("five_crops", scale=1.02)
    with pytest.raises(errors.SettingError, match=r"20x56.*scale 1.02.*gives 20x57"):
        config.decoded(images.ImageConfig(20, 56, 1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "twelve_crops"}, "name.*none, mirror, five_crops, ten_crops"),
        ({"mean": "ranks"}, "mean.*logits, probabilities.*ranks"),
        ({"scale": 1.0}, "scale.*above 1"),
        ({"scale": float("nan")}, "scale.*above 1"),
        ({"scale": 5.0}, "scale.*at most 4"),
    ],
)
def test_what_is_no_view_is_refused(settings, message):
    with pytest.raises(errors.SettingError, match=message):
        views.ViewsConfig(**settings)


def test_views_say_what_they_are():
    assert views.ViewsConfig(mean="probabilities").description == ""
    assert views.ViewsConfig("mirror").description == "mirror, mean of logits"
    assert (
        views.ViewsConfig("five_crops", 1.5, "probabilities").description
        == "five_crops at scale 1.5, mean of probabilities"
    )
