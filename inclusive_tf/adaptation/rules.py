"""Rules that turn logits into label sets: how each is fitted, judged and applied.

A decision is a float (one threshold), float64 [C] (one a label) or `EXPECTED_F2`. Each
becomes logits and a threshold that anyone can compare: a per-image cut is taken off the
logits of its image, and the threshold is then 0.
"""

import numpy as np

from data_pipelines import errors
from inclusive_tf.adaptation import (
    expected_f2,
    label_thresholds,
    shrinkage,
    thresholds,
)
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.evaluation import f2

PLAIN_THRESHOLD = 0.0
"""The logit of probability 0.5: what is used when no threshold is fitted."""

EXPECTED_F2 = "expected_f2"
"""The decision that each image gets the set of the best expected F2."""

NAMES = {
    "none": "",
    "global": "threshold",
    "per_class": "thresholds per label",
    "per_class_third_place": "thresholds of the 3rd place",
    "per_class_third_place_safe": "safe thresholds of the 3rd place",
    "shrunk": "shrunk thresholds",
    "expected_f2": "expected F2",
}
"""Every rule, and how tables name it."""

FITTED = (
    "global",
    "per_class",
    "per_class_third_place",
    "per_class_third_place_safe",
    "shrunk",
)
"""Rules that look at labels."""

_GRIDS = {
    "per_class_third_place": label_thresholds.GridSearch(),
    "per_class_third_place_safe": label_thresholds.GridSearch(
        lowest=0.1, highest=0.9, min_positives=3, default=0.9
    ),
}


def require(rule):
    """Raises `errors.SettingError` unless there is such a rule."""
    if rule not in NAMES:
        raise errors.SettingError(
            f"there is no rule {rule!r}; expected one of {', '.join(NAMES)}"
        )


def fit(rule, logits, truth, fold_of, unlisted_is_absent=True):
    """Fits a rule.

    Args:
        rule: one of `NAMES`.
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        fold_of: int [N]; used by "shrunk", which needs at least 2 different ones. None
            for the others.
        unlisted_is_absent: whether a label that is not stated is absent.

    Returns:
        (decision, facts of the fit as a dict that JSON can hold).

    Raises:
        errors.DataError: no image shows a label, or all that do lie in one fold.
        errors.SettingError: there is no such rule.
    """
    require(rule)
    if rule == "none":
        return PLAIN_THRESHOLD, {}
    if rule == "expected_f2":
        return EXPECTED_F2, {}
    if rule == "global":
        found = thresholds.global_threshold(logits, truth, unlisted_is_absent)
        return found.threshold_logit, {}
    if rule == "shrunk":
        found = shrinkage.fit(logits, truth, fold_of, unlisted_is_absent)
        weight, cut_weight = (
            one if np.isfinite(one) else None
            for one in (found.weight, found.cut_weight)
        )
        return found.threshold_logit, {
            "global_logit": found.global_logit,
            "weight": weight,
            "weights": found.table,
            "cut_weight": cut_weight,
            "cut_weights": found.cut_table,
        }
    if rule == "per_class":
        start = thresholds.global_threshold(logits, truth, unlisted_is_absent)
        start = start.threshold_logit
        found = label_thresholds.exact(logits, truth, start, unlisted_is_absent)
        facts = {"global_logit": start}
    else:
        found = label_thresholds.grid_search(
            logits, truth, unlisted_is_absent, _GRIDS[rule]
        )
        facts = {}
    facts |= {"searched_labels": found.searched, "in_sample_mean_f2": found.mean_f2}
    return found.threshold_logit, facts


def cross_fitted_f2(rule, logits, truth, fold_of, unlisted_is_absent=True):
    """F2 of each image when each fold is decided by a rule fitted on the others.

    "shrunk" chooses its weights inside the other folds, so that the choice is judged
    too; it needs at least 3 folds.

    Args:
        rule: one of `NAMES`.
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        fold_of: int [N].
        unlisted_is_absent: as in `fit`.

    Returns:
        float64 [N]: free of the optimism of scoring a rule where it was fitted.

    Raises:
        errors.DataError: as `fit`.
        errors.SettingError: there are too few folds for "shrunk".
    """
    if rule not in FITTED:
        decision, _ = fit(rule, logits, truth, None, unlisted_is_absent)
        return f2.per_image(*apply(decision, logits), truth, unlisted_is_absent)
    numbers = np.unique(fold_of)
    if rule == "shrunk" and len(numbers) < 3:
        raise errors.SettingError(
            f"shrunk thresholds need at least 3 folds; received {len(numbers)}"
        )
    folds_module.require_labels(fold_of, truth)
    per_image = np.empty(len(truth))
    for fold in numbers:
        inside = fold_of == fold
        decision, _ = fit(
            rule,
            logits[~inside],
            truth.take(~inside),
            fold_of[~inside],
            unlisted_is_absent,
        )
        per_image[inside] = f2.per_image(
            logits[inside], decision, truth.take(inside), unlisted_is_absent
        )
    return per_image


def cross_fitted_mean_f2(rule, logits, truth, fold_of, unlisted_is_absent=True):
    """Returns the mean, a float, of `cross_fitted_f2`.

    Raises:
        errors.DataError: as there, or there is no image.
        errors.SettingError: as there.
    """
    if not len(truth):
        raise errors.DataError("there is no image to score")
    found = cross_fitted_f2(rule, logits, truth, fold_of, unlisted_is_absent)
    return float(found.mean())


def apply(decision, logits, in_place=False):
    """Turns a decision into logits and a threshold to compare them with.

    Args:
        decision: float, float64 [C] or `EXPECTED_F2`.
        logits: float [N, C].
        in_place: whether the logits may be written over.

    Returns:
        (float [N, C], float or float64 [C]); a label is given from the threshold on.

    Raises:
        errors.DataError: a logit is NaN.
    """
    if not is_expected_f2(decision):
        return logits, decision
    found = expected_f2.cuts(logits)
    # a difference of floats has the sign that comparing them has
    out = logits if in_place else None
    margins = np.subtract(logits, found.threshold_logit[:, None], out=out)
    return margins, PLAIN_THRESHOLD


def is_expected_f2(decision):
    """Returns whether a decision is `EXPECTED_F2`."""
    return isinstance(decision, str) and decision == EXPECTED_F2
