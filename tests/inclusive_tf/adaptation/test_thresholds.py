"""The fitted threshold is the best there is."""

import hypothesis
import hypothesis.extra.numpy as hypothesis_numpy
import hypothesis.strategies as st
import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.adaptation import thresholds
from inclusive_tf.evaluation import f2


def _best_by_brute_force(logits, truth, unlisted_is_absent):
    return max(
        f2.mean_f2(logits, float(cut), truth, unlisted_is_absent)
        for cut in np.unique(logits)
    )


@hypothesis.given(st.data())
@hypothesis.settings(deadline=None, max_examples=100)
def test_no_threshold_scores_better(data):
    shape = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 5)))
    # few different values, so that many logits tie
    few = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 7.0])
    logits = data.draw(hypothesis_numpy.arrays(np.float32, shape, elements=few))
    stated = st.sampled_from([0.0, 0.25, 1.0])
    dense = data.draw(hypothesis_numpy.arrays(np.float32, shape, elements=stated))
    hypothesis.assume((dense >= 0.5).any())
    truth = labels.SparseLabels.from_dense(dense)
    for unlisted_is_absent in (True, False):
        fit = thresholds.global_threshold(logits, truth, unlisted_is_absent)
        best = _best_by_brute_force(logits, truth, unlisted_is_absent)
        assert fit.mean_f2 == pytest.approx(best, abs=1e-12)
        reached = f2.mean_f2(logits, fit.threshold_logit, truth, unlisted_is_absent)
        assert reached == fit.mean_f2
        assert fit.lower < fit.threshold_logit <= fit.upper


def test_no_threshold_scores_better_on_continuous_logits():
    generator = np.random.default_rng(0)
    truth = labels.SparseLabels.from_dense(generator.random((80, 12)) < 0.2)
    logits = generator.normal(size=(80, 12)) + truth.multi_hot()
    for dtype in (np.float32, np.float64):
        values = logits.astype(dtype)
        fit = thresholds.global_threshold(values, truth)
        best = _best_by_brute_force(values, truth, True)
        assert fit.mean_f2 == pytest.approx(best, abs=1e-12)


def test_the_threshold_is_the_middle_of_the_best_interval():
    truth = labels.SparseLabels.from_lists([[0], [0]], 2)
    logits = np.array([[3.0, -1.0], [2.0, -2.0]], np.float32)
    fit = thresholds.global_threshold(logits, truth)
    assert (fit.lower, fit.threshold_logit, fit.upper) == (-1.0, 0.5, 2.0)
    assert fit.mean_f2 == 1.0


def test_when_all_labels_are_right_all_are_given():
    truth = labels.SparseLabels.from_lists([[0, 1]], 2)
    fit = thresholds.global_threshold(np.array([[1.0, -4.0]], np.float32), truth)
    assert (fit.lower, fit.threshold_logit) == (-np.inf, -4.0)


def test_neighbouring_float32_logits_are_kept_apart():
    low = np.float32(0.1)
    logits = np.array([[np.nextafter(low, np.float32(1)), low]])
    fit = thresholds.global_threshold(logits, labels.SparseLabels.from_lists([[0]], 2))
    assert (
        f2.mean_f2(
            logits, fit.threshold_logit, labels.SparseLabels.from_lists([[0]], 2)
        )
        == 1.0
    )


def test_truth_without_labels_and_nan_are_refused():
    nothing = labels.SparseLabels.from_lists([[], []], 2)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        thresholds.global_threshold(np.zeros((2, 2), np.float32), nothing)
    truth = labels.SparseLabels.from_lists([[0], []], 2)
    with pytest.raises(errors.DataError, match="image 1"):
        thresholds.global_threshold(np.array([[0, 1], [np.nan, 0]]), truth)


def test_a_cross_fitted_score_is_lower_on_noise_than_a_fitted_one():
    generator = np.random.default_rng(0)
    truth = labels.SparseLabels.from_dense(generator.random((30, 4)) < 0.3)
    logits = generator.normal(size=(30, 4))
    folds = np.arange(30) % 5
    honest = thresholds.cross_fitted_mean_f2(logits, truth, folds)
    assert honest < thresholds.global_threshold(logits, truth).mean_f2


def test_leaving_out_low_logits_changes_nothing(monkeypatch):
    generator = np.random.default_rng(0)
    truth = labels.SparseLabels.from_dense(generator.random((50, 200)) < 0.02)
    for signal in (0.0, 2.0, 5.0):
        logits = generator.normal(size=(50, 200)) + signal * truth.multi_hot()
        logits = logits.astype(np.float32)
        floor = thresholds._floor(logits, truth)
        quick = thresholds.global_threshold(logits, truth)
        with monkeypatch.context() as patched:
            patched.setattr(thresholds, "_floor", lambda *_: -np.inf)
            assert thresholds.global_threshold(logits, truth) == quick
    assert np.mean(logits < floor) > 0.5
