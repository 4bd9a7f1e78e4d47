"""A phase learns from chosen rows and labels, and the label table says so."""

import csv
import dataclasses

import numpy as np
import pytest

from data_pipelines import errors, labels, training_set

NAMES = ("a", "b", "c", "d")


def table(cluster=None):
    """Ten training rows, four of tuning, two of stage; a is commonest, d unseen."""
    shown = [[0], [0], [0], [0, 1], [0, 1], [1], [1, 2], [2], [], [0]]
    shown += [[3], [0, 2], [1], [2, 3], [0], [3]]
    split = np.repeat([0, 1, 2], [10, 4, 2]).astype(np.int32)
    return labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(16)]),
        locations=np.array([f"{row}.png" for row in range(16)]),
        labels=labels.SparseLabels.from_lists(shown, 4),
        vocabulary=labels.Vocabulary(NAMES),
        group=np.zeros(16, np.int32),
        group_names=("g",),
        split=split,
        split_names=("train", "tuning", "stage"),
        cluster=cluster,
    )


def ids(found, split):
    return found.select_split(split).ids.tolist()


def test_the_usual_training_set_leaves_the_table_as_it_is():
    before = table()
    after, notes = training_set.apply(before, training_set.TrainingSetConfig())
    assert after is before
    assert notes == []


def test_a_tuning_set_becomes_the_training_set():
    config = training_set.TrainingSetConfig(splits=("tuning",))
    found, notes = training_set.apply(table(), config)
    assert ids(found, "train") == ["id10", "id11", "id12", "id13"]
    assert ids(found, "stage") == ["id14", "id15"]
    assert "tuning" not in found.split_names
    assert notes == ["10 images of train are not learnt from"]


def test_several_splits_are_learnt_from_together():
    config = training_set.TrainingSetConfig(splits=("train", "tuning"))
    found, _ = training_set.apply(table(), config)
    assert len(ids(found, "train")) == 14


def test_what_is_held_out_is_a_split_of_its_own_and_keeps_clusters_whole():
    cluster = np.repeat(np.arange(8), 2).astype(np.int32)
    config = training_set.TrainingSetConfig(held_out=0.4)
    found, notes = training_set.apply(table(cluster), config)
    train, apart = (set(ids(found, name)) for name in ("train", "held_out"))
    assert len(train | apart) == 10
    assert not train & apart
    assert notes == [f"{len(apart)} images are held out of training"]
    clusters = {f"id{row}": row // 2 for row in range(16)}
    assert not {clusters[one] for one in train} & {clusters[one] for one in apart}
    again, _ = training_set.apply(table(cluster), config)
    assert set(ids(again, "held_out")) == apart


def test_only_some_of_the_splits_can_be_held_out_of():
    config = training_set.TrainingSetConfig(
        splits=("train", "tuning"), held_out=0.5, held_out_of=("tuning",)
    )
    found, _ = training_set.apply(table(), config)
    assert set(ids(found, "held_out")) < {"id10", "id11", "id12", "id13"}
    assert len(ids(found, "train")) == 12


def test_the_head_is_the_commonest_labels_and_the_tail_the_other_ones():
    head, notes = training_set.apply(
        table(), training_set.TrainingSetConfig(labels="head", head_size=2)
    )
    assert head.vocabulary.ids == ("a", "b")
    assert "id7" not in head.ids
    assert "id8" in head.ids, "an image without labels has lost none"
    assert head.labels.take(head.ids == "id6").index.tolist() == [1]
    assert any("1 images of train show other labels only" in note for note in notes)
    assert any("2 images of tuning show other" in note for note in notes)
    tail, _ = training_set.apply(
        table(), training_set.TrainingSetConfig(labels="tail", head_size=2)
    )
    assert tail.vocabulary.ids == ("c",), "a label nobody shows is not learnt"
    assert set(ids(tail, "train")) == {"id6", "id7", "id8"}


def test_data_for_a_model_keep_the_labels_of_the_model():
    config = training_set.TrainingSetConfig(labels="head", head_size=2)
    vocabulary = labels.Vocabulary(("b", "a"))
    found, _ = training_set.apply(table(), config, vocabulary)
    assert found.vocabulary == vocabulary
    assert found.labels.take(found.ids == "id3").index.tolist() == [1, 0]
    with pytest.raises(errors.DataError, match="the model knows a label"):
        training_set.apply(table(), config, labels.Vocabulary(("x",)))


def test_images_of_many_labels_can_be_left_out_of_training_alone():
    config = training_set.TrainingSetConfig(most_labels=1)
    found, notes = training_set.apply(table(), config)
    assert not {"id3", "id4", "id6"} & set(found.ids)
    assert "id8" in found.ids, "an image without labels shows no more than one"
    assert {"id11", "id13"} <= set(found.ids), "tuning is not learnt from"
    assert notes == ["3 images show more than 1 labels and left the training"]


def test_images_of_many_labels_can_be_held_out():
    """Thresholds are fitted on images as they come, whatever is learnt from."""
    whole, _ = training_set.apply(table(), training_set.TrainingSetConfig(held_out=0.5))
    config = training_set.TrainingSetConfig(held_out=0.5, most_labels=1)
    found, notes = training_set.apply(table(), config)
    many = {"id3", "id4", "id6"}
    assert many & set(ids(whole, "held_out"))
    assert many & set(ids(whole, "train"))
    assert ids(found, "held_out") == ids(whole, "held_out")
    assert set(ids(found, "train")) == set(ids(whole, "train")) - many
    left = len(many & set(ids(whole, "train")))
    assert notes == [
        "5 images are held out of training",
        f"{left} images show more than 1 labels and left the training",
    ]


def test_every_image_is_held_out_once_by_all_folds_whatever_it_shows():
    apart = []
    for fold in range(4):
        config = training_set.TrainingSetConfig(
            held_out=0.25, held_out_fold=fold, most_labels=1
        )
        apart += ids(training_set.apply(table(), config)[0], "held_out")
    assert sorted(apart) == sorted(ids(table(), "train"))


def test_a_split_whose_images_all_leave_is_no_split_any_more():
    config = training_set.TrainingSetConfig(splits=("train", "tuning"), most_labels=1)
    found, _ = training_set.apply(table(), config)
    assert found.split_names == ("train", "stage")
    assert len(ids(found, "train")) == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"held_out": 0.9}, "Expected: --held_out below 0.9. Received: train."),
        ({"most_labels": 1}, "Expected: --most_labels of 2 or more. Received: 1."),
        (
            {"most_labels": 1, "held_out": 0.1, "held_out_fold": 1},
            "Expected: --most_labels of 2 or more. Received: 1.",
        ),
    ],
)
def test_the_setting_that_leaves_nothing_to_learn_from_is_named(settings, message):
    one_cluster = dataclasses.replace(
        table(np.zeros(16, np.int32)),
        labels=labels.SparseLabels.from_lists([[0, 1], [0, 1, 2]] * 8, 4),
    )
    with pytest.raises(errors.DataError) as raised:
        training_set.apply(one_cluster, training_set.TrainingSetConfig(**settings))
    assert str(raised.value) == f"no image is left to learn from. {message}"


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([training_set.HEADER, *rows])
    return str(path)


def test_pseudo_labels_replace_labels_and_own_ones_stay(tmp_path):
    rows = [("id14", "b"), ("id14", "c"), ("id15", ""), ("id11", "d")]
    path = write(tmp_path / "pseudo.csv", rows)
    config = training_set.TrainingSetConfig(
        splits=("train", "tuning"), pseudo_labels=path
    )
    found, notes = training_set.apply(table(), config)
    assert found.split_names == ("train",)
    shown = {
        name: found.labels.take(found.ids == name).index.tolist()
        for name in ("id14", "id15", "id11", "id0")
    }
    assert shown == {"id14": [1, 2], "id15": [], "id11": [0, 2], "id0": [0]}
    assert notes == [
        f"2 images are learnt from with 2 pseudo-labels of {path}",
        f"1 images of {path} keep their own labels",
    ]


def test_pseudo_labelled_images_of_train_are_learnt_from(tmp_path):
    path = write(tmp_path / "pseudo.csv", [("id0", "b"), ("id5", "c"), ("id9", "")])
    config = training_set.TrainingSetConfig(splits=("tuning",), pseudo_labels=path)
    found, notes = training_set.apply(table(), config)
    tuning = ["id10", "id11", "id12", "id13"]
    assert ids(found, "train") == ["id0", "id5", "id9", *tuning]
    learnt = found.select_split("train").labels
    assert [learnt.take([row]).index.tolist() for row in range(3)] == [[1], [2], []]
    assert notes == [
        f"3 images are learnt from with 2 pseudo-labels of {path}",
        "7 images of train are not learnt from",
    ]


def test_pseudo_labelled_images_of_many_labels_are_not_learnt_from(tmp_path):
    rows = [("id14", "b"), ("id14", "c"), ("id15", "a")]
    path = write(tmp_path / "pseudo.csv", rows)
    config = training_set.TrainingSetConfig(most_labels=1, pseudo_labels=path)
    found, _ = training_set.apply(table(), config)
    assert "id14" not in found.ids
    assert "id15" in ids(found, "train")


def test_pseudo_labels_alone_can_be_learnt_from(tmp_path):
    """All own images are kept to measure on."""
    path = write(tmp_path / "pseudo.csv", [("id14", "b")])
    config = training_set.TrainingSetConfig(held_out=0.5, pseudo_labels=path)
    one_cluster = table(np.zeros(16, np.int32))
    found, _ = training_set.apply(one_cluster, config)
    assert ids(found, "train") == ["id14"]
    assert len(ids(found, "held_out")) == 10


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("id0", "a"), ("nobody", "a")], "not in the data.*nobody.*row 3"),
        ([("id14", "z")], "not in the vocabulary.*z.*row 2"),
        ([("id14", "a"), ("id14", "a")], "stand twice.*id14,a.*row 3"),
        ([("id14", "a"), ("id14", "")], "contradict.*row 3"),
    ],
)
def test_pseudo_labels_that_do_not_fit_are_refused_with_their_row(
    tmp_path, rows, message
):
    path = write(tmp_path / "pseudo.csv", rows)
    with pytest.raises(errors.DataError) as raised:
        training_set.apply(table(), training_set.TrainingSetConfig(pseudo_labels=path))
    assert all(part in str(raised.value) for part in message.split(".*"))


@pytest.mark.parametrize(
    "settings",
    [
        {"splits": ()},
        {"labels": "neck"},
        {"head_size": 0},
        {"most_labels": -1},
        {"held_out": 1.0},
        {"held_out_of": ("tuning",)},
        {"held_out": 0.5, "held_out_fold": 2},
        {"held_out_fold": 1},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(errors.SettingError, match="cannot have this"):
        training_set.TrainingSetConfig(**settings)


def test_a_split_that_is_not_there_and_a_head_of_everything_are_refused():
    with pytest.raises(errors.DataError, match="no such split"):
        training_set.apply(
            table(), training_set.TrainingSetConfig(splits=("elsewhere",))
        )
    with pytest.raises(errors.DataError, match="no label is left"):
        training_set.apply(
            table(), training_set.TrainingSetConfig(labels="tail", head_size=3)
        )
