"""Probabilities of labels for images whose own labels had no say in them.

A network that was trained on a wrong label tends to repeat it, so its logits on its
own training images hide what an audit looks for. Ways around that, by what they cost:

* `held_out`: the network was not trained on these images (a held-out split, or
  cross-validated networks, each predicting the fold that it did not see). Logits count
  as they are.
* `refit`: the network has seen the labels; a last layer is refitted on its features by
  cross-validation, whole clusters in one fold. It starts from nothing, since the
  original layer has seen the labels too. What remains in-sample are the features, which
  remember little as long as the network does not fit its training data to the letter.
* `neighbours`: shares of the labels among the nearest other images by those features,
  of other clusters.
* `agreement`: the mean of the logits of `refit` and `neighbours`.
"""

import dataclasses

import numpy as np
from scipy import special

from data_pipelines import errors, labels, neighbours
from inclusive_tf.adaptation import last_layer

WAYS = ("held_out", "refit", "neighbours", "agreement")

PENALTIES = (3.0, 30.0, 300.0)
"""A coarse grid: suspects hardly depend on the penalty (docs/audit.md)."""

_CHUNK_CELLS = 1 << 22
"""Labels of neighbours that are held at once, about."""


@dataclasses.dataclass(frozen=True)
class WayConfig:
    """How probabilities are made.

    Args:
        way: one of `WAYS`.
        folds: of the cross-validation.
        neighbours: nearest images that are looked at.
        seed: of the folds.

    Raises:
        errors.SettingError: a value that cannot be used.
    """

    way: str = "agreement"
    folds: int = 5
    neighbours: int = 20
    seed: int = 0

    def __post_init__(self):
        errors.require_choices(self, {"way": WAYS})
        if self.folds < 2 or self.neighbours < 1:
            raise errors.SettingError(
                "An audit cannot be made so. Expected: at least 2 folds and 1 "
                f"neighbour. Received: {self.folds} and {self.neighbours}."
            )


def logits(predictions, config):
    """Computes out-of-sample logits.

    Args:
        predictions: `predictions.Predictions` of N images with truth.
        config: `WayConfig`.

    Returns:
        float64 [N, C].

    Raises:
        errors.DataError: no image shows a label, or features are needed and there are
            none, or they cannot be used.
    """
    if not predictions.truth.counts().any():
        raise errors.DataError(
            "no image shows any label, so there is none to doubt",
            expected="predictions with truth",
        )
    if config.way == "held_out":
        return np.asarray(predictions.logits, np.float64)
    features = _features(predictions)
    found = []
    if config.way in ("refit", "agreement"):
        found.append(_refit(predictions, features, config))
    if config.way in ("neighbours", "agreement"):
        found.append(_neighbours(predictions, features, config))
    return np.mean(found, axis=0)


def _features(predictions):
    features = np.asarray(predictions.features, np.float64)
    if not features.shape[1]:
        raise errors.DataError(
            "the predictions have no features to refit a layer on",
            expected="predictions of one network with a last layer, or --way=held_out",
            received="features of width 0",
        )
    if not np.isfinite(features).all():
        raise errors.DataError("a feature is not finite", expected="finite numbers")
    return features


def _prior(targets):
    """Log-odds of each label among the images of which it is known."""
    known = targets != labels.UNKNOWN
    shown = np.sum(np.where(known, targets, 0.0), axis=0)
    return special.logit((shown + 0.5) / (known.sum(axis=0) + 1.0))


def _refit(predictions, features, config):
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    return last_layer.refit(
        features,
        predictions.truth,
        np.zeros((features.shape[1], targets.shape[1])),
        _prior(targets),
        predictions.unlisted_is_absent,
        penalties=PENALTIES,
        folds=config.folds,
        seed=config.seed,
        clusters=predictions.cluster,
    ).out_of_fold.astype(np.float64)


def _neighbours(predictions, features, config):
    """Log-odds of the share of near images that show each label, prior added."""
    targets = predictions.truth.targets(predictions.unlisted_is_absent)
    deviation = features.std(axis=0)
    deviation[deviation <= 1e-12 * (1 + np.abs(features.mean(axis=0)))] = 1.0
    standard = ((features - features.mean(axis=0)) / deviation).astype(np.float32)
    near = _others(standard, predictions.cluster, config.neighbours)
    prior = special.expit(_prior(targets))
    found = np.empty(targets.shape)
    step = max(1, _CHUNK_CELLS // (near.shape[1] * targets.shape[1]))
    for first in range(0, len(near), step):
        rows = near[first : first + step]
        around = np.where(rows[..., None] >= 0, targets[rows], labels.UNKNOWN)
        known = around != labels.UNKNOWN
        shown = np.sum(np.where(known, around, 0.0), axis=1)
        share = (shown + prior) / (known.sum(axis=1) + 1.0)
        found[first : first + step] = special.logit(share)
    return found


def _others(features, cluster, k):
    """Nearest images of other clusters, int64 [N, k]; -1 where there are too few."""
    size = len(features)
    most = 1
    if cluster is not None:
        most = int(np.unique(cluster, return_counts=True)[1].max())
    near, _ = neighbours.nearest(
        features, features, min(k + most - 1, max(1, size - 1)), exclude_self=True
    )
    if cluster is not None:
        same = cluster[near] == cluster[:, None]
        near = np.where(same, -1, near)
        # those that stay, in their order
        order = np.argsort(near < 0, axis=1, kind="stable")
        near = np.take_along_axis(near, order, axis=1)
    return near[:, :k]
