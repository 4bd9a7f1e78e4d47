"""Pairs of classes that cannot be told apart."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics

from data_pipelines import labels
from inclusive_tf.audit import confusions


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
