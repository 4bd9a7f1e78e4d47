"""Logits of each label counted into narrow bins, so that many solves read them once."""

import numpy as np
import scipy.optimize.elementwise

from inclusive_tf import chunks

LIMIT = 20.0
"""Logits beyond it count as it: their probabilities are 0 or 1 to 8 digits."""

BINS = 2048
"""Each 0.02 wide: a mean of probabilities is exact to about 2 in 100,000."""

_CHUNK_CELLS = 1 << 24
_LABELS_IN_GO = 256


def centres():
    """Returns float64 [BINS]: the logit in the middle of each bin."""
    return (np.arange(BINS) + 0.5) * (2 * LIMIT / BINS) - LIMIT


def count(logits, slope=1.0, truth=None):
    """Counts slope * logit into bins, in one pass over rows.

    Beside the logits, which may be memory-mapped, it takes 16 KB a label for the
    counts, as much again while counting, and some 300 MB at most for a chunk.

    Args:
        logits: float [N, C].
        slope: positive.
        truth: `labels.SparseLabels` of N rows; only the labels it states are counted.
            None counts all.

    Returns:
        int64 [C, BINS].
    """
    classes = logits.shape[1]
    found = np.zeros(classes * BINS, np.int64)
    if truth is not None:
        values = logits[truth.rows(), truth.index]
        cells = _bin(values, slope) + truth.index.astype(np.int64) * BINS
        found += np.bincount(cells, minlength=len(found))
        return found.reshape(classes, BINS)
    first_bin = np.arange(classes, dtype=np.int64) * BINS
    for _, chunk in chunks.numbers(logits, _CHUNK_CELLS):
        cells = _bin(chunk, slope) + first_bin
        found += np.bincount(cells.ravel(), minlength=len(found))
    return found.reshape(classes, BINS)


def _bin(values, slope):
    scale = values.dtype.type(slope * BINS / (2 * LIMIT))
    places = values * scale
    places += values.dtype.type(BINS / 2)
    np.clip(places, 0, BINS - 1, out=places)
    return places.astype(np.int32)


def solve(counts, function, low, high):
    """Finds, for each label, where a sum over its bins changes its sign.

    Args:
        counts: int64 [C, BINS].
        function: called with float64 [c, 1], int64 [c, 1] (which labels these are) and
            float64 [b] (the centres of some bins), returns float64 [c, b]; its sum
            weighted by the counts falls as the number rises.
        low: float; where the search starts from below.
        high: float.

    Returns:
        float64 [C]; `low` or `high` where there is no change of sign.
    """
    used = np.flatnonzero(counts.any(axis=0))
    first, last = (used[0], used[-1] + 1) if len(used) else (0, 1)
    places, counts = centres()[first:last], counts[:, first:last]

    def sums(number, label):
        number, label = np.atleast_1d(number), np.atleast_1d(label).astype(np.int64)
        found = np.empty(len(label))
        for start in range(0, len(label), _LABELS_IN_GO):
            part = slice(start, start + _LABELS_IN_GO)
            values = function(number[part, None], label[part, None], places)
            found[part] = np.einsum("cb,cb->c", values, counts[label[part]])
        return found

    label = np.arange(len(counts))
    at_ends = (
        sums(np.full(len(label), low), label),
        sums(np.full(len(label), high), label),
    )
    inside = np.flatnonzero((at_ends[0] > 0) & (at_ends[1] < 0))
    found = np.where(at_ends[0] > 0, float(high), float(low))
    if len(inside):
        result = scipy.optimize.elementwise.find_root(
            sums, (low, high), args=(inside,), tolerances={"xatol": 1e-9, "xrtol": 0.0}
        )
        found[inside] = result.x
    return found
