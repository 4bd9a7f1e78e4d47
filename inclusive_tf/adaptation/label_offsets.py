"""How far each label's logits are from its share of a tuning set.

All labels have one line, that which makes their logits probabilities:

    P(y_ic = 1) = sigmoid(s z_ic + o),

with standard normal priors on log s and o, which a handful of labels outweighs, but
which keep both finite where the logits separate present from absent without an error.
Label c, shown by n_c images, then gets the offset b_c that brings its expected count
there: sum_i sigmoid(s (z_ic + b_c) + o) is n_c, as a share with half an image on each
side (`priors.counted`). Where the slope is right, this is the label's intercept of the
greatest likelihood. It rests on all scores of the label, where a cut that is searched
for rests on the n_c that lie highest.
"""

import dataclasses

import numpy as np
import scipy.optimize
import scipy.special

from data_pipelines import labels
from inclusive_tf.adaptation import histograms, priors


@dataclasses.dataclass(frozen=True)
class LabelOffsets:
    """What to add to each label's logits.

    Args:
        offset: float64 [C]; 0 where no image shows the label.
        positives: int64 [C]; images that show each label.
    """

    offset: np.ndarray
    positives: np.ndarray


def fit(logits, truth, unlisted_is_absent=True):
    """Finds each label's offset.

    Args:
        logits: float [N, C], without NaN.
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent; otherwise only
            stated labels count.

    Returns:
        `LabelOffsets`.

    Raises:
        errors.DataError: no image shows a label.
    """
    slope, intercept = line(logits, truth, unlisted_is_absent)
    positives = truth.counts()
    shown = np.flatnonzero(positives)
    # labels without an image stay, and most labels have none
    found = priors.counted(
        logits[:, shown],
        _only(truth, shown),
        unlisted_is_absent,
        slope,
        intercept,
    )
    offset = np.zeros(len(positives))
    offset[shown] = found.shift / slope
    return LabelOffsets(offset, positives)


def line(logits, truth, unlisted_is_absent=True):
    """Finds the one line for all labels, on logits counted into narrow bins.

    It is `temperature`'s but for the priors, the bins and confidences, which count as 0
    or 1 here; one pass over the logits takes the place of many.

    Args:
        logits: float [N, C], without NaN.
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: as in `fit`.

    Returns:
        (s, o): floats, s positive.
    """
    shown = truth.confidence >= labels.PRESENT
    stated = logits[truth.rows(), truth.index]
    known = logits.reshape(-1, 1) if unlisted_is_absent else stated[:, None]
    finite = np.abs(known[np.isfinite(known)])
    scale = min(1.0, histograms.LIMIT / max(finite.max(initial=0.0), 1.0))
    known = histograms.count(known, scale)[0].astype(np.float64)
    present = histograms.count(stated[shown][:, None], scale)[0]
    centres = histograms.centres() / scale

    def objective(parameters):
        log_slope, intercept = parameters
        slope = np.exp(log_slope)
        moved = slope * centres + intercept
        loss = known @ np.logaddexp(0.0, moved) - present @ moved
        excess = known * scipy.special.expit(moved) - present
        gradient = np.array([slope * (excess @ centres), excess.sum()])
        total = max(1, present.sum())
        return (
            (loss + (parameters @ parameters) / 2) / total,
            (gradient + parameters) / total,
        )

    found = scipy.optimize.minimize(
        objective, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-10.0, 10.0)] * 2
    )
    return float(np.exp(found.x[0])), float(found.x[1])


def _only(truth, kept):
    """Returns `labels.SparseLabels` of the labels `kept` alone, in their order."""
    place = np.full(truth.num_classes, -1, np.int32)
    place[kept] = np.arange(len(kept))
    stays = place[truth.index] >= 0
    before = np.concatenate([[0], np.cumsum(stays)])
    return labels.SparseLabels(
        before[truth.offsets],
        place[truth.index[stays]],
        truth.confidence[stays],
        len(kept),
    )
