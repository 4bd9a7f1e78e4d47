"""F-beta of label sets, image by image, as the Inclusive Images Challenge scored it.

For an image with true labels Y and given labels Z, with TP = |Y and Z|,

    F_beta = (1 + beta^2) TP / (beta^2 |Y| + |Z|),    so    F2 = 5 TP / (4 |Y| + |Z|),

and 0 when TP = 0: giving nothing scores 0, and so does giving nothing where nothing is
true (`sklearn.metrics.fbeta_score(average="samples", zero_division=0)` agrees). The
score of a set of images is the plain mean over them (van Rijsbergen 1979 for F-beta;
the challenge's evaluation page for the mean).

A label of which nothing is known counts neither in |Y| nor in |Z|.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, labels
from inclusive_tf import chunks

CHUNK_CELLS = 1 << 20
"""Logits looked at in one go: a few MB, which stay in the processor's cache."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """What F-beta needs of each image.

    Args:
        hits: int64 [N]; labels that are given and present.
        given: int64 [N]; labels that are given and known to be present or absent.
        present: int64 [N]; labels that are present.
    """

    hits: np.ndarray
    given: np.ndarray
    present: np.ndarray

    def f_beta(self, beta=2.0):
        """Returns float64 [N]: F-beta of each image."""
        return f_beta(self.hits, self.given, self.present, beta)


def f_beta(hits, given, present, beta=2.0):
    """Returns F-beta (float64, the shape of `hits`) of counts; 0 where `hits` is 0."""
    hits = np.asarray(hits, np.float64)
    weight = beta * beta
    size = weight * np.asarray(present) + np.asarray(given)
    return np.divide((1 + weight) * hits, size, out=np.zeros_like(hits), where=hits > 0)


def counts(logits, threshold_logit, truth, unlisted_is_absent=True):
    """Counts from logits; one pass over them, in chunks.

    Where labels that are not stated are unknown, only the stated ones are looked at.

    Args:
        logits: float [N, C].
        threshold_logit: float or [C]; a label is given from this logit on.
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent.

    Returns:
        `Counts`.

    Raises:
        errors.DataError: the shapes disagree, or a logit or the threshold is NaN.
    """
    _check_shape(logits, truth)
    threshold = _comparable(threshold_logit, logits.dtype)
    rows = truth.rows()
    stated = logits[rows, truth.index]
    if np.isnan(stated).any():
        raise chunks.not_a_number(rows[np.argmax(np.isnan(stated))])
    per_entry = threshold[truth.index] if threshold.ndim else threshold
    stated_given = stated >= per_entry
    shown = truth.confidence >= labels.PRESENT
    size = len(truth)
    if unlisted_is_absent:
        given = _count_given(logits, threshold)
    else:
        given = np.bincount(rows[stated_given], minlength=size)
    return Counts(
        np.bincount(rows[stated_given & shown], minlength=size),
        given,
        np.bincount(rows[shown], minlength=size),
    )


def per_image(logits, threshold_logit, truth, unlisted_is_absent=True, beta=2.0):
    """Returns float64 [N]: F-beta of each image; arguments as `counts`."""
    return counts(logits, threshold_logit, truth, unlisted_is_absent).f_beta(beta)


def mean_f2(logits, threshold_logit, truth, unlisted_is_absent=True):
    """Returns the mean over images of F2, a float; arguments as `counts`.

    Raises:
        errors.DataError: as `counts`, or there is no image.
    """
    if not len(truth):
        raise errors.DataError("there is no image to score")
    return float(per_image(logits, threshold_logit, truth, unlisted_is_absent).mean())


def decisions(logits, threshold_logit):
    """The labels given to each image.

    Args:
        logits: float [N, C].
        threshold_logit: float or [C]; a label is given from this logit on.

    Returns:
        `labels.SparseLabels` of N rows, each entry with confidence 1.

    Raises:
        errors.DataError: a logit or the threshold is NaN.
    """
    threshold = _comparable(threshold_logit, logits.dtype)
    lengths, index = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for _, chunk in chunks.numbers(logits, CHUNK_CELLS):
        chunk_rows, chunk_index = np.nonzero(chunk >= threshold)
        lengths.append(np.bincount(chunk_rows, minlength=len(chunk)))
        index.append(chunk_index.astype(np.int32))
    index = np.concatenate(index)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return labels.SparseLabels(
        offsets.astype(np.int64),
        index,
        np.ones(len(index), np.float32),
        logits.shape[1],
    )


def _count_given(logits, threshold):
    given = np.empty(len(logits), np.int64)
    for part, chunk in chunks.numbers(logits, CHUNK_CELLS):
        # eight labels a byte, counted by one instruction: faster than summing bools
        packed = np.packbits(chunk >= threshold, axis=1)
        given[part] = np.bitwise_count(packed).sum(axis=1, dtype=np.int64)
    return given


def _comparable(threshold_logit, dtype):
    """The least value of `dtype` that is not below the threshold.

    Comparing with it gives what comparing in float64 would, without a wider copy of the
    logits; plain rounding could let the next lower logit in.
    """
    exact = np.asarray(threshold_logit, np.float64)
    if np.isnan(exact).any():
        raise errors.DataError("the threshold is not a number", received="NaN")
    rounded = exact.astype(dtype)
    up = np.nextafter(rounded, np.asarray(np.inf, dtype))
    return np.where(rounded.astype(np.float64) < exact, up, rounded)


def _check_shape(logits, truth):
    expected = (len(truth), truth.num_classes)
    if logits.shape != expected:
        raise errors.DataError(
            "logits and truth disagree",
            expected=f"logits of shape {expected}",
            received=str(logits.shape),
        )
