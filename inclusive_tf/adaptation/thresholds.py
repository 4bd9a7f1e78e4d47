"""The one threshold for all labels that maximises the mean F2 of a tuning set."""

import dataclasses

import numpy as np

from data_pipelines import errors, labels
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.evaluation import f2

_EQUAL = 1e-12
"""Mean F2 that differ by less are taken as equal: sums of fractions in float64."""


@dataclasses.dataclass(frozen=True)
class ThresholdFit:
    """The best threshold.

    Args:
        threshold_logit: a label is given from this logit on.
        mean_f2: what it reaches on the data it was fitted on.
        lower: thresholds above this one, up to `upper`, are as good; -inf when giving
            every label is best.
        upper: the highest threshold that is as good.
    """

    threshold_logit: float
    mean_f2: float
    lower: float
    upper: float


def global_threshold(logits, truth, unlisted_is_absent=True):
    """Finds the exact maximum of mean F2 over all thresholds.

    As the threshold falls, each image is given its labels in the order of their logits,
    and the k-th changes its F2 = 5 TP / (4 |Y| + k) by a known step. Sorting all steps
    by their logit and summing them up gives the mean F2 of every threshold there is.
    Logits too low to matter are left out beforehand (`_floor`), so that thousands of
    labels cost little more than the few of them that can be given.

    Neighbouring cut points that are equally good form an interval; the widest interval
    wins, the higher one on ties, and the threshold is its middle, so that it lies as
    far as can be from logits that would change the score. When giving every label is
    best, it is the highest threshold that does so.

    Args:
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent; otherwise only
            stated labels are looked at.

    Returns:
        `ThresholdFit`; the threshold is a value of the logits' dtype.

    Raises:
        errors.DataError: shapes disagree, a logit is NaN, or no image shows a label.
    """
    if not truth.counts().any():
        raise errors.DataError(
            "a threshold cannot be fitted: no image shows any label",
            expected="a labelled tuning set",
        )
    f2.counts(logits, np.inf, truth, unlisted_is_absent)  # checks shapes and NaN
    logits = np.asarray(logits)
    floor = _floor(logits, truth) if unlisted_is_absent else -np.inf
    values, steps = _steps(logits, truth, unlisted_is_absent, floor)
    next_below = np.max(logits, where=logits < floor, initial=-np.inf)
    order = np.argsort(-values, kind="stable")
    values, steps = values[order], steps[order]
    last_of_value = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    scores = np.cumsum(steps)[last_of_value] / len(truth)
    cuts = values[last_of_value]

    best = scores >= scores.max() - _EQUAL
    starts = np.flatnonzero(best & ~np.append(False, best[:-1]))
    ends = np.flatnonzero(best & ~np.append(best[1:], False))
    upper = cuts[starts]
    lower = np.append(cuts, next_below)[ends + 1]
    # an interval without a lower end is not preferred for its endless width
    widths = np.where(np.isinf(lower), 0.0, upper.astype(np.float64) - lower)
    widest = np.argmax(widths)
    threshold = _between(lower[widest], upper[widest])
    return ThresholdFit(
        float(threshold),
        f2.mean_f2(logits, threshold, truth, unlisted_is_absent),
        float(lower[widest]),
        float(upper[widest]),
    )


def cross_fitted_mean_f2(logits, truth, folds, unlisted_is_absent=True):
    """Mean F2 when each fold is decided by the threshold of the other folds.

    Args:
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        folds: int [N].
        unlisted_is_absent: as in `global_threshold`.

    Returns:
        A float: free of the optimism of scoring a threshold where it was fitted.

    Raises:
        errors.DataError: as `global_threshold`, or all labels lie in one fold.
    """
    folds_module.require_labels(folds, truth)
    per_image = np.empty(len(truth))
    for fold in np.unique(folds):
        inside = folds == fold
        fit = global_threshold(logits[~inside], truth.take(~inside), unlisted_is_absent)
        per_image[inside] = f2.per_image(
            logits[inside],
            fit.threshold_logit,
            truth.take(inside),
            unlisted_is_absent,
        )
    return float(per_image.mean())


def _floor(logits, truth):
    """A logit at or below which no threshold can be the best.

    An image with |Y| true and k given labels scores at most 5 |Y| / (4 |Y| + k), and 1
    while k <= |Y|. The mean of that falls with the threshold; where it is below the
    score of some other threshold, so is every lower threshold's.
    """
    shown = truth.present()
    present = np.diff(shown.offsets)
    of_true = logits[shown.rows(), shown.index]
    tried = np.quantile(of_true, np.linspace(0, 1, 7), method="lower")
    scores = [f2.mean_f2(logits, float(one), truth) for one in tried]
    best = max(scores) - 2 * _EQUAL

    def within_reach(threshold):
        given = f2.counts(logits, threshold, truth).given
        most = f2.f_beta(present, np.maximum(given, present), present)
        return most.mean() >= best

    low, high = float(logits.min()), float(tried[int(np.argmax(scores))])
    if not np.isfinite([low, high]).all() or within_reach(low):
        return -np.inf
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if within_reach(middle) else (middle, high)
    return low


def _steps(logits, truth, unlisted_is_absent, floor):
    """Returns (logit, change of its image's F2) of every label from `floor` on."""
    shown = truth.confidence >= labels.PRESENT
    if unlisted_is_absent:
        rows, index = np.nonzero(logits >= floor)
        values = logits[rows, index]
        hit = truth.multi_hot()[rows, index]
    else:
        rows = truth.rows()
        values = logits[rows, truth.index]
        hit = shown
    order = np.lexsort((-values, rows))
    values, rows, hit = values[order], rows[order], hit[order]
    lengths = np.bincount(rows, minlength=len(truth))
    firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    given = np.arange(len(rows)) - firsts + 1
    hits_before = np.append(0, np.cumsum(hit))
    hits = hits_before[1:] - hits_before[firsts]
    present = np.bincount(truth.rows()[shown], minlength=len(truth))[rows]
    after = f2.f_beta(hits, given, present)
    before = f2.f_beta(hits - hit, given - 1, present)
    return values, after - before


def _between(lower, upper):
    """The middle in the logits' own precision, so that the comparison stays exact."""
    if np.isinf(lower):
        return upper
    middle = upper.dtype.type((np.float64(lower) + np.float64(upper)) / 2)
    return middle if lower < middle <= upper else upper
