"""Open Images' files become one label table that tells absent from unknown."""

import numpy as np
import pytest

from data_pipelines import errors, labels
from data_pipelines.sources import open_images

HEADER = "ImageID,Source,LabelName,Confidence"
BOX_HEADER = (
    f"{HEADER},XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
CLICKS = "," + ",".join(f"XClick{n}{axis}" for axis in "XY" for n in range(1, 5))
A, B, C, D = (f"{number:016x}" for number in (10, 11, 12, 13))
HUMAN = f"{HEADER}\n{A},verification,/m/1,1\n{A},verification,/m/2,0\n{B},v,/m/2,1\n"
MACHINE = f"{HEADER}\n{A},machine,/m/2,0.9\n{A},machine,/m/3,0.3\n"
BOXES = f"{BOX_HEADER}{CLICKS}\n{B},xclick,/m/1,1,0,0.5,0,1,1,0,0,0,0{',0.5' * 8}\n"


@pytest.fixture
def folder(tmp_path):
    files = {
        "oidv6-train-annotations-human-imagelabels.csv": HUMAN,
        "train-annotations-machine-imagelabels.csv": MACHINE,
        "oidv6-train-annotations-bbox.csv": BOXES,
        "validation-annotations-human-imagelabels.csv": f"{HEADER}\n{C},v,/m/4,1\n",
        "oidv7-val-annotations-unrelated.csv": "",
        "test-annotations-human-imagelabels-boxable.csv": f"{HEADER}\n{D},v,/m/1,0\n",
        "oidv6-class-descriptions.csv": "LabelName,DisplayName \n/m/1,Cat\n/m/2,Dog\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "train").mkdir()
    return tmp_path


def read(vocabulary=None, **settings):
    settings = {
        name: str(v) if name == "data_dir" else v for name, v in settings.items()
    }
    return open_images.read_with_notes(
        open_images.OpenImagesConfig(**settings), vocabulary
    )


def test_published_files_are_found_and_absent_is_told_from_unknown(folder):
    table, notes = read(data_dir=folder)
    assert table.vocabulary.ids == ("/m/1", "/m/2", "/m/3", "/m/4")
    assert table.vocabulary.names == ("Cat", "Dog", "/m/3", "/m/4")
    assert table.split_counts() == {"train": 2, "validation": 1, "test": 1}
    assert not table.unlisted_is_absent
    np.testing.assert_array_equal(
        table.labels.targets(table.unlisted_is_absent),
        # a human denied what the machine took for a dog
        np.float32([[1, 0, 0.3, -1], [1, 1, -1, -1], [-1, -1, -1, 1], [0, -1, -1, -1]]),
    )
    assert any("1 labels are in no training row" in note for note in notes)


def test_images_lie_in_a_folder_a_split_or_in_one(folder):
    table, _ = read(data_dir=folder)
    assert table.locations[0] == str(folder.resolve() / "train" / f"{A}.jpg")
    assert table.locations[2] == str(folder.resolve() / f"{C}.jpg")


def test_files_may_be_named_and_tell_their_split(folder):
    table, _ = read(
        human_labels=(str(folder / "oidv6-train-annotations-human-imagelabels.csv"),),
        boxes=(str(folder / "oidv6-train-annotations-bbox.csv"),),
    )
    assert table.split_counts() == {"train": 2}
    assert table.vocabulary.ids == ("/m/1", "/m/2")


def test_the_full_human_file_goes_before_the_boxable_one(folder):
    (folder / "train-annotations-human-imagelabels-boxable.csv").write_text("no csv")
    _, notes = read(data_dir=folder)
    assert any("boxable.csv was not read" in note for note in notes)


def test_a_list_of_classes_restricts_and_what_is_left_out_is_counted(folder):
    (folder / "classes-trainable.txt").write_text("/m/2\n/m/1\n")
    settings = {"data_dir": folder, "class_list": str(folder / "classes-trainable.txt")}
    with pytest.raises(errors.DataError, match=r"validation.*no row has a label"):
        read(**settings)
    (folder / "validation-annotations-human-imagelabels.csv").unlink()
    table, notes = read(**settings)
    assert table.vocabulary.ids == ("/m/2", "/m/1")
    assert any(
        note.startswith("train: train-annotations-machine-imagelabels.csv: 1 of 2 rows")
        for note in notes
    )


def test_a_model_brings_its_own_vocabulary_and_needs_no_training_split(folder):
    name = "test-annotations-human-imagelabels-boxable.csv"
    vocabulary = labels.Vocabulary(["/m/9", "/m/1"])
    table, _ = read(vocabulary, human_labels=(str(folder / name),))
    assert table.vocabulary is vocabulary
    assert table.labels.targets(False).tolist() == [[-1, 0]]
    with pytest.raises(errors.DataError, match="no file is of split train"):
        read(human_labels=(str(folder / name),))


def test_unlabelled_images_know_no_label_to_be_present(folder):
    table, notes = read(data_dir=folder, unlabelled="drop")
    assert "test" not in table.split_names
    assert "1 images of test without a label were left out" in notes


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("annotations.csv", "does not tell its split"),
        ("train-and-test.csv", "does not tell its split"),
        ("constraint.csv", "does not tell its split"),
    ],
)
def test_a_name_without_a_split_is_refused(folder, name, said):
    (folder / name).write_text(HUMAN)
    with pytest.raises(errors.DataError, match=said):
        read(human_labels=(str(folder / name),))


def test_two_files_of_one_kind_and_split_are_refused(folder):
    (folder / "train-annotations-human-imagelabels.csv").write_text(HUMAN)
    with pytest.raises(
        errors.DataError, match="two files of human labels are of split"
    ):
        read(data_dir=folder)


def test_an_image_in_two_splits_is_refused(folder):
    (folder / "validation-annotations-human-imagelabels.csv").write_text(HUMAN)
    with pytest.raises(errors.DataError, match="2 images are in split train and in"):
        read(data_dir=folder)


def test_a_second_validation_split_is_refused(folder):
    with pytest.raises(errors.DataError, match="there is a split 'validation'"):
        read(data_dir=folder, validation_fraction=0.1)


def test_folders_without_files_are_refused(folder, tmp_path):
    with pytest.raises(
        errors.DataError, match="no annotation file of a published name"
    ):
        read(data_dir=tmp_path / "train")
    with pytest.raises(errors.DataError, match="--data_dir=FOLDER"):
        read()
    with pytest.raises(errors.DataError, match="no file that fusion rule human_only"):
        read(
            fusion="human_only",
            boxes=(str(folder / "oidv6-train-annotations-bbox.csv"),),
        )


def test_facts_are_of_the_training_files(folder):
    found = open_images.facts(open_images.OpenImagesConfig(data_dir=str(folder)))
    assert found["fusion"]["absent"] == 1
    assert found["fusion"]["sources"]["machine"]["contradicted"] == 1
    assert found["boxes"]["attributes"]["occluded"]["yes"] == 1


def test_boxes_of_a_split_without_files_are_those_of_training(folder):
    config = open_images.OpenImagesConfig(data_dir=str(folder))
    boxes = str(folder / "oidv6-train-annotations-bbox.csv")
    assert open_images.box_files(config, "train") == (boxes,)
    assert open_images.box_files(config, "held_out") == (boxes,)
    assert open_images.box_files(config, "validation") == ()
