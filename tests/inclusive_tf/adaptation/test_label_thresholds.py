"""Coordinate ascent gives what recomputing the metric would, only faster."""

import hypothesis
import hypothesis.extra.numpy as hypothesis_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.adaptation import label_thresholds, thresholds
from inclusive_tf.evaluation import f2

# few different values, so that scores tie and lie on the grid's own points
_FEW = st.sampled_from([-7.0, -2.0, -0.5, 0.0, 0.25, 1.0, 7.0])


@st.composite
def _worlds(draw):
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 5)))
    logits = draw(hypothesis_numpy.arrays(np.float32, shape, elements=_FEW))
    stated = st.sampled_from([0.0, 0.25, 1.0])
    dense = draw(hypothesis_numpy.arrays(np.float32, shape, elements=stated))
    hypothesis.assume((dense >= 0.5).any())
    return logits, labels.SparseLabels.from_dense(dense)


def _recomputed(logits, truth, rule, absent):
    """The 3rd place's search with the whole metric computed for each candidate."""
    positives = truth.counts()
    grid = scipy.special.logit(np.linspace(rule.lowest, rule.highest, rule.candidates))
    start = np.where(positives >= rule.min_positives, 0.5, rule.default)
    threshold = scipy.special.logit(start)
    for _ in range(rule.passes):
        for label in np.flatnonzero(positives >= rule.min_positives):
            scores = []
            for candidate in grid:
                threshold[label] = candidate
                scores.append(f2.mean_f2(logits, threshold, truth, absent))
            equal = np.array(scores) >= max(scores) - label_thresholds.EQUAL
            threshold[label] = grid[np.flatnonzero(equal)[-1]]
    return threshold


@hypothesis.given(_worlds(), st.booleans(), st.integers(0, 3))
@hypothesis.settings(deadline=None, max_examples=60)
def test_the_grid_search_is_that_of_recomputing_the_metric(world, absent, positives):
    logits, truth = world
    rule = label_thresholds.GridSearch(candidates=9, min_positives=positives)
    found = label_thresholds.grid_search(logits, truth, absent, rule)
    expected = _recomputed(logits, truth, rule, absent)
    np.testing.assert_array_equal(found.threshold_logit, expected)
    assert found.mean_f2 == f2.mean_f2(logits, expected, truth, absent)


def test_the_grid_search_is_exact_with_all_99_candidates():
    generator = np.random.default_rng(0)
    truth = labels.SparseLabels.from_dense(generator.random((60, 6)) < 0.25)
    logits = (2 * generator.normal(size=(60, 6)) + truth.multi_hot()).astype("f4")
    rule = label_thresholds.GridSearch()
    found = label_thresholds.grid_search(logits, truth)
    expected = _recomputed(logits, truth, rule, True)
    np.testing.assert_array_equal(found.threshold_logit, expected)


def test_labels_with_too_few_images_stay_at_the_default():
    truth = labels.SparseLabels.from_lists([[0], [0], [0, 1]], 3)
    logits = np.ones((3, 3), np.float32)
    rule = label_thresholds.GridSearch(0.1, 0.9, min_positives=3, default=0.9)
    found = label_thresholds.grid_search(logits, truth, rule=rule)
    assert found.searched == 1
    np.testing.assert_allclose(scipy.special.expit(found.threshold_logit[1:]), 0.9)


@hypothesis.given(_worlds(), st.booleans())
@hypothesis.settings(deadline=None, max_examples=60)
def test_no_other_cut_of_any_one_label_is_better(world, absent):
    logits, truth = world
    start = thresholds.global_threshold(logits, truth, absent)
    found = label_thresholds.exact(
        logits, truth, start.threshold_logit, absent, passes=100
    )
    assert found.mean_f2 >= start.mean_f2 - 1e-12
    for label in range(logits.shape[1]):
        for cut in [*np.unique(logits), np.inf]:
            other = found.threshold_logit.copy()
            other[label] = cut
            score = f2.mean_f2(logits, other, truth, absent)
            if truth.counts()[label]:
                assert score <= found.mean_f2 + 1e-12


def test_a_label_moves_only_where_it_gains():
    truth = labels.SparseLabels.from_lists([[0], [0], [1]], 3)
    logits = np.array([[2, -9, -9], [3, -9, -9], [-5, -4, -9]], np.float32)
    found = label_thresholds.exact(logits, truth, 0.0)
    # label 1 is found by going down to the middle of -9 and -4
    np.testing.assert_array_equal(found.threshold_logit, [0.0, -6.5, 0.0])
    assert (found.mean_f2, found.searched) == (1.0, 2)


def test_a_grid_that_cannot_be_and_truth_without_labels_are_refused():
    for wrong in ({"lowest": 0.0}, {"highest": 1.0}, {"default": 1.5},
                  {"lowest": 0.9, "highest": 0.1}, {"candidates": 0}):  # fmt: skip
        with pytest.raises(errors.SettingError, match="received"):
            label_thresholds.GridSearch(**wrong)
    nothing = labels.SparseLabels.from_lists([[], []], 2)
    for search in (label_thresholds.grid_search, label_thresholds.exact):
        with pytest.raises(errors.DataError, match="no image shows any label"):
            search(np.zeros((2, 2), np.float32), nothing, 0.0)
