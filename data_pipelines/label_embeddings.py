"""Labels as vectors by what they stand with: pointwise mutual information, factorised.

With n images, n_i of which show label i and n_ij both i and j,

    PMI_ij = log( (n_ij / n) / ((n_i / n) (n_j / n)) ),  0 where n_ij = 0,

PMI = U S V', and label i is row i of U sqrt(S), cut to the largest singular values
(Levy and Goldberg 2014 for the form; ryancheunggit's system in the Inclusive Images
Challenge for labels of images, with 1,024 dimensions).
"""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from data_pipelines import errors

_DENSE = 500
"""Labels up to which all singular vectors are computed at once."""


def pointwise_mutual_information(sparse_labels):
    """Returns PMI as a float64 [C, C] sparse array, 0 where labels never meet.

    Args:
        sparse_labels: `labels.SparseLabels` of N images; those present count.
    """
    present = sparse_labels.present()
    shown = scipy.sparse.csr_array(
        (np.ones(len(present.index)), present.index, present.offsets),
        shape=(len(present), present.num_classes),
    )
    together = (shown.T @ shown).tocoo()
    counts = present.counts().astype(np.float64)
    row, column = together.coords
    information = np.log(together.data * len(present) / (counts[row] * counts[column]))
    return scipy.sparse.csr_array((information, (row, column)), shape=together.shape)


def embed(sparse_labels, dimensions):
    """Returns float32 [C, dimensions]: a vector a label, a function of the labels.

    A label that no image shows has the vector 0. The sign of a dimension, which the
    factorisation leaves open, is that of its largest component.

    Args:
        sparse_labels: `labels.SparseLabels` of the training split.
        dimensions: D, at most C.

    Raises:
        errors.SettingError: D is not from 1 to C.
    """
    classes = sparse_labels.num_classes
    if not 1 <= dimensions <= classes:
        raise errors.SettingError(
            "Labels cannot be embedded in so many dimensions. Expected: 1 to "
            f"{classes}, the number of labels. Received: {dimensions}."
        )
    information = pointwise_mutual_information(sparse_labels)
    if classes <= _DENSE or dimensions > classes // 2:
        left, values, _ = np.linalg.svd(information.toarray())
        left, values = left[:, :dimensions], values[:dimensions]
    else:
        left, values, _ = scipy.sparse.linalg.svds(
            information, dimensions, v0=np.ones(classes), random_state=0
        )
        # ascending, unlike the dense ones
        left, values = left[:, ::-1], values[::-1]
    largest = left[np.argmax(np.abs(left), axis=0), np.arange(dimensions)]
    return (left * np.where(largest < 0, -1, 1) * np.sqrt(values)).astype(np.float32)
