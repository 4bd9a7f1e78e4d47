"""Slices of rows cover an array once, in order, and hold about as many numbers."""

import numpy as np
import pytest

from inclusive_tf import chunks


@pytest.mark.parametrize(
    ("shape", "cells", "expected"),
    [((5, 3), 6, [2, 2, 1]), ((2, 9), 4, [1, 1]), ((3, 0), 2, [2, 1]), ((0, 3), 6, [])],
)
def test_rows_are_covered_in_order(shape, cells, expected):
    array = np.arange(np.prod(shape)).reshape(shape)
    parts = [array[rows] for rows in chunks.rows(array, cells)]
    assert [len(part) for part in parts] == expected
    np.testing.assert_array_equal(np.concatenate([array[:0], *parts]), array)
