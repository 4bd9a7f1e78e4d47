"""Sparse truth agrees with dense matrices, and tables select what they say."""

import dataclasses
import json

import hypothesis
import hypothesis.extra.numpy as hypothesis_numpy
import hypothesis.strategies as st
import numpy as np
import pytest

from data_pipelines import errors, labels

_CONFIDENCES = hypothesis_numpy.arrays(
    np.float32,
    hypothesis_numpy.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6),
    elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]).map(np.float32),
)


@hypothesis.given(_CONFIDENCES)
def test_sparse_labels_agree_with_the_dense_matrix(dense):
    sparse = labels.SparseLabels.from_dense(dense)
    assert len(sparse) == len(dense)
    np.testing.assert_array_equal(sparse.targets(unlisted_is_absent=True), dense)
    np.testing.assert_array_equal(sparse.multi_hot(), dense >= labels.PRESENT)
    np.testing.assert_array_equal(sparse.counts(), (dense >= labels.PRESENT).sum(0))
    only_present = np.where(dense >= labels.PRESENT, dense, 0)
    np.testing.assert_array_equal(sparse.present().targets(True), only_present)
    unknown = np.where(dense > 0, dense, labels.UNKNOWN)
    np.testing.assert_array_equal(sparse.targets(False), unknown)


@hypothesis.given(_CONFIDENCES, st.data())
def test_taking_rows_of_sparse_labels_is_indexing(dense, data):
    sparse = labels.SparseLabels.from_dense(dense)
    rows = st.integers(0, max(0, len(dense) - 1))
    chosen = data.draw(st.lists(rows, max_size=8 if len(dense) else 0))
    chosen = np.array(chosen, np.int64)
    np.testing.assert_array_equal(sparse.take(chosen).targets(True), dense[chosen])
    mask = np.isin(np.arange(len(dense)), chosen)
    np.testing.assert_array_equal(sparse.take(mask).targets(True), dense[mask])


def test_a_verified_absence_is_stated_but_not_present():
    sparse = labels.SparseLabels(
        np.array([0, 2]), np.array([0, 2]), np.array([0.0, 1.0], np.float32), 3
    )
    assert sparse.multi_hot().tolist() == [[False, False, True]]
    assert sparse.targets(False).tolist() == [[0.0, labels.UNKNOWN, 1.0]]


@pytest.mark.parametrize(
    ("ids", "names"), [(("a", "a"), ()), (("a", ""), ()), (("a", "b"), ("one",))]
)
def test_a_vocabulary_with_empty_repeated_or_unnamed_ids_is_refused(ids, names):
    with pytest.raises(errors.DataError):
        labels.Vocabulary(ids, names)


def test_a_vocabulary_comes_back_from_json_and_a_changed_one_is_refused():
    vocabulary = labels.Vocabulary(("b", "a"), ("Bee", "Ay"))
    stored = json.loads(json.dumps(vocabulary.to_json()))
    assert labels.Vocabulary.from_json(stored) == vocabulary
    stored["ids"].reverse()
    with pytest.raises(errors.DataError, match=r"v\.json.*match its hash"):
        labels.Vocabulary.from_json(stored, "v.json")


def test_names_are_no_part_of_the_hash_and_order_is():
    hashes = {
        labels.Vocabulary(ids, names).hash
        for ids, names in [
            (("a", "b"), ("x", "y")),
            (("a", "b"), ("x", "x")),
            (("b", "a"), ("y", "x")),
            (("ab",), ()),
        ]
    }
    assert len(hashes) == 3


def _table():
    return labels.LabelTable(
        ids=np.array(["a", "b", "c"]),
        locations=np.array(["a.png", "b.png", "c.png"]),
        labels=labels.SparseLabels.from_lists([[0], [1], [0, 1]], 2),
        vocabulary=labels.Vocabulary(("x", "y")),
        group=np.array([0, 1, 0], np.int32),
        group_names=("north", "south", "empty"),
        split=np.array([0, 1, 0], np.int32),
        split_names=("train", "stage_1", "stage_2"),
        columns={"half": np.array(["left", "right", "both"])},
    )


def test_a_split_holds_its_examples_and_their_columns():
    chosen = _table().select_split("train")
    assert chosen.ids.tolist() == ["a", "c"]
    assert chosen.columns["half"].tolist() == ["left", "both"]
    assert chosen.labels.multi_hot().tolist() == [[True, False], [True, True]]
    assert chosen.group_counts() == {"north": 2, "south": 0, "empty": 0}


def test_texts_given_as_a_string_array_are_kept_each_as_long_as_it_is():
    texts = np.array(["a", "much longer", ""])
    table = dataclasses.replace(_table(), text=texts, columns={"half": texts})
    for found in (table.text, table.columns["half"], table.take([1, 0, 2]).text):
        assert found.dtype == object
    assert table.take([2, 1]).text.tolist() == ["", "much longer"]
    assert _table().text is None


def test_split_counts_name_empty_splits_too():
    assert _table().split_counts() == {"train": 2, "stage_1": 1, "stage_2": 0}


@pytest.mark.parametrize("name", ["stage_2", "holdout"])
def test_an_empty_or_unknown_split_is_an_error_that_names_it(name):
    with pytest.raises(errors.DataError, match=name):
        _table().select_split(name)
