"""The chosen set is the best of all sets."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.special

from data_pipelines import errors
from inclusive_tf.adaptation import expected_f2
from inclusive_tf.evaluation import f2


def _best_of_all_sets(chances):
    """Expected F2 of the best set, over every set and every outcome."""
    outcomes = np.array(list(itertools.product([0, 1], repeat=len(chances))))
    weights = np.prod(np.where(outcomes, chances, 1 - chances), axis=1)
    present = outcomes.sum(axis=1)
    return max(
        weights @ f2.f_beta(outcomes @ given, given.sum(), present)
        for given in outcomes[1:]
    )


def _expected(chances, given):
    outcomes = np.array(list(itertools.product([0, 1], repeat=len(chances))))
    weights = np.prod(np.where(outcomes, chances, 1 - chances), axis=1)
    return weights @ f2.f_beta(outcomes @ given, given.sum(), outcomes.sum(axis=1))


@hypothesis.given(st.lists(st.floats(-12, 12), min_size=1, max_size=7))
@hypothesis.settings(deadline=None, max_examples=60)
def test_no_set_of_labels_expects_more(logits):
    logits = np.array([logits])
    chances = scipy.special.expit(logits[0])
    hypothesis.assume(len(np.unique(logits)) == logits.size)
    found = expected_f2.cuts(logits)
    given = (logits[0] >= found.threshold_logit[0]).astype(int)
    best = _best_of_all_sets(chances)
    assert found.expected_f2[0] == pytest.approx(best, abs=1e-8)
    assert _expected(chances, given) == pytest.approx(best, abs=1e-8)


def test_no_set_of_ten_labels_expects_more():
    generator = np.random.default_rng(0)
    for scale, middle in ((0.5, 0), (2, -2), (6, -3)):
        logits = generator.normal(middle, scale, size=(1, 10))
        best = _best_of_all_sets(scipy.special.expit(logits[0]))
        assert expected_f2.cuts(logits).expected_f2[0] == pytest.approx(best, abs=1e-8)


@pytest.mark.parametrize("middle", [-3, -6, -9])
def test_looking_at_few_labels_first_finds_the_same(monkeypatch, middle):
    generator = np.random.default_rng(1)
    logits = generator.normal(middle, 2, size=(30, 300)).astype(np.float32)
    few = expected_f2.cuts(logits)
    monkeypatch.setattr(expected_f2, "_FIRST_LOOK", 300)
    every = expected_f2.cuts(logits)
    np.testing.assert_array_equal(few.threshold_logit, every.threshold_logit)
    np.testing.assert_allclose(few.expected_f2, every.expected_f2, atol=1e-9)


def test_the_expectation_is_the_mean_of_simulated_truths():
    generator = np.random.default_rng(2)
    logits = generator.normal(-3, 2, size=(1, 60))
    found = expected_f2.cuts(logits)
    given = logits[0] >= found.threshold_logit[0]
    truth = generator.random((40_000, 60)) < scipy.special.expit(logits)
    scores = f2.f_beta((truth & given).sum(axis=1), given.sum(), truth.sum(axis=1))
    assert scores.mean() == pytest.approx(found.expected_f2[0], abs=0.006)


def test_equal_logits_are_given_together_and_no_image_is_left_empty():
    logits = np.array([[2.0, -9, -9, -9], [-20, -20, -20, -21]], np.float32)
    found = expected_f2.cuts(logits)
    given = logits >= found.threshold_logit[:, None]
    assert given.tolist() == [[True, False, False, False], [True, True, True, False]]


def test_infinite_logits_are_certain():
    logits = np.array([[np.inf, -np.inf, -5.0], [-np.inf] * 3], np.float32)
    found = expected_f2.cuts(logits)
    margins = logits - found.threshold_logit[:, None]
    assert (margins[0] >= 0).tolist() == [True, False, False]
    assert not np.isnan(margins).any()


def test_chunks_and_one_image_at_a_time_agree(monkeypatch):
    generator = np.random.default_rng(3)
    logits = generator.normal(-4, 3, size=(50, 40)).astype(np.float32)
    whole = expected_f2.cuts(logits)
    monkeypatch.setattr(expected_f2, "_CHUNK_CELLS", 40)
    single = expected_f2.cuts(logits)
    np.testing.assert_array_equal(whole.threshold_logit, single.threshold_logit)


def test_nan_and_no_labels_are_refused():
    with pytest.raises(errors.DataError, match="NaN at image 1"):
        expected_f2.cuts(np.array([[0.0], [np.nan]]))
    with pytest.raises(errors.DataError, match="one column a label"):
        expected_f2.cuts(np.zeros((3, 0)))
