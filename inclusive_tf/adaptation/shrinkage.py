"""A threshold for each label, shrunk towards the global one by the label's count.

A threshold fitted to three images says little, one fitted to three hundred much. With
n_c images that show label c, its own threshold t_c = t - b_c (`label_offsets`) and the
common t, all as logits,

    threshold_c = (n_c t_c + k t) / (n_c + k) = t - n_c / (n_c + k) b_c:

the posterior mean of a normal prior around t whose weight is that of k images. For each
k, t is the best one threshold on logits moved by n_c / (n_c + k) b_c, each image by
offsets of the other folds, since a label is sure to be shown by the image that it was
counted in. k is chosen by cross-validation; k = infinity is the global threshold and
k = 0 no shrinkage.
"""

import dataclasses

import numpy as np

from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import label_offsets, thresholds
from inclusive_tf.evaluation import f2

WEIGHTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)
"""The grid of k: a label that one image shows goes half of its way at most."""


@dataclasses.dataclass(frozen=True)
class ShrunkThresholds:
    """Shrunk thresholds and how their weight was chosen.

    Args:
        threshold_logit: float64 [C].
        global_logit: t, what they are shrunk towards.
        weight: k.
        table: a list, one a weight, of {"weight", "mean_f2"}, with offsets out of fold;
            the weight of the global threshold is None, since JSON has no infinity.
    """

    threshold_logit: np.ndarray
    global_logit: float
    weight: float
    table: list


def fit(logits, truth, fold_of, unlisted_is_absent=True, weights=WEIGHTS):
    """Chooses k by the mean F2 out of fold and fits on all images.

    Of the weights whose mean F2 is within one standard error of the best, the error
    that of the paired difference, the largest wins, since it moves least (the rule of
    Breiman, Friedman, Olshen and Stone 1984, section 3.4.3).

    Args:
        logits: float [N, C]; a copy is made.
        truth: `labels.SparseLabels` of N rows.
        fold_of: int [N]; of `folds.assign`.
        unlisted_is_absent: whether a label that is not stated is absent.
        weights: numbers of at least 0 to choose k from.

    Returns:
        `ShrunkThresholds`.

    Raises:
        errors.DataError: as `thresholds.global_threshold`, or all labels lie in one
            fold.
    """
    folds_module.require_labels(fold_of, truth)
    weights = sorted(map(float, weights))
    parts = []
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        found = label_offsets.fit(
            logits[~inside], truth.take(~inside), unlisted_is_absent
        )
        parts.append((np.flatnonzero(inside), found))
    common, per_image = [], np.empty((len(weights), len(truth)))
    moved = np.empty_like(logits)
    for position, weight in enumerate(weights):
        for rows, found in parts:
            moved[rows] = logits[rows] + shrink(found, weight).astype(logits.dtype)
        best = thresholds.global_threshold(moved, truth, unlisted_is_absent)
        common.append(best.threshold_logit)
        per_image[position] = f2.per_image(
            moved, best.threshold_logit, truth, unlisted_is_absent
        )
    chosen = _choose(per_image)
    offsets = label_offsets.fit(logits, truth, unlisted_is_absent)
    table = [
        {"weight": weight if np.isfinite(weight) else None, "mean_f2": float(score)}
        for weight, score in zip(weights, per_image.mean(axis=1), strict=True)
    ]
    return ShrunkThresholds(
        common[chosen] - shrink(offsets, weights[chosen]),
        common[chosen],
        weights[chosen],
        table,
    )


def shrink(offsets, weight):
    """Weighs each label's offset by its count.

    Args:
        offsets: `label_offsets.LabelOffsets`.
        weight: k, at least 0; infinity gives 0 everywhere.

    Returns:
        float64 [C].
    """
    count = offsets.positives.astype(np.float64)
    if np.isinf(weight):
        return np.zeros(len(count))
    share = np.divide(count, count + weight, out=np.zeros_like(count), where=count > 0)
    return share * offsets.offset


def _choose(per_image):
    """The last of the rows, as good as the best but for one standard error."""
    best = np.argmax(per_image.mean(axis=1))
    behind = per_image[best] - per_image
    error = behind.std(axis=1, ddof=1) / np.sqrt(per_image.shape[1])
    return int(np.flatnonzero(behind.mean(axis=1) <= error)[-1])
