"""A threshold for each label, found by coordinate ascent on the mean F2.

Labels are visited in order. With all other labels decided, giving a label to an image
changes that image's F2 = 5 TP / (4 |Y| + k) by a known step, so the score of a
threshold is the sum of the steps of the images that it reaches. One label costs one
pass over its scores, however many thresholds are tried and however many labels there
are; the metric is never computed anew.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors
from inclusive_tf.adaptation import f2_steps
from inclusive_tf.evaluation import f2

EQUAL = 1e-12
"""Mean F2 that differ by less are taken as equal: sums of fractions in float64."""

_BLOCK_CELLS = 1 << 22


@dataclasses.dataclass(frozen=True)
class GridSearch:
    """The 3rd place's rule in the Inclusive Images Challenge.

    A label with at least `min_positives` images starts at probability 0.5, any other
    stays at `default`. For each label in order, the one of `candidates` evenly spaced
    probabilities with the best mean F2 is kept, the larger one on ties; `passes` times.
    Source: aaxwaz/Inclusive-Image-Challenge-Winning-Solution, which used 99 candidates
    of [0.01, 0.99] with 1 positive ("risky") and of [0.1, 0.9] with 3 ("safe").

    Raises:
        errors.SettingError: a number is out of range.
    """

    lowest: float = 0.01
    highest: float = 0.99
    candidates: int = 99
    min_positives: int = 1
    default: float = 0.99
    passes: int = 2

    def __post_init__(self):
        if not 0 < self.lowest <= self.highest < 1 or not 0 < self.default < 1:
            raise errors.SettingError(
                "thresholds are probabilities between 0 and 1, the lowest first; "
                f"received {self.lowest}, {self.highest}, default {self.default}"
            )
        if self.candidates < 1 or self.passes < 1:
            raise errors.SettingError(
                "at least 1 candidate and 1 pass are needed; received "
                f"{self.candidates} and {self.passes}"
            )


@dataclasses.dataclass(frozen=True)
class LabelThresholds:
    """Thresholds and what they reach where they were fitted.

    Args:
        threshold_logit: float64 [C]; a label is given from this logit on.
        mean_f2: on the images they were fitted on, so flattering.
        positives: int64 [C]; images that show each label.
        searched: how many labels were searched; the others stayed where they started.
    """

    threshold_logit: np.ndarray
    mean_f2: float
    positives: np.ndarray
    searched: int


def grid_search(logits, truth, unlisted_is_absent=True, rule=None):
    """Coordinate ascent over a grid of probabilities, by the 3rd place's rule.

    Args:
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent; otherwise only
            stated labels are looked at.
        rule: `GridSearch`; None is its default.

    Returns:
        `LabelThresholds`. Beside the logits it takes 2 bytes a score.

    Raises:
        errors.DataError: shapes disagree, a logit is NaN, or no image shows a label.
    """
    rule = rule or GridSearch()
    grid = np.linspace(rule.lowest, rule.highest, rule.candidates)
    positives = _positives(truth)
    searched = np.flatnonzero(positives >= rule.min_positives)
    start = np.full(truth.num_classes, rule.default)
    start[searched] = 0.5
    threshold = scipy.special.logit(start)
    grid = scipy.special.logit(grid)
    state = f2_steps.State(logits, threshold, truth, unlisted_is_absent)
    reached, given = _place(logits, grid, threshold, searched)
    for _ in range(rule.passes):
        for position, label in enumerate(searched):
            rows = np.flatnonzero(reached[position] | given[position])
            rows, steps = state.steps(label, rows, given[position])
            gains = np.bincount(
                reached[position, rows], weights=steps, minlength=len(grid) + 1
            )
            # a threshold gains the steps of all images that reach it
            scores = np.cumsum(gains[::-1])[::-1][1:]
            best = np.flatnonzero(scores >= scores.max() - EQUAL * len(truth))[-1]
            threshold[label] = grid[best]
            now = reached[position] > best
            state.give(label, rows, given[position], now)
            given[position] = now
    return _found(logits, threshold, truth, unlisted_is_absent, positives, searched)


def exact(logits, truth, start, unlisted_is_absent=True, min_positives=1, passes=2):
    """Coordinate ascent over every cut between two scores.

    A label moves only where another threshold is better than its present one; of
    neighbouring cuts that are equally good, the widest interval wins, and the threshold
    is its middle. Cuts below the lowest score of an image that shows the label are not
    tried: further down only errors are to be had.

    Args:
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        start: the logit that all labels start at, such as the best global one.
        unlisted_is_absent: as in `grid_search`.
        min_positives: a label with fewer images, or none, stays at `start`.
        passes: over the labels; it ends early when none moves.

    Returns:
        `LabelThresholds`.

    Raises:
        errors.DataError: as `grid_search`.
    """
    positives = _positives(truth)
    searched = np.flatnonzero(positives >= max(1, min_positives))
    threshold = np.full(truth.num_classes, float(start))
    state = f2_steps.State(logits, threshold, truth, unlisted_is_absent)
    for _ in range(passes):
        moved = False
        for block, scores_of_block in _blocks(logits, searched):
            for label, scores in zip(block, scores_of_block, strict=True):
                moved |= _move(state, threshold, label, scores)
        if not moved:
            break
    return _found(logits, threshold, truth, unlisted_is_absent, positives, searched)


def _move(state, threshold, label, scores):
    """Moves one label to its best cut; returns whether it moved."""
    given = scores >= threshold[label]
    lowest = scores[state.shown_rows(label)].min()
    rows = np.flatnonzero((scores >= lowest) | given)
    rows, steps = state.steps(label, rows, given)
    order = np.argsort(-scores[rows], kind="stable")
    values, sums = scores[rows[order]], np.cumsum(steps[order])
    last_of_value = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    # the first cut gives the label to no image
    cuts = np.concatenate([[np.inf], values[last_of_value]])
    gains = np.concatenate([[0.0], sums[last_of_value]])
    least = EQUAL * len(scores)
    present_gain = gains[np.count_nonzero(cuts >= threshold[label]) - 1]
    if gains.max() <= present_gain + least:
        return False
    best = gains >= gains.max() - least
    starts = np.flatnonzero(best & ~np.append(False, best[:-1]))
    ends = np.flatnonzero(best & ~np.append(best[1:], False))
    below = np.max(scores, where=scores < cuts[-1], initial=-np.inf)
    upper, lower = cuts[starts], np.append(cuts, below)[ends + 1]
    widths = np.where(np.isinf(upper) | np.isinf(lower), 0.0, upper - lower)
    widest = np.argmax(widths)
    upper, lower = upper[widest], lower[widest]
    if np.isinf(upper):
        threshold[label] = np.nextafter(lower, np.inf)
    else:
        middle = (lower + upper) / 2
        threshold[label] = middle if lower < middle < upper else upper
    state.give(label, rows, given, scores >= threshold[label])
    return True


def _place(logits, grid, threshold, searched):
    """How many thresholds of the grid each score reaches, and what is given now."""
    kind = np.uint8 if len(grid) < 256 else np.uint16
    reached = np.empty((len(searched), len(logits)), kind)
    given = np.empty((len(searched), len(logits)), bool)
    first = 0
    for block, scores in _blocks(logits, searched):
        place = slice(first, first + len(block))
        reached[place] = np.searchsorted(grid, scores, side="right")
        given[place] = scores >= threshold[block, None]
        first += len(block)
    return reached, given


def _blocks(logits, searched):
    """Yields (labels [k], their scores float64 [k, N]), few at a time."""
    step = max(1, _BLOCK_CELLS // max(1, len(logits)))
    for first in range(0, len(searched), step):
        block = searched[first : first + step]
        yield block, np.ascontiguousarray(logits[:, block].T, np.float64)


def _positives(truth):
    positives = truth.counts()
    if not positives.any():
        raise errors.DataError(
            "a threshold cannot be fitted: no image shows any label",
            expected="a labelled tuning set",
        )
    return positives


def _found(logits, threshold, truth, unlisted_is_absent, positives, searched):
    return LabelThresholds(
        threshold,
        f2.mean_f2(logits, threshold, truth, unlisted_is_absent),
        positives,
        len(searched),
    )
