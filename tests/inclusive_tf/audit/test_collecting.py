"""What to collect next, and why."""

import numpy as np
import pytest

from inclusive_tf.audit import collecting


@pytest.fixture
def judged(make_predictions):
    """Two classes in two groups: class b is missed in the south."""
    count = 200
    group = (np.arange(count) % 2).astype(np.int32)
    shown = np.stack([np.arange(count) % 4 < 2, np.arange(count) % 4 >= 2], axis=1)
    logits = np.where(shown, 2.0, -2.0)
    logits[(group == 1) & shown[:, 1], 1] = -2.0
    return make_predictions(
        logits, shown, group=group, group_names=("north", "south", "empty"),
        training_counts=np.array([1000, 90]),
    )  # fmt: skip


def test_cells_count_what_scikit_learn_counts(judged):
    from sklearn import metrics

    shown, given = judged.truth.multi_hot(), np.asarray(judged.logits) >= 0
    for cell in collecting.cells(judged, 0.0):
        rows = judged.group == judged.group_names.index(cell["group"])
        label = judged.vocabulary.ids.index(cell["label"])
        expected = metrics.recall_score(shown[rows, label], given[rows, label])
        assert cell["recall"]["value"] == pytest.approx(expected)
        assert cell["n"] == shown[rows, label].sum()
        assert not cell["training_in_group"]
        assert cell["training"] == judged.training_counts[label]


def test_what_is_missed_most_for_its_training_images_comes_first(judged):
    cells = np.array([[500, 500, 0], [80, 10, 3]])
    found = collecting.next_(collecting.cells(judged, 0.0, cells))
    first = found[0]
    assert (first["name"], first["group"], first["for"]) == ("b", "south", "training")
    assert first["priority"] == 1.0
    assert "50 of 50 images missed" in first["reason"]
    assert "10 training images of this group" in first["reason"]
    # a group that training had and nothing judges has to be collected for evaluation
    assert {(one["name"], one["group"], one["for"]) for one in found[1:]} == {
        ("a", "empty", "evaluation"), ("b", "empty", "evaluation")
    }  # fmt: skip


def test_an_empty_group_is_no_cell_and_no_images_no_recall(judged):
    cells = collecting.cells(judged, 0.0)
    assert {cell["group"] for cell in cells} == {"north", "south"}
    rows = np.flatnonzero(judged.truth.multi_hot()[:, 0])
    few = collecting.cells(judged.take(rows), 0.0)
    assert all(c["recall"]["value"] is None for c in few if c["label"] == "b")


def test_nothing_is_ranked_where_nothing_is_missed(judged):
    north = judged.take(judged.group == 0)
    assert collecting.next_(collecting.cells(north, 0.0)) == []
