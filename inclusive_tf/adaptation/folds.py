"""Folds of a cross-validation that keep clusters of images whole."""

import numpy as np

from data_pipelines import errors


def assign(size, folds, seed=0, clusters=None):
    """Deals images to folds of about equal size, whole clusters at a time.

    Args:
        size: N.
        folds: how many, at least 2.
        seed: of the shuffle.
        clusters: int or str [N] or None; images of one value stay together.

    Returns:
        int64 [N] in 0 .. folds - 1.

    Raises:
        errors.DataError: there are fewer images or clusters than folds.
    """
    if clusters is None:
        clusters = np.arange(size)
    _, cluster_of = np.unique(np.asarray(clusters), return_inverse=True)
    cluster_sizes = np.bincount(cluster_of)
    if folds < 2 or len(cluster_sizes) < folds:
        raise errors.DataError(
            "cross-validation needs at least 2 folds and as many clusters as folds",
            expected=f"{max(2, folds)} images or clusters",
            received=f"{len(cluster_sizes)}, {folds} folds",
        )
    shuffled = np.random.default_rng(seed).permutation(len(cluster_sizes))
    # the largest first, each into the smallest fold, keeps the folds even
    shuffled = shuffled[np.argsort(-cluster_sizes[shuffled], kind="stable")]
    fold_sizes, fold_of_cluster = np.zeros(folds, np.int64), np.empty_like(shuffled)
    for cluster in shuffled:
        fold = np.argmin(fold_sizes)
        fold_of_cluster[cluster] = fold
        fold_sizes[fold] += cluster_sizes[cluster]
    return fold_of_cluster[cluster_of]


def require_labels(fold_of, truth):
    """Refuses folds that leave nothing to fit on.

    Args:
        fold_of: int [N].
        truth: `labels.SparseLabels` of N rows.

    Raises:
        errors.DataError: without one of the folds, which the message names, no image
            shows any label.
    """
    labelled = np.diff(truth.present().offsets) > 0
    fold_names = np.unique(fold_of)
    for number, fold in enumerate(fold_names, 1):
        if not labelled[fold_of != fold].any():
            raise errors.DataError(
                f"fold {number} of {len(fold_names)} cannot be judged, since outside "
                "it no image shows any label to fit on",
                expected="images with labels in at least two folds; label more images "
                "or more clusters",
                received=f"{np.count_nonzero(labelled)} of {len(truth)} images show a "
                f"label, all in fold {number}",
            )
