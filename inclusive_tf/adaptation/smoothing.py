"""Scores smoothed by associations: labels that come together support each other.

Of the associations W >= 0 each label c keeps its `NEIGHBOURS` strongest, A_cj. With the
probabilities p_ij = sigmoid(z_ij) of image i,

    z'_ic = z_ic + lambda sum_j A_cj (p_ij - m_j).

m_j is the mean of p_ij over the tuning images: the evidence of an average image is 0,
so no label's mean logit moves. The scale is that of pointwise mutual
information: that j is present moves the log-odds of a rare c by about
log(P(c, j) / (P(c) P(j))), which lambda = 1 adds in full where j is sure. With lambda A
as the couplings of a pairwise model of label sets it is one mean-field step from the
model's own scores, as in dense random fields (Kraehenbuehl and Koltun 2011). Neighbours
often say the same twice, which a lambda below 1 makes up for.

lambda is chosen by the mean F2 out of fold from a grid that holds 0. Scores should be
probabilities: calibrate them first.
"""

import dataclasses

import numpy as np
import scipy.sparse
from scipy import special

from data_pipelines import errors
from inclusive_tf import chunks
from inclusive_tf.adaptation import folds as folds_module
from inclusive_tf.adaptation import label_thresholds, rules

NEIGHBOURS = 20
STRENGTHS = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0)
"""The grid of lambda."""

_CHUNK_CELLS = 1 << 22
_QUICK = dict.fromkeys(set(rules.FITTED) - {"global"}, "global")


@dataclasses.dataclass(frozen=True)
class Smoothing:
    """What is added to logits.

    Args:
        weights: A, `scipy.sparse.csr_array` float32 [C, C].
        centre: m, float32 [C].
        strength: lambda, above 0.
    """

    weights: scipy.sparse.csr_array
    centre: np.ndarray
    strength: float

    def apply(self, logits):
        """Returns float32 [N, C]: smoothed logits.

        Args:
            logits: float [N, C]; left as they are.

        Raises:
            errors.DataError: a logit is NaN, which would spread to other labels.
        """
        smoothed = np.empty(logits.shape, np.float32)
        strength = np.float32(self.strength)
        for part, chunk in chunks.numbers(logits, _CHUNK_CELLS):
            given = np.asarray(chunk, np.float32)
            evidence = special.expit(given) - self.centre
            smoothed[part] = given + strength * (self.weights @ evidence.T).T
        return smoothed


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A strength and how it was found.

    Args:
        smoothing: `Smoothing`, or None where the strength is 0.
        logits: float [N, C]; the tuning images' smoothed logits.
        mean_f2: what new images may show, or None where no rule was asked.
        facts: {"strength", "strengths" (the table; empty where it was given),
            "associated_labels", "pairs"}.
    """

    smoothing: Smoothing | None
    logits: np.ndarray
    mean_f2: float | None
    facts: dict


def strongest(associations):
    """Returns A: the `NEIGHBOURS` strongest associations of each label.

    Args:
        associations: `scipy.sparse.csr_array` [C, C], above 0.

    Returns:
        `scipy.sparse.csr_array` float32 [C, C]; need not be symmetric.
    """
    entries = associations.tocoo()
    order = np.lexsort((entries.col, -entries.data, entries.row))
    row = entries.row[order]
    sizes = np.bincount(row, minlength=associations.shape[0])
    starts = np.cumsum(sizes) - sizes
    kept = order[np.arange(len(row)) - starts[row] < NEIGHBOURS]
    return scipy.sparse.csr_array(
        (entries.data[kept].astype(np.float32), (entries.row[kept], entries.col[kept])),
        associations.shape,
    )


def fit(
    associations,
    logits,
    truth,
    rule,
    fold_of,
    unlisted_is_absent=True,
    strength=None,
):
    """Chooses lambda by the mean F2 out of fold, the smaller one on ties.

    Rules with a threshold for each label are stood for by the one with one threshold:
    they would flatter every strength alike, and take minutes. A lambda that is given is
    taken as it is.

    The mean F2 it returns was not chosen on: each fold is decided with the strength
    that the other folds would choose.

    Args:
        associations: `scipy.sparse.csr_array` [C, C], above 0.
        logits: float [N, C] of the tuning images.
        truth: `labels.SparseLabels` of N rows.
        rule: one of `rules.NAMES`.
        fold_of: int [N].
        unlisted_is_absent: whether a label that is not stated is absent.
        strength: lambda, or None.

    Returns:
        `Fitted`.

    Raises:
        errors.DataError: as `rules.fit`.
        errors.SettingError: the strength is below 0.
    """
    work = _Work(associations, logits, truth, fold_of, unlisted_is_absent)
    if strength is not None:
        if not (np.isfinite(strength) and strength >= 0):
            raise errors.SettingError(
                "the strength of associations is a number; expected 0 or more, "
                f"received {strength}"
            )
        return work.fitted(float(strength), None, [])
    return work.choose(rule)


class _Work:
    """The tuning images, smoothed and judged at one strength or another."""

    def __init__(self, associations, logits, truth, fold_of, absent):
        self._weights, self._centre = strongest(associations), _means(logits)
        self._logits, self._truth = logits, truth
        self._fold_of, self._absent = fold_of, absent

    def choose(self, rule):
        folds_module.require_labels(self._fold_of, self._truth)
        quick = "global" if rule in rules.FITTED else rule
        scores = np.stack([self._judge(value, quick) for value in STRENGTHS])
        table = [
            {"strength": value, "mean_f2": float(row.mean())}
            for value, row in zip(STRENGTHS, scores, strict=True)
        ]
        best = STRENGTHS[_best(scores)]
        return self.fitted(best, self._estimate(scores, rule, quick), table)

    def fitted(self, strength, mean_f2, table):
        facts = {
            "strength": strength,
            "strengths": table,
            "associated_labels": int(np.count_nonzero(np.diff(self._weights.indptr))),
            "pairs": int(self._weights.nnz),
        }
        found = self._smoothing(strength)
        return Fitted(found, self._smoothed(strength), mean_f2, facts)

    def _estimate(self, scores, rule, quick):
        """The mean F2 when each fold has the strength that the others choose."""
        numbers = np.unique(self._fold_of)
        chosen = [_best(scores[:, self._fold_of != fold]) for fold in numbers]
        judged = dict(enumerate(scores))
        if rule != quick:
            judged = {at: self._judge(STRENGTHS[at], rule) for at in set(chosen)}
        per_image = np.empty(len(self._truth))
        for fold, position in zip(numbers, chosen, strict=True):
            inside = self._fold_of == fold
            per_image[inside] = judged[position][inside]
        return float(per_image.mean())

    def _judge(self, strength, rule):
        return rules.cross_fitted_f2(
            rule, self._smoothed(strength), self._truth, self._fold_of, self._absent
        )

    def _smoothing(self, strength):
        return Smoothing(self._weights, self._centre, strength) if strength else None

    def _smoothed(self, strength):
        found = self._smoothing(strength)
        return self._logits if found is None else found.apply(self._logits)


def _best(scores):
    """The first strength whose mean over images [S, N] is the best, or equal to it."""
    means = scores.mean(axis=1)
    return int(np.argmax(means >= means.max() - label_thresholds.EQUAL))


def _means(logits):
    total = np.zeros(logits.shape[1])
    for _, chunk in chunks.numbers(logits, _CHUNK_CELLS):
        total += special.expit(chunk).sum(axis=0, dtype=float)
    return (total / len(logits)).astype(np.float32)
