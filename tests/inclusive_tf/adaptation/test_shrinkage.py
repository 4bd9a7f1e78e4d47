"""Thresholds lie between a label's own and the global one, as its count says."""

import numpy as np
import pytest
import scipy.stats

from data_pipelines import errors, labels
from inclusive_tf.adaptation import (
    folds,
    label_offsets,
    label_thresholds,
    shrinkage,
    thresholds,
)
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
    offsets = label_offsets.fit(logits, truth)
    np.testing.assert_array_equal(shrinkage.shrink(offsets, 0.0), offsets.offset)
    assert (shrinkage.shrink(offsets, np.inf) == 0).all()
    anchor, count = 0.7, truth.counts()
    own = anchor - offsets.offset
    np.testing.assert_allclose(
        anchor - shrinkage.shrink(offsets, 4.0),
        (count * own + 4.0 * anchor) / (count + 4.0),
    )
    alone = shrinkage.fit(logits, truth, folds.assign(100, 4), weights=[np.inf])
    best = thresholds.global_threshold(logits, truth).threshold_logit
    assert (alone.threshold_logit == best).all()


def test_a_label_without_an_image_has_the_global_threshold():
    logits, truth = _world(2, 60, classes=60)
    found = shrinkage.fit(logits, truth, folds.assign(60, 4), weights=[1.0])
    unseen = truth.counts() == 0
    assert 0 < unseen.sum() < 60
    assert (found.threshold_logit[unseen] == found.global_logit).all()
    assert (found.threshold_logit[~unseen] != found.global_logit).any()


@pytest.mark.parametrize("absent", [True, False])
def test_the_weights_are_judged_on_images_their_offsets_were_not_fitted_on(absent):
    logits, truth = _world(1, 200)
    if not absent:
        dense = np.where(truth.multi_hot(), 1.0, 0.25)
        unknown = np.random.default_rng(0).random(dense.shape) < 0.5
        truth = labels.SparseLabels.from_dense(np.where(unknown, 0.0, dense))
    fold_of = folds.assign(200, 4)
    found = shrinkage.fit(logits, truth, fold_of, absent, weights=(0, 3, np.inf))
    per_image, common = np.empty((3, 200)), []
    for row, weight in enumerate((0.0, 3.0, np.inf)):
        moved = logits.copy()
        for fold in range(4):
            inside = fold_of == fold
            offsets = label_offsets.fit(logits[~inside], truth.take(~inside), absent)
            moved[inside] += shrinkage.shrink(offsets, weight).astype(np.float32)
        best = thresholds.global_threshold(moved, truth, absent)
        common.append(best.threshold_logit)
        per_image[row] = f2.per_image(moved, common[-1], truth, absent)
    expected = per_image.mean(axis=1)
    assert [row["weight"] for row in found.table] == [0.0, 3.0, None]
    np.testing.assert_allclose([row["mean_f2"] for row in found.table], expected)
    chosen = (0.0, 3.0, np.inf).index(found.weight)
    everywhere = label_offsets.fit(logits, truth, absent)
    assert found.global_logit == common[chosen]
    np.testing.assert_allclose(
        found.threshold_logit,
        common[chosen] - shrinkage.shrink(everywhere, found.weight),
    )


def test_the_largest_weight_within_a_standard_error_of_the_best_is_chosen():
    for seed in range(3):
        logits, truth = _world(seed, 80, classes=12)
        fold_of = folds.assign(80, 4, seed)
        weights = (0.0, 1.0, 10.0, 100.0, np.inf)
        found = shrinkage.fit(logits, truth, fold_of, weights=weights)
        per_image = []
        for weight in weights:
            moved = logits.copy()
            for fold in range(4):
                inside = fold_of == fold
                rest = label_offsets.fit(logits[~inside], truth.take(~inside))
                moved[inside] += shrinkage.shrink(rest, weight).astype(np.float32)
            best = thresholds.global_threshold(moved, truth).threshold_logit
            per_image.append(f2.per_image(moved, best, truth))
        top = per_image[int(np.argmax(np.mean(per_image, axis=1)))]
        good = []
        for weight, scores in zip(weights, per_image, strict=True):
            behind = top - scores
            if behind.mean() <= scipy.stats.sem(behind):
                good.append(weight)
        assert found.weight == max(good)


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
