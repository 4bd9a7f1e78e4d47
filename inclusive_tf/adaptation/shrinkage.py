"""A threshold for each label, shrunk towards the global one by the label's count.

A threshold fitted to three images says little, one fitted to three hundred much. With
n_c images that show label c, two thresholds of its own, as logits, are taken as far as
the count warrants. The first is where counting puts it, its offset b_c
(`label_offsets`) from the common t:

    counted_c = (n_c (t - b_c) + k t) / (n_c + k) = t - n_c / (n_c + k) b_c.

It takes one number from all scores of a label, so k may be small. The second is the cut
t_c with the best mean F2 (`label_thresholds.exact`), searched from the first. It knows
what the first does not, such as a label whose scores spread more than others', but it
rests on the few scores near it, so its weight is another:

    threshold_c = (n_c t_c + m counted_c) / (n_c + m).

Both are posterior means of a normal prior that weighs as much as k, or m, images. Where
both are infinite, all labels have the global threshold.
"""

import dataclasses

import numpy as np

from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import label_offsets, label_thresholds, thresholds
from inclusive_tf.evaluation import f2

WEIGHTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)
"""The grid of k and m: a label that one image shows goes half of its way at most."""


@dataclasses.dataclass(frozen=True)
class ShrunkThresholds:
    """Shrunk thresholds and how their weights were chosen.

    In tables a weight that is infinite is None, since JSON has no infinity.

    Args:
        threshold_logit: float64 [C].
        global_logit: t, what they are shrunk towards.
        weight: k.
        table: a list, one a k, of {"weight", "mean_f2"} without cuts, with offsets out
            of fold.
        cut_weight: m.
        cut_table: the same, one an m, at the chosen k, with offsets and cuts out of
            fold.
    """

    threshold_logit: np.ndarray
    global_logit: float
    weight: float
    table: list
    cut_weight: float
    cut_table: list


def fit(logits, truth, fold_of, unlisted_is_absent=True, weights=WEIGHTS):
    """Chooses k, then m, by the mean F2 out of fold, and fits on all images.

    For each k, t is the best one threshold on logits moved by offsets of the other
    folds, since a label is sure to be shown by the image that it was counted in. Of
    the weights whose mean F2 is within one standard error of the best, the error that
    of the best one's mean, the largest wins, since it moves least (the 1 SE rule of
    Breiman, Friedman, Olshen and Stone 1984, section 3.4.3).

    Args:
        logits: float [N, C]; up to three copies of them are made.
        truth: `labels.SparseLabels` of N rows.
        fold_of: int [N]; of `folds.assign`.
        unlisted_is_absent: whether a label that is not stated is absent.
        weights: numbers of at least 0 to choose k and m from.

    Returns:
        `ShrunkThresholds`.

    Raises:
        errors.DataError: as `thresholds.global_threshold`, or all labels lie in one
            fold.
    """
    folds_module.require_labels(fold_of, truth)
    weights = sorted(map(float, weights))
    insides = [fold_of == fold for fold in np.unique(fold_of)]
    rest_offsets = [
        label_offsets.fit(logits[~inside], truth.take(~inside), unlisted_is_absent)
        for inside in insides
    ]
    common, per_image = [], []
    moved = np.empty_like(logits)
    for weight in weights:
        for inside, offsets in zip(insides, rest_offsets, strict=True):
            moved[inside] = _move(logits[inside], offsets, weight)
        best = thresholds.global_threshold(moved, truth, unlisted_is_absent)
        common.append(best.threshold_logit)
        per_image.append(f2.per_image(moved, common[-1], truth, unlisted_is_absent))
    chosen, table = _choose(weights, per_image)
    anchor, weight = common[chosen], weights[chosen]

    per_image = np.empty((len(weights), len(truth)))
    for inside, offsets in zip(insides, rest_offsets, strict=True):
        rest = _move(logits[~inside], offsets, weight)
        cuts = label_thresholds.exact(
            rest, truth.take(~inside), anchor, unlisted_is_absent
        )
        held_out, its_truth = _move(logits[inside], offsets, weight), truth.take(inside)
        for position, cut_weight in enumerate(weights):
            threshold = anchor + _shrunk_cuts(cuts, anchor, cut_weight)
            per_image[position, inside] = f2.per_image(
                held_out, threshold, its_truth, unlisted_is_absent
            )
    chosen, cut_table = _choose(weights, per_image)
    offsets = label_offsets.fit(logits, truth, unlisted_is_absent)
    moved = _move(logits, offsets, weight)
    cuts = label_thresholds.exact(moved, truth, anchor, unlisted_is_absent)
    away = _shrunk_cuts(cuts, anchor, weights[chosen])
    away -= shrink(offsets.offset, offsets.positives, weight)
    return ShrunkThresholds(
        anchor + away, anchor, weight, table, weights[chosen], cut_table
    )


def shrink(difference, positives, weight):
    """Weighs how far each label is from the common threshold by its count.

    Args:
        difference: float [C].
        positives: int [C]; images that show each label.
        weight: k or m, at least 0; infinity gives 0 everywhere.

    Returns:
        float64 [C].
    """
    count = np.asarray(positives, np.float64)
    if np.isinf(weight):
        return np.zeros(len(count))
    share = np.divide(count, count + weight, out=np.zeros_like(count), where=count > 0)
    return share * difference


def _move(logits, offsets, weight):
    shift = shrink(offsets.offset, offsets.positives, weight)
    return logits + shift.astype(logits.dtype)


def _shrunk_cuts(cuts, anchor, weight):
    return shrink(cuts.threshold_logit - anchor, cuts.positives, weight)


def _choose(weights, per_image):
    """Returns (place of the last within one error of the best, table)."""
    scores = np.mean(per_image, axis=1)
    best = np.argmax(scores)
    error = np.std(per_image[best], ddof=1) / np.sqrt(len(per_image[best]))
    table = [
        {"weight": weight if np.isfinite(weight) else None, "mean_f2": float(score)}
        for weight, score in zip(weights, scores, strict=True)
    ]
    return int(np.flatnonzero(scores >= scores[best] - error)[-1]), table
