"""Scores are the shares that they are said to be, and bounds are kept."""

import tracemalloc

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


def _whole_softmax(logits):
    values = logits.astype(np.float64)
    highest = values.max(axis=1, keepdims=True)
    powers = np.exp(values - highest)
    others = powers.sum(axis=1, keepdims=True) - powers
    row, first = np.arange(len(values)), values.argmax(axis=1)
    powers[row, first] = 0
    others[row, first] = powers.sum(axis=1)
    rest = np.log(np.maximum(others, np.finfo(np.float64).tiny))
    return (values - highest - rest).astype(np.float32)


def _whole_softmax_below(logits, below):
    values = logits.astype(np.float64)
    tail = np.sort(values, axis=1)[:, : values.shape[1] - below]
    sums = scipy.special.logsumexp(tail, axis=1, keepdims=True)
    return (values - sums).astype(np.float32)


def _whole_bounded(logits, threshold, least, most):
    margins = np.asarray(logits - threshold, np.float32)
    order = np.argsort(-margins, axis=1, kind="stable")
    ranked = np.take_along_axis(margins, order, axis=1)
    ranked[:, :least] = np.maximum(ranked[:, :least], 0.0)
    ranked[:, most:] = np.minimum(ranked[:, most:], -np.finfo(np.float32).tiny)
    np.put_along_axis(margins, order, ranked, axis=1)
    return margins


@pytest.mark.parametrize("rows_of_chunk", [1, 7, 1000])
@pytest.mark.parametrize("with_ties", [False, True])
def test_chunks_give_the_bits_that_the_whole_gives(
    rows_of_chunk, with_ties, monkeypatch
):
    monkeypatch.setattr(scores, "_CHUNK_CELLS", rows_of_chunk * 37)
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 3, (50, 37)).astype(np.float32)
    if with_ties:
        logits = np.round(logits)
    by_label = generator.normal(size=37)
    for found, expected in (
        (
            scores.of_logits(logits, scores.ScoresConfig("softmax")),
            _whole_softmax(logits),
        ),
        (
            scores.of_logits(logits, scores.ScoresConfig("softmax_below", 9)),
            _whole_softmax_below(logits, 9),
        ),
        *(
            (
                scores.bounded(logits, threshold, least, most),
                _whole_bounded(logits, threshold, least, most or 37),
            )
            for threshold in (0.5, by_label)
            for least, most in ((0, 0), (2, 0), (0, 5), (2, 5), (37, 37))
        ),
    ):
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "turn",
    [
        lambda logits: scores.of_logits(logits, scores.ScoresConfig("softmax")),
        lambda logits: scores.of_logits(logits, scores.ScoresConfig("softmax_below")),
        lambda logits: scores.bounded(logits, 0.5),
        lambda logits: scores.bounded(logits, np.full(2000, 0.5), 1, 20),
    ],
)
def test_beside_the_scores_it_takes_the_memory_of_one_chunk(turn):
    logits = np.random.default_rng(0).normal(size=(4000, 2000)).astype(np.float32)
    tracemalloc.start()
    turn(logits)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # a chunk is 2 MB as float64, and seven are at hand at once
    assert most < logits.nbytes + 20e6


def test_bounds_that_cross_are_refused():
    with pytest.raises(errors.SettingError, match="cannot be kept"):
        scores.bounded(LOGITS, 0.0, 3, 2)
