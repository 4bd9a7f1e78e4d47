import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from data_pipelines import errors
from inclusive_tf.explain import maps

IMAGE = np.random.default_rng(0).random((7, 14, 1))


def _pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"), np.float64)


@given(
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-64, 64, width=16)),
    st.booleans(),
)
def test_scaled_maps_are_the_raw_map_over_its_own_greatest_value(raw, signed):
    found = maps.scaled(raw, signed)
    if found.degenerate:
        assert not found.values.any()
    else:
        kept = raw if signed else np.maximum(raw, 0)
        np.testing.assert_allclose(
            found.values * found.scale, kept, rtol=1e-5, atol=1e-30
        )
        assert np.abs(found.values).max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("raw", "signed", "degenerate"),
    [
        (np.zeros((2, 2)), False, True),
        (np.zeros((2, 2)), True, True),
        (np.full((2, 2), 3.0), False, True),
        (np.array([[3.0, 3.0 + 1e-7]]), True, True),
        (np.array([[-1.0, -2.0]]), False, True),
        (np.array([[-1.0, -2.0]]), True, False),
        (np.array([[0.0, 1e-9]]), False, False),
    ],
)
def test_maps_that_say_nothing_are_flagged(raw, signed, degenerate):
    assert maps.scaled(raw, signed).degenerate is degenerate


def test_zero_of_a_signed_map_stays_zero():
    np.testing.assert_array_equal(
        maps.scaled(np.array([[0.0, -4.0, 2.0]]), True).values, [[0, -1, 0.5]]
    )


@pytest.mark.parametrize("raw", [np.zeros(3), np.zeros((0, 2)), [[np.nan, 1.0]]])
def test_what_is_no_map_is_refused(raw):
    with pytest.raises(errors.DataError, match="not a map"):
        maps.scaled(raw, False)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((28, 56), (224, 112)), ((28, 28), (224, 224)), ((64, 60), (180, 192))],
)
def test_small_images_grow_by_a_whole_factor(size, expected):
    found = maps.picture(np.zeros((*size, 1)))
    assert (found.width, found.height) == expected
    assert Image.open(io.BytesIO(found.png)).size == expected


def test_large_images_shrink_to_the_width():
    found = maps.picture(np.zeros((300, 448, 3)))
    assert (found.width, found.height) == (224, 150)


def test_unsmoothed_pixels_stay_themselves():
    found = _pixels(maps.picture(IMAGE, width=56, smooth=False))
    expected = np.round(np.kron(IMAGE[..., 0], np.ones((4, 4))) * 255)
    np.testing.assert_array_equal(found, expected[..., None].repeat(3, 2))


def test_colours_of_a_picture_stay():
    red = np.zeros((4, 4, 3))
    red[..., 0] = 1
    np.testing.assert_array_equal(_pixels(maps.picture(red))[50, 50], [255, 0, 0])


def test_a_degenerate_map_leaves_the_grey_image_and_says_so():
    found = maps.overlay(IMAGE, np.zeros((7, 14)), signed=False)
    assert found.degenerate
    np.testing.assert_array_equal(_pixels(found), _pixels(maps.picture(IMAGE)))


def test_a_signed_map_is_red_for_and_blue_against():
    raw = np.zeros((7, 14))
    raw[2:5, 1:4], raw[2:5, 10:13] = 2, -1
    found = maps.overlay(np.full((7, 14, 1), 0.5), raw, signed=True)
    assert (found.scale, found.degenerate) == (2, False)
    pixels, side = _pixels(found), 224 // 14
    red, blue = pixels[3 * side + 8, 2 * side + 8], pixels[3 * side + 8, 11 * side + 8]
    silent = pixels[3 * side + 8, 6 * side + 8]
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 30
    np.testing.assert_allclose(silent, 128, atol=6)


def test_negative_values_of_a_positive_map_are_not_drawn():
    raw = np.zeros((7, 14))
    raw[3, 2] = 1
    below = np.where(raw > 0, raw, -1)
    assert maps.overlay(IMAGE, raw, False).png == maps.overlay(IMAGE, below, False).png


def test_the_colour_bar_ends_in_the_colours_of_the_overlay():
    bar = _pixels(maps.colour_bar(signed=True))
    assert bar[0, 0, 2] > bar[0, 0, 0]
    assert bar[0, -1, 0] > bar[0, -1, 2]


def test_images_and_maps_that_do_not_fit_are_refused():
    with pytest.raises(errors.DataError, match="disagree in size"):
        maps.overlay(IMAGE, np.zeros((7, 13)), False)
    with pytest.raises(errors.DataError, match="not an image"):
        maps.picture(np.zeros((7, 14, 2)))
    with pytest.raises(errors.DataError, match="not an image"):
        maps.picture(np.full((7, 14, 1), np.nan))
