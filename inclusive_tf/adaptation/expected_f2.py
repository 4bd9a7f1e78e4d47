"""The label set that maximises the expected F2 of each image.

With independent labels of calibrated probabilities p_1 >= p_2 >= ..., the best set of
size k holds the k likeliest labels, since its expectation grows with each of its p; so
the best of all is a cut of the image's own ranking. With Y_j the number of present
labels other than j,

    E_k = E[5 TP / (4 |Y| + k)] = sum over j <= k of p_j E[5 / (4 (1 + Y_j) + k)],

and the distribution of Y_j is a Poisson-binomial one (`poisson_binomial`; Ye, Chai, Lee
and Chieu 2012, arXiv 1206.4625, for this decomposition of expected F-measures). How
many labels need a look follows from concavity: with m_k the sum of the k largest p,
E_k <= 5 m_k / (4 m_k + k), which falls with k. Where this bound of the next size is
below the best found, no larger set is better.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf.adaptation import poisson_binomial

_CHUNK_CELLS = 1 << 21
_CELLS_IN_GO = 1 << 21
_FIRST_LOOK = 24
_LARGE_LOGIT = np.float32(scipy.special.logit(poisson_binomial.SMALL))


@dataclasses.dataclass(frozen=True)
class Cuts:
    """Where to cut each image's ranking.

    Args:
        threshold_logit: float [N], of the logits' dtype; an image is given its labels
            from this logit on.
        expected_f2: float64 [N]; what that reaches if the probabilities are right.
    """

    threshold_logit: np.ndarray
    expected_f2: np.ndarray


def cuts(logits):
    """Finds the best cut of each image; at least one label is given.

    Labels of one logit are given together or not at all. The result is exact but for
    distribution tails below 1e-9. Beside the logits, which may be memory-mapped, it
    takes some tens of MB.

    Args:
        logits: float [N, C]; calibrated, so that their sigmoid is a probability.

    Returns:
        `Cuts`.

    Raises:
        errors.DataError: a logit is NaN, or there are no labels.
    """
    if logits.ndim != 2 or not logits.shape[1]:
        raise errors.DataError(
            "logits have one row an image and one column a label",
            received=str(logits.shape),
        )
    found = np.empty(len(logits), logits.dtype), np.empty(len(logits))
    for part, chunk in chunks.numbers(logits, _CHUNK_CELLS):
        for into, values in zip(found, _cut_chunk(chunk), strict=True):
            into[part] = values
    return Cuts(*found)


def _cut_chunk(chunk):
    thresholds = np.empty(len(chunk), chunk.dtype)
    expected = np.empty(len(chunk))
    chances = scipy.special.expit(chunk)
    means = chances.sum(axis=1, dtype=np.float64)
    is_large = chunk > _LARGE_LOGIT
    many = is_large.sum(axis=1)
    sums = poisson_binomial.power_sums(np.where(is_large, 0, chances))
    look = min(_FIRST_LOOK, chunk.shape[1])
    waiting = np.argsort(-means)
    while len(waiting):
        finished = []
        for rows in _batches(waiting, means, look):
            ranked = _largest(chunk[rows], max(int(many[rows].max()), look + 1))
            *answer, sure = _best(ranked, sums[rows], look)
            thresholds[rows], expected[rows] = answer
            finished.append(sure)
        waiting = waiting[~np.concatenate(finished)]
        look = min(4 * look, chunk.shape[1])
    return thresholds, expected


def _batches(rows, means, look):
    """Splits rows of falling means so that a batch's distributions stay small."""
    first = 0
    while first < len(rows):
        length = poisson_binomial.order(means[rows[first]]) + 1
        step = max(1, _CELLS_IN_GO // (length * look))
        yield rows[first : first + step]
        first += step


def _largest(values, count):
    """The largest values of each row, falling; NaN after the last label of all."""
    if count <= values.shape[1]:
        values = np.partition(values, values.shape[1] - count, axis=1)[:, -count:]
        return np.sort(values, axis=1)[:, ::-1]
    end = np.full((len(values), 1), np.nan, values.dtype)
    return np.hstack([np.sort(values, axis=1)[:, ::-1], end])


def _best(ranked, sums, look):
    """Returns (threshold, expected F2, whether no larger set can be better)."""
    chances = scipy.special.expit(ranked.astype(np.float64))
    large = np.where(ranked > _LARGE_LOGIT, chances, 0.0)
    mean = large.sum(axis=1) + sums[:, 0]
    length = poisson_binomial.order(float(mean.max())) + 1
    of_all = poisson_binomial.distribution(large, sums, length)
    seen = chances[:, :look]
    others = poisson_binomial.without(of_all, seen)
    joint = np.cumsum(seen[..., None] * others, axis=1)
    sizes = np.arange(1, look + 1)[:, None]
    worth = 5 / (4 * (1 + np.arange(length)) + sizes)
    expected = np.einsum("bkm,km->bk", joint, worth)
    expected[ranked[:, 1 : look + 1] == ranked[:, :look]] = -1.0
    best = np.argmax(expected, axis=1)
    rows = np.arange(len(ranked))
    threshold = _between(ranked[rows, best + 1], ranked[rows, best])
    following = chances[:, look]
    most = seen.sum(axis=1) + following
    bound = 5 * most / (4 * most + look + 1)
    sure = np.isnan(following) | (expected[rows, best] >= bound)
    return threshold, expected[rows, best], sure


def _between(lower, upper):
    """The middle of two logits, or the upper one where there is nothing between."""
    middle = (lower / 2 + upper / 2).astype(upper.dtype)
    threshold = np.where((lower < middle) & (middle <= upper), middle, upper)
    limit = np.finfo(upper.dtype).max  # a difference with infinity is not a number
    return np.clip(threshold, -limit, limit)
