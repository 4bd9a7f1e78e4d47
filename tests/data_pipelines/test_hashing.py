"""Keyed numbers: uniform, independent, and the same in every batch."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from data_pipelines import hashing

KEYS = np.stack(
    [
        np.repeat(np.arange(10), 2000),
        np.tile(np.arange(2000), 10),
        np.zeros(20_000, int),
    ],
    axis=1,
)


def splitmix(word):
    """The finaliser of SplitMix64 in Python's whole numbers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)


def test_words_follow_a_plain_statement_of_the_hash():
    step = 0x9E3779B97F4A7C15
    for key, seed in (((0, 0, 0), 0), ((5, 123, 7), 42), ((-1, 2**40, 1), -3)):
        state = seed % 2**64
        for part in key:
            state = splitmix(((state ^ part % 2**64) + step) % 2**64)
        expected = [splitmix((state + n * step) % 2**64) for n in (1, 2, 3)]
        found = hashing.words(np.array([key]), seed, 3).numpy()[0]
        assert found.tolist() == expected


def test_numbers_are_uniform():
    numbers = hashing.uniforms(KEYS, 1, 3).numpy()
    assert numbers.min() >= 0
    assert numbers.max() < 1
    for column in numbers.T:
        assert stats.kstest(column.astype(float), "uniform").pvalue > 1e-4


def test_columns_neighbours_and_seeds_are_uncorrelated():
    numbers = hashing.uniforms(KEYS, 1, 2).numpy().astype(float)
    other = hashing.uniforms(KEYS, 2, 1).numpy().astype(float)
    pairs = (
        (numbers[:, 0], numbers[:, 1]),
        (numbers[:-1, 0], numbers[1:, 0]),
        (numbers[:, 0], other[:, 0]),
    )
    for first, second in pairs:
        correlation = np.corrcoef(first, second)[0, 1]
        assert abs(correlation) < 5 / np.sqrt(len(first))


def test_a_key_gives_the_same_numbers_in_any_batch_and_inside_tf_data():
    whole = hashing.uniforms(KEYS, 9, 4).numpy()
    order = np.random.default_rng(0).permutation(len(KEYS))[:64]
    np.testing.assert_array_equal(hashing.uniforms(KEYS[order], 9, 4), whole[order])
    dataset = tf.data.Dataset.from_tensors(KEYS).map(
        lambda keys: hashing.uniforms(keys, 9, 4)
    )
    np.testing.assert_array_equal(next(iter(dataset)), whole)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_every_part_of_the_key_matters(part):
    key = np.array([[3, 4, 5]])
    changed = key.copy()
    changed[0, part] += 1
    first, second = (hashing.uniforms(k, 0, 4).numpy() for k in (key, changed))
    assert (first != second).all()
