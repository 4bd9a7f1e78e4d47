"""Greedy choices are those of their definitions, however they are sped up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines.resampling import redundancy


def distances(points, others):
    difference = points[:, None].astype(np.float64) - others[None]
    return np.sqrt(np.square(difference).sum(axis=2))


def farthest_first_by_definition(points, fixed, count, first):
    chosen = [] if len(fixed) else [first]
    while len(chosen) < count:
        centres = np.concatenate([fixed, points[chosen]])
        nearest = distances(points, centres).min(axis=1)
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    centres = np.concatenate([fixed, points[chosen]])
    return chosen, distances(points, centres).min(axis=1)


@pytest.mark.parametrize("fixed_count", [0, 7])
def test_centres_are_chosen_farthest_first(fixed_count, monkeypatch):
    """Also where only a few far points are looked at ahead."""
    monkeypatch.setattr(redundancy, "_AHEAD", 20)
    monkeypatch.setattr(redundancy, "_ROWS", 64)
    generator = np.random.default_rng(0)
    points = generator.normal(size=(200, 6)).astype(np.float32)
    fixed = generator.normal(size=(fixed_count, 6)).astype(np.float32)
    chosen, distance = redundancy.farthest_first(points, fixed, 60, first=11)
    expected = farthest_first_by_definition(points, fixed, 60, 11)
    assert chosen.tolist() == expected[0]
    np.testing.assert_allclose(distance, expected[1], atol=2e-3)


def test_the_radius_is_at_most_twice_the_best_possible():
    """Gonzalez' bound, where the best is known: well separated small balls."""
    generator = np.random.default_rng(1)
    middles = 100 * np.eye(8, dtype=np.float32)
    points = np.repeat(middles, 30, axis=0)
    points = points + generator.uniform(-1, 1, points.shape).astype(np.float32)
    best = distances(points, middles).min(axis=1).max()
    chosen, distance = redundancy.farthest_first(points, points[:0], 8, first=0)
    assert sorted(chosen // 30) == list(range(8))
    assert distance.max() <= 2 * best


def test_all_points_can_be_centres_even_where_they_are_equal():
    points = np.ones((9, 3), np.float32)
    chosen, distance = redundancy.farthest_first(points, points[:0], 9, first=4)
    assert sorted(chosen) == list(range(9))
    assert (distance == 0).all()


def closest_pairs_by_definition(points, may_go):
    squared = distances(points, points)
    np.fill_diagonal(squared, np.inf)
    gone = []
    while True:
        free = np.array([may_go(row, gone) for row in range(len(points))])
        free[gone] = False
        if not free.any() or len(gone) == len(points) - 1:
            return gone
        left = squared.copy()
        left[~free] = np.inf
        left[:, gone] = np.inf
        first, second = np.unravel_index(left.argmin(), left.shape)
        row = max(first, second) if free[second] else first
        gone.append(int(row))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 70), st.integers(1, 60), st.integers(0, 10_000))
def test_closest_pairs_are_taken_apart_first(count, most, seed):
    """Against a search through all pairs each time; odd points never go."""
    generator = np.random.default_rng(seed)
    # dense places and thin ones: lists of neighbours come to their ends
    points = np.exp(generator.normal(0, 2, (count, 2))).astype(np.float32)

    def may_go(row, gone):
        return row % 3 != 1 and len(gone) < most

    gone = []
    for row in redundancy.closest_pairs(points, lambda row: may_go(row, gone), max):
        gone.append(row)
    assert gone == closest_pairs_by_definition(points, may_go)


def test_many_equal_points_all_go_but_one():
    points = np.concatenate([np.zeros((100, 2)), np.ones((1, 2))]).astype(np.float32)
    gone = []
    for row in redundancy.closest_pairs(points, lambda row: len(gone) < 99, max):
        gone.append(row)
    assert sorted(gone) == list(range(1, 100))


def test_a_single_point_has_no_pair():
    points = np.zeros((1, 2), np.float32)
    assert list(redundancy.closest_pairs(points, lambda row: True, max)) == []


def test_mutual_neighbours_are_found_once():
    points = np.array([[0.0], [1.0], [1.5], [4.0], [4.1], [4.3]], np.float32)
    pairs, distance = redundancy.tomek_links(points)
    assert pairs.tolist() == [[1, 2], [3, 4]]
    np.testing.assert_allclose(distance, [0.5, 0.1], rtol=1e-5)


def test_near_miss_orders_by_mean_distance_to_rare_points():
    generator = np.random.default_rng(2)
    points = generator.normal(size=(50, 4)).astype(np.float32)
    rare = generator.normal(1, 1, (9, 4)).astype(np.float32)
    between = np.sort(distances(points, rare), axis=1)
    first = redundancy.near_miss(points, rare, 1)
    np.testing.assert_array_equal(first, np.argsort(-between[:, :3].mean(axis=1)))
    second = redundancy.near_miss(points, rare, 2)
    np.testing.assert_array_equal(second, np.argsort(-between[:, -3:].mean(axis=1)))
    third = redundancy.near_miss(points, rare, 3)
    near = np.unique(np.argsort(distances(rare, points), axis=1)[:, :3])
    assert set(third[-len(near) :]) == set(near)
    mean = between[:, :3].mean(axis=1)
    assert (np.diff(mean[third[-len(near) :]]) >= 0).all()
    assert (np.diff(mean[third[: -len(near)]]) <= 0).all()


def test_near_miss_works_with_a_single_rare_point():
    points = np.array([[3.0], [1.0], [2.0]], np.float32)
    for version, expected in ((1, [0, 2, 1]), (2, [0, 2, 1]), (3, [1, 2, 0])):
        order = redundancy.near_miss(points, points[:1] * 0, version)
        assert order.tolist() == expected
