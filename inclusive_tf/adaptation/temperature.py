"""Logits scaled so that their sigmoid is a probability.

    z' = z / T + b, with T and b of the least log loss on labelled images

(Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599, scale by T alone; the offset is
Platt's). In 1 / T and b the loss is convex. One T and b serve all labels, so the
ranking of an image's labels stays.
"""

import dataclasses

import numpy as np
import scipy.optimize
import scipy.special

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf.adaptation import convergence

_CHUNK_CELLS = 1 << 20
_BINS = 15
_ACCEPTED_GRADIENT = 1e-6
"""Of the mean loss in nats, in the slope by the largest logit."""


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The fitted line and what it changed, on the images it was fitted on.

    Args:
        slope: 1 / T.
        offset: b.
        log_loss: (before, after), mean over known labels of all images, in nats.
        calibration_error: (before, after), the expected calibration error.
    """

    slope: float
    offset: float
    log_loss: tuple
    calibration_error: tuple

    @property
    def temperature(self):
        """T."""
        return 1.0 / self.slope


def fit(logits, truth, unlisted_is_absent=True, offset=True):
    """Finds T and b.

    Args:
        logits: float [N, C]; may be memory-mapped.
        truth: `labels.SparseLabels` of N rows; confidences are soft targets.
        unlisted_is_absent: whether a label that is not stated is absent; otherwise only
            stated labels count.
        offset: whether b is fitted; otherwise it is 0.

    Returns:
        `Calibration`.

    Raises:
        errors.DataError: shapes disagree, or labels are known to be all present or all
            absent, or they fall as the logits rise: no positive temperature helps.
        RuntimeError: the optimiser did not converge.
    """
    if logits.shape != (len(truth), truth.num_classes):
        raise errors.DataError(
            "logits and truth disagree",
            expected=f"logits of shape {(len(truth), truth.num_classes)}",
            received=str(logits.shape),
        )
    known = logits.size if unlisted_is_absent else len(truth.index)
    shown = float(truth.confidence.sum(dtype=np.float64))
    if not 0 < shown < known:
        raise errors.DataError(
            "a temperature cannot be fitted",
            expected="labels that are present and labels that are absent",
            received=f"{shown:g} of {known} known labels present",
        )

    def objective(parameters):
        return _loss(logits, truth, unlisted_is_absent, *parameters)

    bounds = [(1e-6, None), (None, None) if offset else (0.0, 0.0)]
    result = scipy.optimize.minimize(
        objective,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
    )
    slope, found_offset = result.x
    if slope <= 1e-6 * (1 + 1e-9):
        raise errors.DataError(
            "no temperature helps: labels are no likelier where logits are higher",
            expected="predictions of the images that the truth speaks of",
        )
    largest = max(1.0, -float(logits.min()), float(logits.max()))
    steepest = np.abs(result.jac / [largest, 1.0])[: 1 + offset].max()
    convergence.require(result, steepest, _ACCEPTED_GRADIENT, "the temperature")
    pairs = (1.0, 0.0), (float(slope), float(found_offset))
    return Calibration(
        *pairs[1],
        tuple(float(objective(pair)[0]) for pair in pairs),
        tuple(
            calibration_error(logits, truth, unlisted_is_absent, *pair)
            for pair in pairs
        ),
    )


def calibration_error(logits, truth, unlisted_is_absent=True, slope=1.0, offset=0.0):
    """Expected calibration error over all known labels of all images.

    Probabilities fall into 15 bins of equal width; the error is the mean over labels of
    |mean probability - share present| of their bin (Guo et al. 2017, equation 3, for
    two classes). Most labels of an image are absent and known to be, so it is small.

    Args:
        logits: float [N, C].
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: as in `fit`.
        slope: logits are first multiplied by it.
        offset: and moved by it.

    Returns:
        A float in [0, 1].
    """
    size, chance, present = np.zeros(_BINS), np.zeros(_BINS), np.zeros(_BINS)
    for values, targets in _known(logits, truth, unlisted_is_absent):
        chances = scipy.special.expit(values * slope + offset)
        bins = np.minimum((chances * _BINS).astype(np.int64), _BINS - 1)
        size += np.bincount(bins, minlength=_BINS)
        chance += np.bincount(bins, chances, _BINS)
        present += np.bincount(bins, targets, _BINS)
    return float(np.abs(chance - present).sum() / size.sum())


def _loss(logits, truth, unlisted_is_absent, slope, offset):
    """Mean cross-entropy over known labels and its gradient in (slope, offset)."""
    value, size, gradient = 0.0, 0, np.zeros(2)
    for values, targets in _known(logits, truth, unlisted_is_absent):
        moved = values * slope + offset
        value += np.logaddexp(0.0, moved).sum() - targets @ moved
        residual = scipy.special.expit(moved) - targets
        gradient += residual @ values, residual.sum()
        size += len(values)
    return value / size, gradient / size


def _known(logits, truth, unlisted_is_absent):
    """Yields (logits float64 [k], targets float64 [k]) of known labels, in chunks."""
    if not unlisted_is_absent:
        values = logits[truth.rows(), truth.index]
        yield values.astype(np.float64), truth.confidence.astype(np.float64)
        return
    for part in chunks.rows(logits, _CHUNK_CELLS):
        targets = truth.take(np.arange(len(truth))[part]).targets(True)
        values = np.asarray(logits[part], np.float64)
        yield values.ravel(), targets.ravel().astype(np.float64)
