"""Areas of boxes: their sum, and the exact area of their union."""

import numpy as np

_CELLS = 1 << 21
"""Slabs times boxes looked at in one go; a few arrays of that size fit a cache."""


def areas(boxes):
    """Returns float64 [N]: (XMax - XMin) (YMax - YMin), shares of the image's area.

    Args:
        boxes: float32 [4, N]; XMin, XMax, YMin, YMax, relative to the image's sides.
    """
    left, right, top, bottom = boxes
    return (right.astype(np.float64) - left) * (bottom.astype(np.float64) - top)


def summed(boxes, starts):
    """Returns float64 [G]: the sum of the areas of each group.

    Args:
        boxes: float32 [4, N], the boxes of a group beside each other.
        starts: int64 [G], increasing; the first box of each group.
    """
    if not len(starts):
        return np.zeros(0)
    return np.add.reduceat(areas(boxes), starts)


def united(boxes, starts):
    """Returns float64 [G]: the exact area of the union of the boxes of each group.

    A sweep over all groups of one size at a time: the sides of the boxes cut the plane
    into 2n - 1 upright slabs; within a slab each box is there over its whole width or
    not at all, so the covered height is the length of a union of intervals. Work and
    memory are O(n^2) for a group of n boxes, the latter bounded by chunks.

    Args:
        boxes: float32 [4, N], the boxes of a group beside each other.
        starts: int64 [G], increasing; the first box of each group.
    """
    sizes = np.diff(np.append(starts, boxes.shape[1]))
    result = np.empty(len(starts))
    alone = sizes == 1
    result[alone] = areas(boxes[:, starts[alone]])
    of_size = np.argsort(sizes, kind="stable")
    bounds = np.searchsorted(sizes[of_size], np.unique(sizes), side="left")
    for groups in np.split(of_size, bounds[1:]):
        size = sizes[groups[0]] if len(groups) else 1
        if size == 1:
            continue
        step = max(1, _CELLS // (2 * size * size))
        for first in range(0, len(groups), step):
            chunk = groups[first : first + step]
            members = starts[chunk][:, None] + np.arange(size)
            result[chunk] = _sweep(*boxes[:, members].astype(np.float64))
    return result


def _sweep(left, right, top, bottom):
    """float64 [G]: areas of the unions of groups of n boxes, each argument [G, n]."""
    if left.shape[1] == 2:
        return _of_two(left, right, top, bottom)
    order = np.argsort(top, axis=1)
    left, right, top, bottom = (
        np.take_along_axis(values, order, axis=1)
        for values in (left, right, top, bottom)
    )
    cuts = np.sort(np.concatenate([left, right], axis=1), axis=1)
    widths = np.diff(cuts, axis=1)
    within = (left[:, None] <= cuts[:, :-1, None]) & (
        right[:, None] >= cuts[:, 1:, None]
    )
    # boxes from top to bottom: each adds what reaches below all before it
    reach = np.where(within, bottom[:, None], 0.0)
    np.maximum.accumulate(reach, axis=2, out=reach)
    added = reach.copy()
    added[:, :, 1:] -= np.maximum(reach[:, :, :-1], top[:, None, 1:])
    added[:, :, 0] -= top[:, None, 0]
    np.maximum(added, 0.0, out=added)
    added *= within
    return np.einsum("gs,gsn->g", widths, added)


def _of_two(left, right, top, bottom):
    width = right.min(axis=1) - left.max(axis=1)
    height = bottom.min(axis=1) - top.max(axis=1)
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    return ((right - left) * (bottom - top)).sum(axis=1) - shared


def repeated(keys, boxes):
    """Returns bool [N]: boxes that repeat an earlier one of the same key exactly.

    Args:
        keys: int64 [N]; what a box belongs to.
        boxes: float32 [4, N].
    """
    found = np.zeros(len(keys), bool)
    mixed = keys.astype(np.uint64)
    for side in boxes:
        # zeros of either sign are one number
        bits = (side + np.float32(0)).view(np.uint32)
        mixed = (mixed ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    in_order = np.sort(mixed)
    twice = in_order[1:][in_order[1:] == in_order[:-1]]
    if not len(twice):
        return found
    # equal boxes have equal mixes, and few others do: only these are compared
    rows = np.flatnonzero(np.isin(mixed, twice))
    columns = [rows, *boxes[:, rows], keys[rows]]
    order = np.lexsort(columns)
    same = np.ones(len(rows) - 1, bool)
    for values in columns[1:]:
        ordered = values[order]
        same &= ordered[1:] == ordered[:-1]
    found[rows[order[1:][same]]] = True
    return found
