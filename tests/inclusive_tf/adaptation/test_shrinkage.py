"""Thresholds lie between a label's own and the global one, as its count says."""

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.adaptation import folds, label_thresholds, shrinkage, thresholds
from inclusive_tf.evaluation import f2


def _world(seed, rows, classes=30):
    """Labels of very different frequency, scores that know nothing of it."""
    generator = np.random.default_rng(seed)
    dense = generator.random((rows, classes)) < 1 / np.arange(2, classes + 2)
    truth = labels.SparseLabels.from_dense(dense)
    logits = 3 * truth.multi_hot() + 1.5 * generator.normal(size=dense.shape)
    return logits.astype(np.float32), truth


def test_the_ends_are_each_labels_own_and_the_global_threshold():
    logits, truth = _world(0, 100)
    anchor = thresholds.global_threshold(logits, truth).threshold_logit
    own = label_thresholds.exact(logits, truth, anchor)
    np.testing.assert_array_equal(
        shrinkage.shrink(own, anchor, 0.0), own.threshold_logit
    )
    assert (shrinkage.shrink(own, anchor, np.inf) == anchor).all()
    count = truth.counts()
    np.testing.assert_allclose(
        shrinkage.shrink(own, anchor, 4.0),
        (count * own.threshold_logit + 4.0 * anchor) / (count + 4.0),
    )


def test_the_weight_with_the_best_score_out_of_fold_is_chosen():
    logits, truth = _world(1, 200)
    fold_of = folds.assign(200, 4)
    found = shrinkage.fit(logits, truth, fold_of, weights=(0, 3, np.inf))
    per_image = np.empty((3, 200))
    for fold in range(4):
        inside = fold_of == fold
        anchor = thresholds.global_threshold(logits[~inside], truth.take(~inside))
        anchor = anchor.threshold_logit
        own = label_thresholds.exact(logits[~inside], truth.take(~inside), anchor)
        for row, weight in enumerate((0.0, 3.0, np.inf)):
            per_image[row, inside] = f2.per_image(
                logits[inside],
                shrinkage.shrink(own, anchor, weight),
                truth.take(inside),
            )
    expected = per_image.mean(axis=1)
    assert [row["weight"] for row in found.table] == [0.0, 3.0, None]
    np.testing.assert_allclose([row["mean_f2"] for row in found.table], expected)
    assert found.weight == (0.0, 3.0, np.inf)[int(np.argmax(expected))]


def test_shrinking_keeps_more_of_its_score_on_new_images():
    drops, scores = {}, {}
    for seed in range(3):
        logits, truth = _world(seed, 150)
        new_logits, new_truth = _world(seed + 50, 4000)
        shrunk = shrinkage.fit(logits, truth, folds.assign(150, 5, seed))
        own = label_thresholds.grid_search(logits, truth)
        for name, found in (("shrunk", shrunk), ("own", own)):
            inside = f2.mean_f2(logits, found.threshold_logit, truth)
            outside = f2.mean_f2(new_logits, found.threshold_logit, new_truth)
            drops.setdefault(name, []).append(inside - outside)
            scores.setdefault(name, []).append(outside)
    assert np.mean(drops["shrunk"]) < np.mean(drops["own"])
    assert np.mean(scores["shrunk"]) > np.mean(scores["own"])


def test_all_labels_in_one_fold_are_refused():
    truth = labels.SparseLabels.from_lists([[0], [0], [], []], 1)
    with pytest.raises(errors.DataError, match="fold 1 of 2"):
        shrinkage.fit(np.zeros((4, 1), np.float32), truth, np.array([0, 0, 1, 1]))
