"""Which images are rare enough to be varied more strongly; NumPy only."""

import numpy as np


def strengths(sparse_labels, below, strength):
    """Returns what the amounts of each image are multiplied by.

    An image is rare when its rarest label is: fewer than `below` images show it. Images
    that show no label are not.

    Args:
        sparse_labels: `labels.SparseLabels` of N training images.
        below: images a label is rare below; 0: none is.
        strength: of rare images; of all others it is 1.

    Returns:
        float32 [N], or None where no image is rare or the strength is 1.
    """
    present = sparse_labels.present()
    counts = present.counts()
    rare = np.zeros(len(sparse_labels), bool)
    rare[present.rows()[counts[present.index] < below]] = True
    if strength == 1 or not rare.any():
        return None
    return np.where(rare, strength, 1.0).astype(np.float32)
