"""A threshold for each label, shrunk towards the global one by the label's count.

A threshold fitted to three images says little, one fitted to three hundred much. With
n_c images that show label c, its own best threshold t_c (`label_thresholds.exact`) and
the best global one t, all as logits,

    threshold_c = (n_c t_c + k t) / (n_c + k):

the posterior mean of a normal prior around t whose weight is that of k images. k is
chosen by cross-validation; k = infinity is the global threshold and k = 0 no shrinkage.
"""

import dataclasses

import numpy as np

from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import label_thresholds, thresholds
from inclusive_tf.evaluation import f2

WEIGHTS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, np.inf)
"""The grid of k."""


@dataclasses.dataclass(frozen=True)
class ShrunkThresholds:
    """Shrunk thresholds and how their weight was chosen.

    Args:
        threshold_logit: float64 [C].
        global_logit: what they are shrunk towards.
        weight: k.
        table: a list, one a weight, of {"weight", "mean_f2"}, out of fold; the weight
            of the global threshold is None, since JSON has no infinity.
    """

    threshold_logit: np.ndarray
    global_logit: float
    weight: float
    table: list


def fit(logits, truth, fold_of, unlisted_is_absent=True, weights=WEIGHTS):
    """Chooses k by the mean F2 out of fold and fits on all images.

    The larger weight wins on ties, since it moves less.

    Args:
        logits: float [N, C].
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
    weights = sorted(map(float, weights), reverse=True)
    per_image = np.empty((len(weights), len(truth)))
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        anchor, own = _anchor_and_own(
            logits[~inside], truth.take(~inside), unlisted_is_absent
        )
        held_out, its_truth = logits[inside], truth.take(inside)
        for position, weight in enumerate(weights):
            per_image[position, inside] = f2.per_image(
                held_out, shrink(own, anchor, weight), its_truth, unlisted_is_absent
            )
    scores = per_image.mean(axis=1)
    best = int(np.argmax(scores >= scores.max() - label_thresholds.EQUAL))
    anchor, own = _anchor_and_own(logits, truth, unlisted_is_absent)
    table = [
        {"weight": weight if np.isfinite(weight) else None, "mean_f2": float(score)}
        for weight, score in zip(weights, scores, strict=True)
    ]
    return ShrunkThresholds(
        shrink(own, anchor, weights[best]), anchor, weights[best], table[::-1]
    )


def shrink(own, anchor, weight):
    """Weighs each label's own threshold by its count against a common one.

    Args:
        own: `label_thresholds.LabelThresholds`.
        anchor: the common logit.
        weight: k, at least 0; infinity gives the anchor.

    Returns:
        float64 [C].
    """
    count = own.positives.astype(np.float64)
    if np.isinf(weight):
        return np.full(len(count), float(anchor))
    share = np.divide(count, count + weight, out=np.zeros_like(count), where=count > 0)
    return anchor + share * (own.threshold_logit - anchor)


def _anchor_and_own(logits, truth, unlisted_is_absent):
    anchor = thresholds.global_threshold(logits, truth, unlisted_is_absent)
    anchor = anchor.threshold_logit
    own = label_thresholds.exact(logits, truth, anchor, unlisted_is_absent)
    return anchor, own
