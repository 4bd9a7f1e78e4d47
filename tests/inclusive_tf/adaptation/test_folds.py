"""Folds are even, seeded, and keep clusters whole."""

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.adaptation import folds as folds_module


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_even_and_keep_clusters_whole(seed):
    folds = folds_module.assign(103, 5, seed)
    assert set(np.bincount(folds)) == {20, 21}
    clusters = np.random.default_rng(seed).integers(0, 30, 103).astype(str)
    folds = folds_module.assign(103, 5, seed, clusters)
    assert np.bincount(folds).min() >= 15
    for cluster in np.unique(clusters):
        assert len(np.unique(folds[clusters == cluster])) == 1


def test_a_seed_gives_its_folds_again():
    first, again, other = (folds_module.assign(50, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("size", "folds"), [(3, 5), (10, 1)])
def test_too_few_images_or_folds_are_refused(size, folds):
    with pytest.raises(errors.DataError, match="at least 2 folds"):
        folds_module.assign(size, folds)


def test_a_fold_that_holds_all_labels_is_named():
    truth = labels.SparseLabels.from_lists([[], [0], [1], [], []], 2)
    with pytest.raises(
        errors.DataError, match=r"fold 2 of 3.*no image shows any.*2 of"
    ):
        folds_module.require_labels(np.array([0, 1, 1, 2, 2]), truth)
    folds_module.require_labels(np.array([0, 1, 2, 2, 2]), truth)
