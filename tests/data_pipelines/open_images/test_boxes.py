"""Areas of unions agree with pixels, inclusion-exclusion and geometry."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines.open_images import boxes

GRID = 16
SIDE = st.tuples(st.integers(0, GRID), st.integers(0, GRID)).map(sorted)
GROUPS = st.lists(
    st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=9), min_size=1, max_size=6
)


def as_arrays(groups):
    flat = [(*x, *y) for group in groups for x, y in group]
    starts = np.cumsum([0] + [len(group) for group in groups])[:-1]
    return np.array(flat, np.float32).T / GRID, starts


@settings(deadline=None, max_examples=40)
@given(GROUPS)
def test_the_union_is_the_share_of_pixels_that_any_box_covers(groups):
    expected = []
    for group in groups:
        pixels = np.zeros((GRID, GRID), bool)
        for (left, right), (top, bottom) in group:
            pixels[top:bottom, left:right] = True
        expected.append(pixels.mean())
    np.testing.assert_allclose(boxes.united(*as_arrays(groups)), expected, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(GROUPS)
def test_the_sum_counts_what_overlaps_twice(groups):
    sides, starts = as_arrays(groups)
    expected = [
        sum((x[1] - x[0]) * (y[1] - y[0]) for x, y in group) / GRID**2
        for group in groups
    ]
    summed = boxes.summed(sides, starts)
    np.testing.assert_allclose(summed, expected, atol=1e-12)
    assert (boxes.united(sides, starts) <= summed + 1e-12).all()


@pytest.mark.parametrize("size", [3, 4, 6])
def test_the_union_agrees_with_inclusion_and_exclusion(size):
    generator = np.random.default_rng(size)
    low = generator.random((2, 20 * size))
    high = low + generator.random((2, 20 * size)) * (1 - low)
    sides = np.stack([low[0], high[0], low[1], high[1]]).astype(np.float32)
    starts = np.arange(0, 20 * size, size)
    for group, found in zip(starts, boxes.united(sides, starts), strict=True):
        left, right, top, bottom = sides[:, group : group + size].astype(np.float64)
        expected = 0.0
        for count in range(1, size + 1):
            for some in map(list, itertools.combinations(range(size), count)):
                width = max(0.0, right[some].min() - left[some].max())
                height = max(0.0, bottom[some].min() - top[some].max())
                expected -= (-1) ** count * width * height
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_hundreds_of_boxes_are_united_in_bounded_chunks(monkeypatch):
    monkeypatch.setattr(boxes, "_CELLS", 1000)
    count = 300
    steps = np.arange(count, dtype=np.float32) / count
    # a staircase: each box reaches from 0 to its own corner
    sides = np.stack([0 * steps, 1 - steps, 0 * steps, steps])
    sides = np.concatenate([sides, sides], axis=1)
    expected = sum(steps[row] / count for row in range(count))
    np.testing.assert_allclose(
        boxes.united(sides, np.array([0, count])), [expected] * 2, rtol=1e-5
    )


def test_no_box_has_no_area():
    nothing = np.zeros((4, 0), np.float32), np.zeros(0, np.int64)
    assert boxes.united(*nothing).shape == boxes.summed(*nothing).shape == (0,)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), *[st.integers(0, 1)] * 4), max_size=40))
def test_an_exact_repeat_is_found_after_its_first_and_nothing_else_is(rows):
    keys = np.array([row[0] for row in rows], np.int64)
    sides = np.array([row[1:] for row in rows], np.float32).reshape(-1, 4).T
    expected = [row in rows[:place] for place, row in enumerate(rows)]
    assert boxes.repeated(keys, sides).tolist() == expected
