"""Slices of rows cover an array once, in order, and hold about as many numbers."""

import numpy as np
import pytest

from data_pipelines import errors
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


def test_numbers_come_with_their_rows_until_an_image_has_none():
    logits = np.arange(12.0).reshape(4, 3)
    for rows, chunk in chunks.numbers(logits, 6):
        np.testing.assert_array_equal(chunk, logits[rows])
    logits[3, 1] = np.nan
    with pytest.raises(errors.DataError, match="NaN at image 3"):
        list(chunks.numbers(logits, 6))
    assert list(chunks.numbers(logits[:0], 6)) == []
