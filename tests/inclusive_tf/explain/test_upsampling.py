import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from inclusive_tf.explain import upsampling


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_it_equals_scipys_linear_zoom(size, more):
    target = (size[0] + more[0], size[1] + more[1])
    maps = np.random.default_rng(0).random((2, *size), np.float32)
    factors = (1, target[0] / size[0], target[1] / size[1])
    # "nearest": for a few pairs of sizes its last place is rounded to just outside
    expected = ndimage.zoom(maps, factors, order=1, mode="nearest")
    found = upsampling.upsample(maps, target)
    assert (found.dtype, found.shape) == (np.float32, (2, *target))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_makes_a_map_smaller_too():
    maps = np.random.default_rng(0).random((9, 7), np.float32)
    expected = ndimage.zoom(maps, (4 / 9, 5 / 7), order=1)
    np.testing.assert_allclose(upsampling.upsample(maps, (4, 5)), expected, atol=1e-6)


def test_the_last_row_is_never_lost_as_scipy_loses_it():
    maps = np.ones((4, 1), np.float32)
    assert ndimage.zoom(maps, (188 / 4, 1), order=1)[-1, 0] == 0
    np.testing.assert_array_equal(upsampling.upsample(maps, (188, 1)), 1)


@pytest.mark.parametrize(("size", "length"), [(1, 1), (1, 5), (4, 4), (3, 9)])
def test_weights_sum_to_one_and_keep_the_corners(size, length):
    found = upsampling.weights(size, length)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[0, 0] == pytest.approx(1)
    assert found[-1, -1] == pytest.approx(1) or length == 1
