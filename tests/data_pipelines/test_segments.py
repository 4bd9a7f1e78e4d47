"""Numbers among the bytes of a file are those that Python reads."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import segments

PLACES = ((0, 1), (3, 2), (3, 4), (5, 3), (6, 6), (11, 1))


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("known", [True, False])
def test_numbers_are_read_in_either_order_of_bytes(order, known):
    rows = np.random.default_rng(0).integers(0, 256, (50, 12)).astype(np.uint8)
    little = order == "little"
    found = segments.numbers(rows, PLACES, little if known else tf.constant(little))
    for (first, count), numbers in zip(PLACES, found, strict=True):
        expected = [
            int.from_bytes(row[first : first + count].tobytes(), order) for row in rows
        ]
        assert numbers.dtype == tf.int64
        np.testing.assert_array_equal(numbers, expected)


def test_the_largest_number_of_four_bytes_is_no_negative_one():
    (found,) = segments.numbers(np.full(4, 255, np.uint8), ((0, 4),), False)
    assert found.numpy() == 2**32 - 1
