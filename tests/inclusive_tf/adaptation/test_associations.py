"""Labels that come together are counted right and measured as the formulas say."""

import json

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.adaptation import association_files, associations

_matrices = hypothesis.extra.numpy.arrays(
    np.int8,
    st.tuples(st.integers(1, 25), st.integers(1, 6)),
    elements=st.sampled_from([-1, 0, 1]),
)


def _sparse(stated):
    """1: present, -1: verified absent, 0: not stated."""
    rows, index = np.nonzero(stated)
    offsets = np.concatenate([[0], np.cumsum((stated != 0).sum(axis=1))])
    confidence = (stated[rows, index] > 0).astype(np.float32)
    return labels.SparseLabels(
        offsets.astype(np.int64), index.astype(np.int32), confidence, stated.shape[1]
    )


def _pairs(counts):
    """{(i, j): (together, expected, comparable)}."""
    row, column = counts.together.tocoo().coords
    values = counts.together.data, counts.expected, counts.comparable
    return dict(
        zip(
            zip(row.tolist(), column.tolist(), strict=True),
            zip(*(array.tolist() for array in values), strict=True),
            strict=True,
        )
    )


@hypothesis.given(_matrices, st.booleans())
@hypothesis.settings(max_examples=60, deadline=None)
def test_pairs_are_counted_as_looking_at_each_pair_would(stated, unlisted_is_absent):
    found = associations.count(_sparse(stated), unlisted_is_absent)
    np.testing.assert_array_equal(found.label, (stated > 0).sum(axis=0))
    assert found.images == len(stated)
    expected = {}
    for i in range(stated.shape[1]):
        for j in range(stated.shape[1]):
            one, other = stated[:, i], stated[:, j]
            if not unlisted_is_absent:
                both_known = (one != 0) & (other != 0)
                one, other = one[both_known], other[both_known]
            one, other = one > 0, other > 0
            if i != j and (one & other).any():
                by_chance = one.sum() * other.sum() / len(one)
                expected[i, j] = ((one & other).sum(), by_chance, len(one))
    pairs = _pairs(found)
    assert pairs.keys() == expected.keys()
    for pair, values in expected.items():
        assert pairs[pair] == pytest.approx(values)


def test_chunks_give_what_the_whole_gives(monkeypatch):
    truth = labels.SparseLabels.from_dense(
        np.random.default_rng(0).random((500, 12)) < 0.3
    )
    whole = _pairs(associations.count(truth))
    monkeypatch.setattr(associations, "_CHUNK_ROWS", 7)
    assert _pairs(associations.count(truth)) == whole


def _weights(truth, *arguments):
    matrix, together = associations.measure(associations.count(truth), *arguments)
    assert len(together) == matrix.nnz
    return matrix.toarray()


def test_strengths_are_those_of_the_formulas():
    # n = 8, n_0 = 4, n_1 = 4, n_2 = 2; n_01 = 4, n_02 = 1, n_12 = 1
    rows = [[0, 1], [0, 1], [0, 1], [0, 1, 2], [2], [], [], []]
    truth = labels.SparseLabels.from_lists(rows, 3)
    plain = _weights(truth, "ppmi", 0.0)
    assert plain[0, 1] == pytest.approx(np.log(4 * 8 / (4 * 4)))
    # once together, once by chance
    assert plain[0, 2] == plain[1, 2] == 0
    shrunk = _weights(truth, "ppmi", 0.5)
    assert shrunk[0, 1] == pytest.approx(np.log(4.5 / 2.5))
    # never one without the other
    assert _weights(truth, "npmi", 0.0)[0, 1] == pytest.approx(1.0)
    np.testing.assert_array_equal(shrunk, shrunk.T)


def test_a_pair_seen_once_counts_less_than_one_seen_often():
    once = [[0, 1], *[[]] * 99]
    often = [[2, 3]] * 20 + [[]] * 1980
    rows = once * 20
    truth = labels.SparseLabels.from_lists(
        [[*a, *b] for a, b in zip(rows, often, strict=True)], 4
    )
    lonely = labels.SparseLabels.from_lists(once, 2)
    assert _weights(truth)[2, 3] > 2 * _weights(lonely)[0, 1]
    # without shrinkage both are the logarithm of 100
    assert _weights(truth, "ppmi", 0.0)[2, 3] == pytest.approx(np.log(100))
    assert _weights(lonely, "ppmi", 0.0)[0, 1] == pytest.approx(np.log(100))


def test_independent_labels_are_hardly_associated():
    truth = labels.SparseLabels.from_dense(
        np.random.default_rng(1).random((20_000, 6)) < (0.5, 0.4, 0.3, 0.2, 0.1, 0.1)
    )
    assert _weights(truth).max() < 0.15
    assert _weights(truth, "npmi").max() < 0.05


def test_unknown_measures_and_shrinkages_are_refused():
    counts = associations.count(labels.SparseLabels.from_lists([[0, 1]], 2))
    with pytest.raises(errors.SettingError, match=r"no measure 'pmi'.*ppmi, npmi"):
        associations.measure(counts, "pmi")
    with pytest.raises(errors.SettingError, match="0 or more, received -1"):
        associations.measure(counts, "ppmi", -1)
    with pytest.raises(errors.SettingError, match="received nan"):
        associations.measure(counts, "ppmi", float("nan"))


@pytest.fixture
def some():
    rows = [[0, 1], [0, 1], [0, 1], [2, 3], [2, 3], [0], [3], [], []]
    counts = associations.count(labels.SparseLabels.from_lists(rows, 4))
    weights, together = associations.measure(counts)
    return associations.Associations(
        weights=weights,
        together=together,
        label=counts.label,
        images=counts.images,
        vocabulary=labels.Vocabulary(tuple("abcd"), ("Ä,", "B\r", "C", "D")),
        measure="ppmi",
        shrinkage=0.5,
        counted_ids=np.array(["one", "zwölf"]),
        source={"splits": ["train"]},
        notes=("3 of them",),
    )


def test_the_strongest_pairs_come_first_and_once(some):
    found = some.strongest(10)
    assert [pair[:2] for pair in found] == [(0, 1), (2, 3)] or [
        pair[:2] for pair in found
    ] == [(2, 3), (0, 1)]
    weights = [pair[2] for pair in found]
    assert weights == sorted(weights, reverse=True)
    assert {pair[:2]: pair[3] for pair in found} == {(0, 1): 3, (2, 3): 2}
    assert some.strongest(1) == found[:1]


def test_they_come_back_from_their_folder(some, tmp_path):
    association_files.save(tmp_path / "one", some)
    found = association_files.load(tmp_path / "one")
    np.testing.assert_array_equal(found.weights.toarray(), some.weights.toarray())
    np.testing.assert_array_equal(found.counted_ids, some.counted_ids)
    assert found.strongest(5) == some.strongest(5)
    assert found.vocabulary == some.vocabulary
    for name in ("images", "measure", "shrinkage", "source", "notes"):
        assert getattr(found, name) == getattr(some, name)
    pairs = (tmp_path / "one" / "pairs.csv").read_bytes().decode()
    assert pairs.startswith("label,name,other_label,other_name,weight,together,")
    assert '"Ä,"' in pairs


def test_changed_foreign_and_missing_folders_are_refused(some, tmp_path):
    folder = tmp_path / "one"
    with pytest.raises(errors.DataError, match="not a folder of associations"):
        association_files.load(folder)
    association_files.save(folder, some)
    facts = json.loads((folder / "associations.json").read_text())
    other = facts | {"vocabulary": facts["vocabulary"] | {"ids": list("abdc")}}
    (folder / "associations.json").write_text(json.dumps(other))
    with pytest.raises(errors.DataError, match="does not match its hash"):
        association_files.load(folder)
    (folder / "associations.json").write_text(json.dumps(facts | {"format": 7}))
    with pytest.raises(errors.DataError, match="another format"):
        association_files.load(folder)
    (folder / "associations.json").write_text(json.dumps(facts))
    arrays = folder / "associations.npz"
    arrays.write_bytes(arrays.read_bytes() + b"x")
    with pytest.raises(errors.DataError, match="does not match its sum"):
        association_files.load(folder)
