"""Which labels come together more often than chance would have it.

Of n images (or documents) n_i show label i and n_ij both i and j. Were they
independent, e_ij = n_i n_j / n would. The measures:

- "ppmi": the positive part of the shrunk pointwise mutual information,
      pmi_ij = log((n_ij + k) / (e_ij + k)),   max(pmi_ij, 0).
  k = 0 is the association ratio of Church and Hanks 1990. Counts below about 1 say
  little, and k pulls their ratio towards 1 (Noren, Hopstadius and Bate 2013, with
  k = 1/2). Negative values are left out as in Levy and Goldberg 2014.
- "npmi": pmi_ij / -log(n_ij / n), positive part: at most 1, reached at k = 0 by labels
  that never come alone (Bouma 2009).

A pair that never comes together has no entry; plain PMI would be minus infinity there,
which ryancheunggit's solution of the challenge also takes as 0.

Where a label that is not stated is unknown, a pair is counted over the images that
state both: n, n_i and n_j are then those of the pair.
"""

import dataclasses

import numpy as np
import scipy.sparse

from data_pipelines import errors, labels

MEASURES = ("ppmi", "npmi")
SHRINKAGE = 0.5
"""Default of k, in images."""

_CHUNK_ROWS = 1 << 17


@dataclasses.dataclass(frozen=True)
class Counts:
    """How often labels come, and come together.

    Args:
        images: n, images or documents that were looked at.
        label: int64 [C]; those that show each label.
        together: `scipy.sparse.csr_array` int64 [C, C], symmetric, nothing on the
            diagonal; those that show both.
        expected: float64, beside `together.data`; how many would, by chance.
        comparable: float64, beside `together.data`; those of which both are known.
    """

    images: int
    label: np.ndarray
    together: scipy.sparse.csr_array
    expected: np.ndarray
    comparable: np.ndarray


@dataclasses.dataclass(frozen=True)
class Associations:
    """How strongly labels are associated.

    Args:
        weights: `scipy.sparse.csr_array` float32 [C, C], symmetric, above 0.
        together: int64, beside `weights.data`; images or documents that show both.
        label: int64 [C]; those that show each label.
        images: how many were looked at.
        vocabulary: `labels.Vocabulary` of the C labels.
        measure: one of `MEASURES`.
        shrinkage: k.
        counted_ids: str [n]; images whose labels were counted, which an adaptation may
            not be fitted or evaluated on. Empty for a text corpus.
        source: facts for the reader, such as the data set and its splits.
        notes: sentences that count what was left out.
    """

    weights: scipy.sparse.csr_array
    together: np.ndarray
    label: np.ndarray
    images: int
    vocabulary: labels.Vocabulary
    measure: str
    shrinkage: float
    counted_ids: np.ndarray
    source: dict = dataclasses.field(default_factory=dict)
    notes: tuple = ()

    def strongest(self, count):
        """Returns (i, j, weight, together) of the `count` strongest pairs, i < j.

        Equally strong ones are in the order of how often they come together.
        """
        upper = self.weights.tocoo()
        keep = np.flatnonzero(upper.row < upper.col)
        row, column = upper.row[keep], upper.col[keep]
        weight, together = upper.data[keep], self.together[keep]
        order = np.lexsort((column, row, -together, -weight))[:count]
        return [
            (int(row[at]), int(column[at]), float(weight[at]), int(together[at]))
            for at in order
        ]


def count(truth, unlisted_is_absent=True):
    """Counts labels and pairs of a label table.

    Memory grows with the pairs that come together, not with the images.

    Args:
        truth: `labels.SparseLabels` of N rows.
        unlisted_is_absent: whether a label that is not stated is absent.

    Returns:
        `Counts`.
    """
    chunks = (
        truth.take(np.arange(first, min(first + _CHUNK_ROWS, len(truth))))
        for first in range(0, len(truth), _CHUNK_ROWS)
    )
    return count_chunks(chunks, truth.num_classes, unlisted_is_absent)


def count_chunks(chunks, num_classes, unlisted_is_absent=True):
    """Counts labels and pairs of rows that come in parts; as `count`.

    Args:
        chunks: iterable of `labels.SparseLabels` over C classes.
        num_classes: C.
        unlisted_is_absent: whether a label that is not stated is absent.

    Returns:
        `Counts`.
    """
    empty = scipy.sparse.csr_array((num_classes, num_classes), dtype=np.int64)
    images, both, one, stated = 0, empty, empty, empty
    for chunk in chunks:
        shown = _matrix(chunk.present())
        images += len(chunk)
        both = both + shown.T @ shown
        if not unlisted_is_absent:
            known = _matrix(chunk)
            one = one + shown.T @ known
            stated = stated + known.T @ known
    label = both.diagonal()
    together = _without_diagonal(both)
    row, column = together.tocoo().coords
    if unlisted_is_absent:
        comparable = np.full(together.nnz, float(images))
        expected = label[row].astype(np.float64) * label[column] / max(1, images)
    else:
        # at (i, j): i is shown and j is stated
        first, second = _at(one, row, column), _at(one, column, row)
        comparable = _at(stated, row, column)
        expected = first * second / comparable
    return Counts(images, label, together, expected, comparable)


def measure(counts, kind="ppmi", shrinkage=SHRINKAGE):
    """Turns counts into strengths.

    Args:
        counts: `Counts`.
        kind: one of `MEASURES`.
        shrinkage: k, at least 0.

    Returns:
        (`scipy.sparse.csr_array` float32 [C, C] above 0, int64 counts beside its data).

    Raises:
        errors.SettingError: an unknown measure or a shrinkage below 0.
    """
    if kind not in MEASURES:
        raise errors.SettingError(
            f"there is no measure {kind!r}; expected one of {', '.join(MEASURES)}"
        )
    if not (np.isfinite(shrinkage) and shrinkage >= 0):
        raise errors.SettingError(
            f"the shrinkage is a number of images; expected 0 or more, received "
            f"{shrinkage}"
        )
    seen = counts.together.data.astype(np.float64)
    strength = np.log(seen + shrinkage) - np.log(counts.expected + shrinkage)
    if kind == "npmi":
        surprise = np.log(counts.comparable) - np.log(seen)
        # what every image shows says nothing: 0 / 0
        strength = np.divide(
            strength, surprise, out=np.zeros_like(strength), where=surprise > 0
        )
    strength = strength.astype(np.float32)
    keep = strength > 0
    row = counts.together.tocoo().row[keep]
    shape = counts.together.shape
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    weights = scipy.sparse.csr_array(
        (strength[keep], counts.together.indices[keep], offsets), shape
    )
    return weights, counts.together.data[keep]


def _matrix(sparse_labels):
    return scipy.sparse.csr_array(
        (
            np.ones(len(sparse_labels.index), np.int64),
            np.asarray(sparse_labels.index),
            np.asarray(sparse_labels.offsets),
        ),
        (len(sparse_labels), sparse_labels.num_classes),
    )


def _without_diagonal(matrix):
    pairs = matrix.tocoo()
    off = pairs.row != pairs.col
    kept = scipy.sparse.csr_array(
        (pairs.data[off], (pairs.row[off], pairs.col[off])), matrix.shape
    )
    kept.sort_indices()
    return kept


def _at(matrix, row, column):
    # SciPy gives a matrix, not values, where it is asked for none
    if not len(row):
        return np.zeros(0)
    return np.asarray(matrix[row, column], np.float64)
