"""The second model is asked where the first is unsure, at the best threshold of all."""

import dataclasses

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.ensembles import fallback, members
from inclusive_tf.evaluation import f2, ranking

ROWS, CLASSES = 60, 3


def make(seed, noise, several=False):
    generator = np.random.default_rng(5)
    truth = np.eye(CLASSES, dtype=bool)[generator.integers(0, CLASSES, ROWS)]
    if several:
        truth |= generator.random(truth.shape) < 0.3
    generator = np.random.default_rng(seed)
    logits = 4.0 * truth - 2 + noise * generator.normal(size=truth.shape)
    return predictions.Predictions(
        ids=np.array([f"image {row}" for row in range(ROWS)]),
        # few values, so that many images are equally sure
        logits=np.round(logits, 1).astype(np.float32),
        features=np.zeros((ROWS, 0), np.float32),
        truth=labels.SparseLabels.from_dense(truth),
        unlisted_is_absent=True,
        group=np.zeros(ROWS, np.int32),
        group_names=("here",),
        training_counts=np.ones(CLASSES, np.int64),
        vocabulary=labels.Vocabulary(tuple("abc")),
        source={},
    )


@pytest.fixture
def pair(tmp_path):
    """Returns a function that saves two predictions and returns their members."""

    def save(first, second):
        first.save(tmp_path / "first")
        second.save(tmp_path / "second")
        return [members.Member(str(tmp_path / name)) for name in ("first", "second")]

    return save


@given(st.integers(0, 10_000), st.floats(0.1, 30))
@settings(max_examples=30, deadline=None)
def test_certainty_is_the_logit_of_the_largest_probability(seed, spread):
    logits = np.random.default_rng(seed).normal(0, spread, (7, 4)).astype(np.float32)
    for name, oracle in (
        ("softmax", scipy.special.softmax(logits.astype(np.float64), axis=1)),
        ("sigmoid", scipy.special.expit(logits.astype(np.float64))),
    ):
        found = scipy.special.expit(fallback.largest(logits, name))
        np.testing.assert_allclose(found, oracle.max(axis=1), rtol=1e-9)


def test_certainties_whose_probability_rounds_to_1_stay_apart():
    logits = np.array([[60, 0], [80, 0], [70, 0]], np.float32)
    for name in fallback.CERTAINTIES:
        assert np.argsort(fallback.largest(logits, name)).tolist() == [0, 2, 1]
    assert fallback.largest(np.ones((2, 1)), "softmax").tolist() == [np.inf] * 2


@pytest.mark.parametrize("certainty", fallback.CERTAINTIES)
def test_rows_below_the_threshold_are_the_second_members(pair, certainty):
    first, second = make(0, 1.5), make(1, 1.0)
    chance = 0.9
    rule = fallback.Fallback(scipy.special.logit(chance), certainty)
    found, asked = fallback.combine(pair(first, second), rule)
    logits = first.logits.astype(np.float64)
    of = {
        "softmax": lambda: scipy.special.softmax(logits, axis=1),
        "sigmoid": lambda: scipy.special.expit(logits),
    }[certainty]()
    unsure = of.max(axis=1) < chance
    assert 0 < unsure.sum() == asked < ROWS
    expected = np.where(unsure[:, None], second.logits, first.logits)
    np.testing.assert_array_equal(found.logits, expected)
    assert found.kernel is None
    assert found.source["fell_back"] == asked
    assert found.source["below"] == pytest.approx(chance)


def test_never_and_always_are_the_members_themselves(pair):
    first, second = make(0, 1.5), make(1, 1.0)
    both = pair(first, second)
    for below, expected in ((-np.inf, first), (np.inf, second)):
        found, _ = fallback.combine(both, fallback.Fallback(below))
        np.testing.assert_array_equal(found.logits, expected.logits)
        found.save(both[0].predictions + "_again")


def _score(figure, logits, truth):
    if figure == "mean_f2":
        return f2.mean_f2(logits, 0.0, truth)
    name = {"top_1": "top_1", "macro_top_1": "macro_top_1"}[figure]
    ranked = ranking.Ranked(ranking.of_logits(logits), truth)
    return float(ranked.headline(np.ones((1, len(truth))))[name][0])


@pytest.mark.parametrize("figure", fallback.FIGURES)
@pytest.mark.parametrize(("noise", "other"), [(1.5, 1.5), (3, 0.5), (0.1, 4)])
def test_the_threshold_is_the_best_of_all(pair, figure, noise, other):
    first, second = make(0, noise), make(1, other)
    both = pair(first, second)
    found = fallback.fit(both, figure)
    certainty = fallback.largest(first.logits)
    tried, counts = [], []
    for cut in [-np.inf, *np.unique(certainty), np.inf]:
        unsure = (certainty < cut)[:, None]
        logits = np.where(unsure, second.logits, first.logits)
        tried.append(_score(figure, logits, first.truth))
        counts.append(int(unsure.sum()))
    assert found.figure == pytest.approx(max(tried))
    assert found.first == pytest.approx(tried[0])
    assert found.second == pytest.approx(tried[-1])
    combined, asked = fallback.combine(both, found.rule)
    reached = _score(figure, combined.logits, first.truth)
    assert reached == pytest.approx(found.figure)
    assert found.asked == asked / ROWS
    # of equals, the second is asked least often
    assert asked == counts[int(np.argmax(np.round(tried, 9)))]


def test_top_1_of_several_labels_is_a_share_of_images_with_one(pair):
    first = make(0, 2.0, several=True)
    empty = labels.SparseLabels.from_dense(
        first.truth.multi_hot() & (np.arange(ROWS) > 4)[:, None]
    )
    first = dataclasses.replace(first, truth=empty)
    second = dataclasses.replace(make(1, 2.0), truth=empty)
    found = fallback.fit(pair(first, second), "top_1")
    truth = empty.multi_hot()
    right = truth[np.arange(ROWS), first.logits.argmax(axis=1)]
    assert found.first == pytest.approx(right[5:].mean())


def test_a_single_label_figure_is_the_accuracy_of_scikit_learn(pair):
    first, second = make(0, 3.0), make(1, 3.0)
    truth = first.truth.multi_hot().argmax(axis=1)
    for figure, oracle in (
        ("top_1", metrics.accuracy_score),
        ("macro_top_1", metrics.balanced_accuracy_score),
    ):
        found = fallback.fit(pair(first, second), figure)
        expected = oracle(truth, first.logits.argmax(axis=1))
        assert found.first == pytest.approx(expected)


def test_what_cannot_be_is_refused(pair):
    both = pair(make(0, 1.0), make(1, 1.0))
    for act, message in (
        (lambda: fallback.combine(both[:1], fallback.Fallback(0.0)), "2 members"),
        (lambda: fallback.fit([*both, both[0]]), "2 members"),
        (lambda: fallback.fit(both, "accuracy"), "mean_f2, top_1"),
        (lambda: fallback.Fallback(0.0, "entropy"), "softmax, sigmoid"),
        (lambda: fallback.Fallback(np.nan), "NaN"),
    ):
        with pytest.raises(errors.SettingError, match=message):
            act()
    nothing = labels.SparseLabels.from_lists([[]] * ROWS, CLASSES)
    both = pair(*(dataclasses.replace(make(s, 1.0), truth=nothing) for s in (0, 1)))
    with pytest.raises(errors.DataError, match="no image shows a label"):
        fallback.fit(both, "macro_top_1")
