"""Classes that cannot be told apart, and what a merge would do."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics

from data_pipelines import errors, labels
from inclusive_tf.audit import confusions
from inclusive_tf.evaluation import f2, figures


@pytest.fixture
def twins(make_predictions):
    """Four classes; b and c are given by chance where either is shown."""
    generator = np.random.default_rng(0)
    true = np.arange(400) % 4
    shown = np.arange(4) == true[:, None]
    logits = np.where(shown, 3.0, -3.0) + generator.normal(size=(400, 4))
    either = (true == 1) | (true == 2)
    coin = generator.random(400) < 0.5
    logits[either, 1] = np.where(coin[either], 2, -2) + generator.normal(size=200)
    logits[either, 2] = np.where(coin[either], -2, 2) + generator.normal(size=200)
    return make_predictions(logits, shown)


def test_twins_come_first_with_both_directions_counted(twins):
    first, *others = confusions.pairs(twins, 0.0)
    assert (first["a"]["id"], first["b"]["id"], first["apart"]) == ("b", "c", False)
    assert all(pair["apart"] for pair in others)
    given, shown = np.asarray(twins.logits) >= 0, twins.truth.multi_hot()
    for key, a, b in (("as_b", 1, 2), ("as_a", 2, 1)):
        only = shown[:, a] & ~shown[:, b]
        wrongly = only & given[:, b] & ~given[:, a]
        side = first[key]
        assert (side["images"], side["n"]) == (wrongly.sum(), only.sum())
        assert side["low"] < side["value"] == wrongly.sum() / only.sum() < side["high"]
    one = shown[:, 1] != shown[:, 2]
    difference = twins.logits[one, 1] - twins.logits[one, 2]
    expected = metrics.roc_auc_score(shown[one, 1], difference)
    assert first["in_order"]["value"] == pytest.approx(expected)


def test_a_class_that_is_never_given_is_still_not_told_apart(twins):
    threshold = np.array([0.0, 0.0, 30.0, 0.0])
    first = confusions.pairs(twins, threshold)[0]
    assert (first["a"]["id"], first["b"]["id"], first["apart"]) == ("b", "c", False)
    assert first["as_b"]["images"] == 0


def test_a_label_that_implies_another_is_not_confused_with_it(make_predictions):
    shown = np.zeros((60, 2), bool)
    shown[:40, 0] = True  # the family
    shown[:20, 1] = True  # the member, always with it
    logits = np.where(shown, 1.0, -1.0) * np.where(np.arange(60) % 5, 1, -1)[:, None]
    assert confusions.pairs(make_predictions(logits, shown), 0.0) == []


def test_nothing_is_confused_in_what_is_right(make_predictions):
    shown = np.eye(3, dtype=bool)[np.arange(30) % 3]
    assert confusions.pairs(make_predictions(np.where(shown, 1, -1), shown), 0.0) == []


def test_unknown_labels_count_on_neither_side(make_predictions):
    generator = np.random.default_rng(7)
    stated = generator.choice([0.0, 1.0, -1.0], (200, 4), p=[0.4, 0.4, 0.2])
    rows, index = np.nonzero(stated >= 0)
    truth = labels.SparseLabels(
        np.concatenate([[0], np.cumsum((stated >= 0).sum(axis=1))]).astype(np.int64),
        index.astype(np.int32), stated[rows, index].astype(np.float32), 4,
    )  # fmt: skip
    made = make_predictions(generator.normal(size=(200, 4)), stated > 0)
    made = dataclasses.replace(made, truth=truth, unlisted_is_absent=False)
    given = np.asarray(made.logits) >= 0
    found = confusions.pairs(made, 0.0)
    assert len(found) == 6
    for pair in found:
        a, b = pair["a"]["position"], pair["b"]["position"]
        for key, x, y in (("as_b", a, b), ("as_a", b, a)):
            only = (stated[:, x] == 1) & (stated[:, y] == 0)
            wrongly = only & given[:, y] & ~given[:, x]
            assert (pair[key]["images"], pair[key]["n"]) == (wrongly.sum(), only.sum())


def test_a_merged_class_is_shown_and_given_where_either_is(twins):
    threshold = np.array([0.5, -0.5, 0.0, 1.0])
    found = confusions.merged(twins, threshold, 1, 2)
    assert found.vocabulary.ids == ("a", "b", "d")
    given, shown = np.asarray(twins.logits) >= threshold, twins.truth.multi_hot()
    np.testing.assert_array_equal(
        np.asarray(found.logits)[:, 1] >= 0, given[:, 1] | given[:, 2]
    )
    np.testing.assert_array_equal(
        found.truth.multi_hot()[:, 1], shown[:, 1] | shown[:, 2]
    )
    np.testing.assert_array_equal(
        np.asarray(found.logits)[:, [0, 2]] >= 0, given[:, [0, 3]]
    )
    assert found.training_counts.tolist() == [200, 400, 200]


def test_what_is_known_of_a_merged_class(make_predictions):
    # absent only where both are; unknown where one is and the other does not show
    stated = {0: (0.0, 0.0), 1: (0.0, None), 2: (1.0, None), 3: (None, 1.0)}
    rows = [
        [(label, value) for label, value in enumerate(row) if value is not None]
        for row in stated.values()
    ]
    truth = labels.SparseLabels(
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        np.array([label for row in rows for label, _ in row], np.int32),
        np.array([value for row in rows for _, value in row], np.float32),
        2,
    )
    made = make_predictions(np.zeros((4, 2)), np.zeros((4, 2), bool))
    made = dataclasses.replace(made, truth=truth, unlisted_is_absent=False)
    found = confusions.merged(made, 0.0, 0, 1).truth.targets(False)[:, 0]
    assert found.tolist() == [0.0, labels.UNKNOWN, 1.0, 1.0]


def test_the_effect_is_the_difference_of_the_figures(twins):
    found = confusions.effect_of_merging(twins, 0.0, 1, 2, resamples=100)
    after = figures.figures(confusions.merged(twins, 0.0, 1, 2), 0.0, 10)
    before = figures.figures(twins, 0.0, 10)
    for name in confusions.FIGURES:
        one = found[name]
        assert one["before"] == pytest.approx(before["measures"][name]["value"])
        assert one["after"] == pytest.approx(after["measures"][name]["value"])
        assert one["difference"] == pytest.approx(one["after"] - one["before"])
        assert 0 < one["low"] < one["difference"] < one["high"]
    given = f2.decisions(twins.logits, 0.0).multi_hot()
    shown = twins.truth.multi_hot()
    score = metrics.fbeta_score(shown, given, beta=2, average="samples")
    assert found["mean_f2"]["before"] == pytest.approx(score)


def test_a_label_is_not_merged_with_itself(twins):
    with pytest.raises(errors.DataError, match="merged with itself"):
        confusions.merged(twins, 0.0, 1, 1)
