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


def _judged(logits, truth, fold_of, absent, weights):
    """{k: (F2 of each image by offsets out of fold, t, logits so moved)}."""
    found = {}
    for weight in weights:
        moved = logits.copy()
        for fold in np.unique(fold_of):
            inside = fold_of == fold
            rest = label_offsets.fit(logits[~inside], truth.take(~inside), absent)
            shift = shrinkage.shrink(rest.offset, rest.positives, weight)
            moved[inside] += shift.astype(np.float32)
        best = thresholds.global_threshold(moved, truth, absent).threshold_logit
        found[weight] = f2.per_image(moved, best, truth, absent), best, moved
    return found


def _judged_cuts(logits, truth, fold_of, absent, weight, moved, anchor, weights):
    """{m: F2 of each image by cuts out of fold}."""
    found = {cut_weight: np.empty(len(truth)) for cut_weight in weights}
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        rest = label_offsets.fit(logits[~inside], truth.take(~inside), absent)
        shift = shrinkage.shrink(rest.offset, rest.positives, weight)
        own = label_thresholds.exact(
            logits[~inside] + shift.astype(np.float32),
            truth.take(~inside),
            anchor,
            absent,
        )
        for cut_weight in weights:
            threshold = anchor + shrinkage.shrink(
                own.threshold_logit - anchor, own.positives, cut_weight
            )
            found[cut_weight][inside] = f2.per_image(
                moved[inside], threshold, truth.take(inside), absent
            )
    return found


def _largest_within_an_error(per_image):
    top = max(per_image.values(), key=np.mean)
    return max(
        weight
        for weight, scores in per_image.items()
        if scores.mean() >= top.mean() - scipy.stats.sem(top)
    )


def _half_unknown(truth):
    dense = np.where(truth.multi_hot(), 1.0, 0.25)
    unknown = np.random.default_rng(99).random(dense.shape) < 0.5
    return labels.SparseLabels.from_dense(np.where(unknown, 0.0, dense))


def test_the_ends_are_each_labels_own_and_the_global_threshold():
    logits, truth = _world(0, 100)
    anchor = thresholds.global_threshold(logits, truth).threshold_logit
    own = label_thresholds.exact(logits, truth, anchor)
    count, away = truth.counts(), own.threshold_logit - anchor
    np.testing.assert_array_equal(shrinkage.shrink(away, count, 0.0), away)
    assert (shrinkage.shrink(away, count, np.inf) == 0).all()
    np.testing.assert_allclose(
        anchor + shrinkage.shrink(away, count, 4.0),
        (count * own.threshold_logit + 4.0 * anchor) / (count + 4.0),
    )
    alone = shrinkage.fit(logits, truth, folds.assign(100, 4), weights=[np.inf])
    assert (alone.threshold_logit == anchor).all()
    assert alone.global_logit == anchor


def test_a_label_without_an_image_has_the_global_threshold():
    logits, truth = _world(2, 60, classes=60)
    found = shrinkage.fit(logits, truth, folds.assign(60, 4), weights=[1.0])
    unseen = truth.counts() == 0
    assert 0 < unseen.sum() < 60
    assert (found.threshold_logit[unseen] == found.global_logit).all()
    assert (found.threshold_logit[~unseen] != found.global_logit).any()


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_largest_weights_nearly_the_best_out_of_fold_are_chosen(seed, absent):
    logits, truth = _world(seed, 120, classes=16)
    truth = truth if absent else _half_unknown(truth)
    fold_of = folds.assign(120, 4)
    weights = (1.0, 10.0, np.inf)
    found = shrinkage.fit(logits, truth, fold_of, absent, weights)
    judged = _judged(logits, truth, fold_of, absent, weights)
    scores = {weight: one[0] for weight, one in judged.items()}
    _agree(found.table, scores)
    assert found.weight == _largest_within_an_error(scores)
    _, anchor, moved = judged[found.weight]
    assert found.global_logit == anchor
    cuts = _judged_cuts(
        logits, truth, fold_of, absent, found.weight, moved, anchor, weights
    )
    _agree(found.cut_table, cuts)
    assert found.cut_weight == _largest_within_an_error(cuts)


def _agree(table, per_image):
    stated = [np.inf if row["weight"] is None else row["weight"] for row in table]
    assert stated == list(per_image)
    np.testing.assert_allclose(
        [row["mean_f2"] for row in table],
        [scores.mean() for scores in per_image.values()],
    )


def test_cuts_are_shrunk_towards_counted_thresholds_and_those_towards_the_global_one():
    logits, truth = _world(3, 150, classes=12)
    found = shrinkage.fit(logits, truth, folds.assign(150, 4), weights=[2.0])
    count, anchor = truth.counts(), found.global_logit
    offset = label_offsets.fit(logits, truth).offset
    counted = (count * (anchor - offset) + 2.0 * anchor) / (count + 2.0)
    moved = logits + (anchor - counted).astype(np.float32)
    cut = label_thresholds.exact(moved, truth, anchor).threshold_logit
    cut = cut - (anchor - counted)
    expected = (count * cut + 2.0 * counted) / (count + 2.0)
    np.testing.assert_allclose(found.threshold_logit, expected, rtol=1e-6)


def test_labels_whose_scores_spread_unlike_others_get_their_own_cut():
    generator = np.random.default_rng(0)
    shown = generator.random((800, 6)) < 0.3
    spread = np.array([0.3, 0.5, 1.0, 2.0, 4.0, 8.0])
    right = 2 * shown - 1 + 0.8 * generator.normal(size=shown.shape)
    logits = (right * spread + 2 * spread).astype(np.float32)
    truth = labels.SparseLabels.from_dense(shown)
    found = shrinkage.fit(
        logits[:400], truth.take(np.arange(400)), folds.assign(400, 5)
    )
    assert np.isfinite(found.cut_weight)
    rest = truth.take(np.arange(400, 800))
    by_one = f2.mean_f2(logits[400:], found.global_logit, rest)
    assert f2.mean_f2(logits[400:], found.threshold_logit, rest) > by_one + 0.05


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
