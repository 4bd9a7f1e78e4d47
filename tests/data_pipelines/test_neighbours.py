"""Neighbours are scikit-learn's, ties go to the lowest index, equal rows are at 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import neighbors

from data_pipelines import errors, neighbours


def by_definition(queries, base, k, exclude_self=False):
    """Plainly: every distance in float64, sorted by distance and then by index."""
    difference = queries[:, None].astype(np.float64) - base[None]
    squared = np.square(difference).sum(axis=2)
    if exclude_self:
        np.fill_diagonal(squared, np.inf)
    index = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return index, np.sqrt(np.take_along_axis(squared, index, axis=1))


@pytest.mark.parametrize("exclude_self", [False, True])
def test_neighbours_are_those_of_scikit_learn(exclude_self):
    generator = np.random.default_rng(0)
    base = generator.normal(size=(700, 40)).astype(np.float32)
    queries = base if exclude_self else base[:90] + np.float32(0.3)
    index, distance = neighbours.nearest(queries, base, 5, exclude_self)
    oracle = neighbors.NearestNeighbors(n_neighbors=5, algorithm="brute").fit(base)
    expected = oracle.kneighbors(None if exclude_self else queries)
    np.testing.assert_array_equal(index, expected[1])
    np.testing.assert_allclose(distance, expected[0], rtol=1e-4)
    assert index.dtype == np.int64
    assert distance.dtype == np.float32


def test_chunks_change_nothing(monkeypatch):
    generator = np.random.default_rng(1)
    base = generator.normal(size=(300, 8)).astype(np.float32)
    whole = neighbours.nearest(base, base, 4, exclude_self=True)
    monkeypatch.setattr(neighbours, "_CHUNK_BYTES", 5000)
    for first, second in zip(
        whole, neighbours.nearest(base, base, 4, exclude_self=True), strict=True
    ):
        np.testing.assert_array_equal(first, second)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 30), st.integers(1, 4), st.integers(1, 6), st.booleans(),
    st.integers(0, 10_000),
)  # fmt: skip
def test_ties_go_to_the_lowest_index(count, width, k, exclude_self, seed):
    """Small whole numbers make many equal rows and many equal distances."""
    base = np.random.default_rng(seed).integers(-1, 2, (count, width)).astype("f4")
    index, distance = neighbours.nearest(base, base, k, exclude_self)
    there = min(k, count - exclude_self)
    expected = by_definition(base, base, there, exclude_self)
    np.testing.assert_array_equal(index[:, :there], expected[0])
    np.testing.assert_allclose(distance[:, :there], expected[1], rtol=1e-6)
    assert (index[:, there:] == -1).all()
    assert np.isinf(distance[:, there:]).all()


def test_nearly_equal_rows_far_from_the_origin_keep_their_order():
    """In float32 products alone these distances would be lost in rounding."""
    generator = np.random.default_rng(2)
    base = generator.normal(size=(200, 64)).astype(np.float32) + np.float32(100)
    base[1::2] = base[::2] + generator.normal(0, 1e-3, (100, 64)).astype(np.float32)
    index, distance = neighbours.nearest(base, base, 3, exclude_self=True)
    expected = by_definition(base, base, 3, exclude_self=True)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_allclose(distance, expected[1], rtol=1e-6)
    np.testing.assert_array_equal(index[:, 0], np.arange(200) ^ 1)


def test_an_outlier_does_not_blur_the_others():
    generator = np.random.default_rng(3)
    base = generator.normal(size=(100, 16)).astype(np.float32)
    base[50] = 1e6
    index, _ = neighbours.nearest(base, base, 2, exclude_self=True)
    np.testing.assert_array_equal(index, by_definition(base, base, 2, True)[0])


def test_equal_rows_are_at_distance_nought_and_quick():
    """Every pair of 4,000 blank images would be 16 million exact measurements."""
    base = np.full((4000, 256), 0.3, np.float32)
    base[7] = 0.4
    index, distance = neighbours.nearest(base, base, 2, exclude_self=True)
    np.testing.assert_array_equal(index[0], [1, 2])
    np.testing.assert_array_equal(index[1], [0, 2])
    np.testing.assert_array_equal(index[3999], [0, 1])
    assert (distance[np.arange(4000) != 7] == 0).all()
    assert distance[7, 0] == pytest.approx(0.1 * 16, rel=1e-5)


def test_nothing_near_nothing():
    index, distance = neighbours.nearest(np.ones((2, 3)), np.ones((0, 3)), 1)
    assert index.tolist() == [[-1], [-1]]
    assert np.isinf(distance).all()


@pytest.mark.parametrize(
    ("queries", "base", "said"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), "same width. Received: shapes"),
        (np.ones(3), np.ones((2, 3)), "two matrices"),
        (np.ones((2, 3)), np.full((2, 3), np.nan), "finite numbers"),
        (np.full((2, 3), np.inf), np.ones((2, 3)), "finite numbers"),
        (np.ones((2, 3)), np.full((2, 3), -1e20), "less than 7e16"),
    ],
)
def test_what_cannot_be_compared_is_refused(queries, base, said):
    with pytest.raises(errors.DataError, match=said):
        neighbours.nearest(queries, base, 1)


def test_self_can_only_be_left_out_of_the_same_rows():
    with pytest.raises(errors.DataError, match="width and height"):
        neighbours.nearest(np.ones((2, 3)), np.ones((3, 3)), 1, exclude_self=True)


def test_no_neighbours_are_no_setting():
    with pytest.raises(errors.SettingError, match="Received: 0"):
        neighbours.nearest(np.ones((2, 3)), np.ones((2, 3)), 0)


def test_the_largest_numbers_that_are_taken_do_not_overflow():
    points = np.array([[1, 1], [-1, -1], [0.99, 1]], np.float32) * np.float32(2**56)
    index, _ = neighbours.nearest(points, points, 2, exclude_self=True)
    assert index.tolist() == [[2, 1], [2, 0], [0, 1]]


def test_a_prepared_base_answers_each_query_as_all_of_them_at_once():
    base = np.random.default_rng(2).integers(-2, 3, (60, 3)).astype("f4")
    expected = neighbours.nearest(base, base, 4, exclude_self=True)
    prepared = neighbours.Base(base)
    for row in (0, 17, 59):
        found = prepared.nearest(base[[row]], 4, np.array([row]))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one[0], other[row])
    index, distance = neighbours.Base(base[:0]).nearest(base[:1], 2)
    assert (index == -1).all()
    assert np.isinf(distance).all()
    with pytest.raises(errors.DataError, match="do not fit"):
        prepared.nearest(base[:, :2], 1)
