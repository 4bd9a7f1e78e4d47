"""Scores are the shares that they are said to be, and bounds are kept."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from data_pipelines import errors
from inclusive_tf import scores

LOGITS = np.random.default_rng(0).normal(0, 3, (30, 7)).astype(np.float32)


def test_the_sigmoid_leaves_logits_as_they_are():
    assert scores.of_logits(LOGITS, scores.ScoresConfig()) is LOGITS


def test_the_softmax_is_scipys():
    found = scores.of_logits(LOGITS, scores.ScoresConfig("softmax"))
    expected = scipy.special.softmax(LOGITS.astype(np.float64), axis=1)
    np.testing.assert_allclose(scipy.special.expit(found), expected, rtol=1e-5)


def test_a_certain_label_keeps_finite_log_odds():
    logits = np.array([[800.0, 0.0, -5.0]], np.float32)
    found = scores.of_logits(logits, scores.ScoresConfig("softmax"))
    assert np.isfinite(found).all()
    assert found[0, 0] > 700


def test_the_fourth_places_score_is_against_what_ranks_below():
    found = scores.of_logits(LOGITS, scores.ScoresConfig("softmax_below", 3))
    for row, got in zip(LOGITS.astype(np.float64), found, strict=True):
        tail = np.exp(np.sort(row)[::-1][3:]).sum()
        np.testing.assert_allclose(
            scipy.special.expit(got), np.exp(row) / (np.exp(row) + tail), rtol=1e-5
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [(("hardmax",), "sigmoid, softmax"), (("softmax_below", 0), "at least 1")],
)
def test_unknown_scores_are_refused(settings, message):
    with pytest.raises(errors.SettingError, match=message):
        scores.ScoresConfig(*settings)


def test_something_must_rank_below():
    with pytest.raises(errors.SettingError, match="at most 6 for 7 labels"):
        scores.of_logits(LOGITS, scores.ScoresConfig("softmax_below", 7))


@given(
    numpy_strategies.arrays(np.float32, (4, 6), elements=st.integers(-3, 3)),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_bounds_are_kept_and_within_them_the_threshold_decides(logits, least, size):
    most = max(least, size)
    found = scores.bounded(logits, 0.5, least, most) >= 0
    plain = logits >= 0.5
    limit = most or 6
    expected = np.clip(plain.sum(axis=1), least, limit)
    np.testing.assert_array_equal(found.sum(axis=1), expected)
    inside = (plain.sum(axis=1) >= least) & (plain.sum(axis=1) <= limit)
    np.testing.assert_array_equal(found[inside], plain[inside])
    for row, chosen in zip(logits, found, strict=True):
        if chosen.any() and not chosen.all():
            assert row[chosen].min() >= row[~chosen].max()


def test_bounds_that_cross_are_refused():
    with pytest.raises(errors.SettingError, match="cannot be kept"):
        scores.bounded(LOGITS, 0.0, 3, 2)
