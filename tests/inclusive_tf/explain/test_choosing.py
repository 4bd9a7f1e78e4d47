"""Rankings by label, by group and in pairs, and what is taken from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import spatial

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.explain import choosing, errors_by_part, errors_to_explain

GROUPS = ("north", "south", "east")


def _predictions(seed, count=80, classes=4):
    random = np.random.default_rng(seed)
    truth = random.random((count, classes)) < 0.4
    truth[np.arange(count), random.integers(classes, size=count)] = True
    return predictions.Predictions(
        ids=np.array([f"image {row}" for row in range(count)], dtype=str),
        logits=random.normal(0, 2, (count, classes)).astype(np.float32),
        features=random.normal(size=(count, 3)).astype(np.float32),
        truth=labels.SparseLabels.from_dense(truth),
        unlisted_is_absent=True,
        group=random.integers(0, 3, count).astype(np.int32),
        group_names=GROUPS,
        training_counts=np.arange(classes),
        vocabulary=labels.Vocabulary([f"/m/{label}" for label in range(classes)]),
    )


SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 3)))
def test_ranks_within_a_part_count_what_stood_before(part):
    expected = [part[:place].count(one) for place, one in enumerate(part)]
    assert errors_by_part.ranks_within(np.array(part, int)).tolist() == expected


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_groups_come_in_turn_each_by_loss(seed):
    data = _predictions(seed)
    found = errors_by_part.per_group(data, 0.0, len(data))
    worst = errors_to_explain.worst(data, 0.0, len(data))
    assert {case.row for case in found} == {case.row for case in worst}
    for group in range(3):
        expected = [case.row for case in worst if data.group[case.row] == group]
        own = [case.row for case in found if data.group[case.row] == group]
        assert own == expected
    first = [data.group[case.row] for case in found[:3]]
    assert first == sorted(set(data.group[[case.row for case in found]]))[:3]


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_labels_come_in_turn_each_by_how_clear_the_error_is(seed):
    data = _predictions(seed)
    present = data.truth.multi_hot()
    wrong = (data.logits >= 0.5) & ~present
    missed = (data.logits < 0.5) & present
    found = errors_by_part.per_class(data, 0.5, len(data))
    rows = [case.row for case in found]
    assert set(rows) == set(np.flatnonzero((wrong | missed).any(axis=1)))
    assert len(set(rows)) == len(rows)
    counts = (wrong | missed).sum(axis=0)
    commonest = int(np.argmax(counts))
    clear = np.where(wrong | missed, np.abs(data.logits - 0.5), -1)
    row = int(np.argmax(clear[:, commonest]))
    assert found[0].row == row
    role = "wrong" if wrong[row, commonest] else "missed"
    assert getattr(found[0], role) == commonest
    for case in found:
        assert case.wrong is None or wrong[case.row, case.wrong]
        assert case.missed is None or missed[case.row, case.missed]


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_pairs_are_of_one_label_in_two_groups_and_nearest_by_features(seed):
    data = _predictions(seed)
    present = data.truth.multi_hot()
    given_ = data.logits >= 0
    for pair in errors_by_part.right_here_wrong_there(data, 0.0, 20):
        there, here = pair.missed.row, pair.found.row
        assert (data.group[there], data.group[here]) == (pair.there, pair.here)
        assert pair.missed.missed == pair.found.right == pair.label
        assert present[there, pair.label]
        assert not given_[there, pair.label]
        assert present[here, pair.label]
        assert given_[here, pair.label]
        right = present[:, pair.label] & given_[:, pair.label]
        base = np.flatnonzero(right & (data.group == pair.here))
        far = spatial.distance.cdist(data.features[[there]], data.features[base])[0]
        assert here == base[far.argmin()]
        recalls = [
            given_[present[:, pair.label] & (data.group == group), pair.label].mean()
            for group in (pair.here, pair.there)
        ]
        assert recalls[0] > recalls[1]


def test_the_clearest_difference_of_groups_comes_first():
    data = _predictions(0, count=60, classes=2)
    truth = np.ones((60, 2), bool)
    group = np.arange(60) % 2
    logits = np.ones((60, 2), np.float32)
    logits[1::2, 1] = -1
    logits[:4, 0] = -1
    data = predictions.Predictions(
        **{
            **vars(data),
            "truth": labels.SparseLabels.from_dense(truth),
            "group": group.astype(np.int32),
            "logits": logits,
        }
    )
    found = errors_by_part.right_here_wrong_there(data, 0.0, 3)
    assert [pair.label for pair in found] == [1, 1, 1]
    assert {(pair.here, pair.there) for pair in found} == {(0, 1)}


def test_equal_groups_make_no_pair():
    data = _predictions(0, count=8, classes=1)
    data = predictions.Predictions(
        **{
            **vars(data),
            "truth": labels.SparseLabels.from_dense(np.ones((8, 1))),
            "logits": -np.ones((8, 1), np.float32),
        }
    )
    assert errors_by_part.right_here_wrong_there(data, 0.0, 3) == []


@pytest.mark.parametrize("kind", choosing.KINDS)
def test_each_ranking_says_why_and_obeys_the_count(kind):
    data = _predictions(3)
    found = choosing.choose(data, 0.0, 6, [0, 1], [kind])
    # there are only so many pairs
    assert len(found) == (5 if kind == "pairs" else 6)
    assert {one.kind for one in found} == {kind}
    assert all((one.beside is not None) == (kind == "pairs") for one in found)
    if kind == "pairs":
        assert all(
            f"missed in {GROUPS[data.group[one.case.row]]}" in one.why for one in found
        )


def test_rankings_are_taken_from_in_turn_and_no_image_stands_twice():
    data = _predictions(4)
    found = choosing.choose(data, 0.0, 30, None, ["loss", "group", "confident"])
    assert [one.kind for one in found[:1]] == ["loss"]
    rows = [one.case.row for one in found]
    assert len(set(rows)) == len(rows) == 30
    assert {one.kind for one in found} == {"loss", "group", "confident"}


@pytest.mark.parametrize(("kinds", "said"), [([], "none"), (["worst"], "worst")])
def test_an_unknown_ranking_is_refused(kinds, said):
    with pytest.raises(errors.SettingError, match=f"Received: {said}"):
        choosing.choose(_predictions(0), 0.0, 5, None, kinds)


def test_no_errors_give_no_choice():
    data = _predictions(0).take(np.zeros(0, np.int64))
    assert choosing.choose(data, 0.0, 5, None, list(choosing.KINDS)) == []
