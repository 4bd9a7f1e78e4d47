"""Which labels are doubted, why, and in what order."""

import builtins
import dataclasses

import numpy as np
import pytest
from cleanlab.multilabel_classification import filter as multilabel_filter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from data_pipelines import errors, labels, suspects
from inclusive_tf.audit import label_suspects, out_of_sample


def test_entries_are_those_that_cleanlab_finds_for_multilabel_data():
    generator = np.random.default_rng(1)
    shown = generator.random((200, 4)) < (0.5, 0.3, 0.2, 0.1)
    logits = np.where(shown, 2.0, -2.0) + 2 * generator.normal(size=shown.shape)
    found, judged = label_suspects.doubted(shown.astype(np.float32), logits)
    expected = multilabel_filter.find_multilabel_issues_per_class(
        [np.flatnonzero(row).tolist() for row in shown],
        special.expit(logits),
        n_jobs=1,
    )
    np.testing.assert_array_equal(found, expected)
    assert judged.all()


def test_planted_labels_come_first_with_what_is_shown_instead(clustered):
    predictions, planted = clustered
    way = out_of_sample.WayConfig("refit")
    found = label_suspects.find(predictions, out_of_sample.logits(predictions, way))
    first = found.suspects[: len(planted)]
    expected = {
        (f"i{row:04d}", "abc"[g], "abc"[true]) for row, (true, g) in planted.items()
    }
    assert len({(one.id, one.label, one.new_label) for one in first} & expected) >= 28
    scores = [one.score for one in found.suspects]
    assert scores == sorted(scores, reverse=True)


def test_a_network_that_learnt_its_labels_by_heart_doubts_none(clustered):
    predictions, _ = clustered
    found = label_suspects.find(predictions, np.asarray(predictions.logits))
    assert found.suspects == []


def test_a_missing_label_beside_right_ones_is_told_apart_from_a_wrong_one(
    make_predictions,
):
    shown = np.zeros((60, 3), bool)
    shown[:30, 0] = True
    shown[20:45, 1] = True
    shown[50:, 2] = True
    logits = np.where(shown, 4.0, -4.0)
    logits[0, 1] = 5.0  # a is right, b is not given: they come together elsewhere
    found = label_suspects.find(make_predictions(logits, shown), logits)
    (one,) = found.suspects
    assert (one.kind, one.label, one.new_label) == ("missing_label", "", "b")
    assert one.score == pytest.approx(special.expit(2.5))
    assert found.missing.tolist() == [0, 1, 0]


def test_labels_that_never_come_together_both_fit(make_predictions):
    shown = np.repeat(np.eye(2, dtype=bool), 30, axis=0)
    logits = np.where(shown, 4.0, -4.0)
    logits[3, 1] = 5.0
    found = label_suspects.find(make_predictions(logits, shown), logits)
    (one,) = found.suspects
    assert (one.kind, one.label, one.new_label) == ("several_fit", "a", "b")


def test_what_is_unknown_is_not_doubted(make_predictions):
    shown = np.repeat(np.eye(2, dtype=bool), 30, axis=0)
    targets = np.where(shown, 1.0, 0.0)
    logits = np.where(shown, 4.0, -4.0)
    logits[3] = (-5.0, 5.0)
    rows, index = np.nonzero(np.ones_like(shown))
    confidence = targets[rows, index].astype(np.float32)
    keep = ~((rows == 3) & (index == 0))
    truth = labels.SparseLabels(
        np.concatenate([[0], np.cumsum(np.bincount(rows[keep]))]).astype(np.int64),
        index[keep].astype(np.int32),
        confidence[keep],
        2,
    )
    made = make_predictions(logits, shown, truth=truth, unlisted_is_absent=False)
    found = label_suspects.find(made, logits)
    assert {(one.kind, one.id, one.new_label) for one in found.suspects} == {
        ("missing_label", "i0003", "b")
    }


def test_what_is_general_replaces_what_is_general():
    counts = np.array([10, 200, 50, 300])
    assert label_suspects._paired([1, 0], [3, 2], counts) == {0: 2, 1: 3}
    assert label_suspects._paired([1, 0], [3], counts) == {1: 3}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 5))
def test_every_suspect_can_be_written_and_read(tmp_path_factory, seed, classes):
    generator = np.random.default_rng(seed)
    shown = generator.random((40, classes)) < 0.4
    shown[:5], shown[5:10] = True, False
    logits = 3 * generator.normal(size=shown.shape)
    from inclusive_tf import predictions as predictions_module

    made = predictions_module.Predictions(
        ids=np.array([f"i{row}" for row in range(40)]),
        logits=logits.astype(np.float32),
        features=np.zeros((40, 0), np.float32),
        truth=labels.SparseLabels.from_dense(shown),
        unlisted_is_absent=True,
        group=np.zeros(40, np.int32),
        group_names=("g",),
        training_counts=shown.sum(axis=0),
        vocabulary=labels.Vocabulary(tuple("abcde"[:classes])),
    )
    found = label_suspects.find(made, logits).suspects
    path = tmp_path_factory.mktemp("suspects") / "suspects.csv"
    suspects.write(path, found)
    read = suspects.read(path)
    assert [dataclasses.replace(one, score=0) for one in read] == [
        dataclasses.replace(one, score=0) for one in found
    ]
    given_to = {(row, label) for row, label in zip(*np.nonzero(shown), strict=True)}
    for one in found:
        row = int(one.id[1:])
        if one.label:
            assert (row, "abcde".index(one.label)) in given_to
        if one.new_label:
            assert (row, "abcde".index(one.new_label)) not in given_to


def test_one_rare_label_alone_cannot_be_doubted(make_predictions):
    shown = np.zeros((30, 2), bool)
    shown[:3, 0] = True
    made = make_predictions(np.zeros((30, 2)), shown)
    with pytest.raises(errors.DataError, match="no label can be doubted"):
        label_suspects.find(made, made.logits)


def test_without_cleanlab_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **keywords):
        if name.startswith("cleanlab"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[audit\]"):
        label_suspects.require()
