"""Folders are classes; lists, folders above them or a draw are splits."""

import os

import numpy as np
import pytest

from data_pipelines import errors, labels
from data_pipelines.sources import class_folders


def put(root, *paths):
    for path in paths:
        target = os.path.join(os.fsencode(root), os.fsencode(path))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(b"x")


def read(root, vocabulary=None, **settings):
    config = class_folders.ClassFoldersConfig(data_dir=str(root), **settings)
    return class_folders.read_with_notes(config, vocabulary)


def of_split(found, name):
    return found.select_split(name).ids.tolist()


def test_a_folder_is_a_class_and_a_name_in_two_classes_is_two_images(tmp_path):
    put(tmp_path, "bar/a.jpg", "bar/b.JPG", "pub/a.jpg", "pub/deep/er/c.png")
    found, notes = read(tmp_path)
    assert found.vocabulary.ids == ("bar", "pub")
    assert found.ids.tolist() == ["bar/a.jpg", "bar/b.JPG", "pub/a.jpg",
                                  "pub/deep/er/c.png"]  # fmt: skip
    assert found.labels.multi_hot().astype(int).tolist() == [
        [1, 0], [1, 0], [0, 1], [0, 1],
    ]  # fmt: skip
    assert found.locations[3] == str(tmp_path.resolve() / "pub/deep/er/c.png")
    assert found.split_counts() == {"train": 4}
    assert notes == []


def test_what_is_left_out_is_counted_and_named(tmp_path):
    put(tmp_path, "bar/a.jpg", "bar/notes.txt", "bar/.hidden.jpg", "readme.md", "b.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "void").mkdir()
    (tmp_path / "bar" / "link").symlink_to(tmp_path / "empty")
    _, notes = read(tmp_path)
    assert notes == [
        "2 class folder(s) hold no image: empty, void",
        "1 file(s) are no images by their name and were left out: bar/notes.txt",
        "1 image(s) lie in no class folder and were left out: b.png",
        "1 linked folder(s) below a class were not followed: bar/link",
    ]


def test_a_linked_class_folder_is_a_class(tmp_path):
    put(tmp_path, "all/bar/a.jpg", "some/pub/b.jpg")
    (tmp_path / "some" / "bar").symlink_to(tmp_path / "all" / "bar")
    found, _ = read(tmp_path / "some")
    assert found.ids.tolist() == ["bar/a.jpg", "pub/b.jpg"]


def test_folders_above_the_classes_are_splits(tmp_path):
    put(
        tmp_path,
        "train/bar/a.jpg",
        "train/pub/a.jpg",
        "val/bar/b.jpg",
        "test/pub/c.jpg",
    )
    found, _ = read(tmp_path)
    assert found.split_names == ("train", "validation", "test")
    assert of_split(found, "validation") == ["val/bar/b.jpg"]
    assert found.vocabulary.ids == ("bar", "pub")


def test_a_class_called_train_is_a_class_beside_others(tmp_path):
    put(tmp_path, "train/a.jpg", "bus/b.jpg")
    assert read(tmp_path)[0].vocabulary.ids == ("bus", "train")
    put(tmp_path, "train/old/c.jpg", "test/d.jpg")
    assert read(tmp_path)[0].vocabulary.ids == ("bus", "test", "train")


def test_a_share_of_the_training_images_is_held_out_and_found_again(tmp_path):
    put(tmp_path, *(f"{'ab'[number % 2]}/{number}.jpg" for number in range(100)))
    found, _ = read(tmp_path, validation_fraction=0.2)
    assert found.split_counts() == {"train": 80, "validation": 20}
    again, _ = read(tmp_path, found.vocabulary, validation_fraction=0.2)
    np.testing.assert_array_equal(found.split, again.split)


INDOOR = ("Images/kitchen/int474.jpg", "Images/kitchen/a b.jpg",
          "Images/bar/int474.jpg", "Images/bar/left.jpg")  # fmt: skip


def indoor(root, train="kitchen/int474.jpg\nbar/int474.jpg\n", test="kitchen/a b.jpg"):
    put(root, *INDOOR)
    (root / "TrainImages.txt").write_text(train)
    (root / "TestImages.txt").write_text(test)
    return root


def read_lists(root, **settings):
    lists = ("train:TrainImages.txt", "test:TestImages.txt")
    return read(root, image_dir=str(root / "Images"), list_files=lists, **settings)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_list_files_say_the_splits(tmp_path, ends, mark):
    indoor(tmp_path, f"{mark}kitchen/int474.jpg{ends}bar/int474.jpg{ends}{ends}")
    found, notes = read_lists(tmp_path)
    assert found.ids.tolist() == ["kitchen/int474.jpg", "bar/int474.jpg",
                                  "kitchen/a b.jpg"]  # fmt: skip
    assert of_split(found, "test") == ["kitchen/a b.jpg"]
    assert found.vocabulary.ids == ("bar", "kitchen")
    assert notes == ["1 image(s) stand in no list and were left out: bar/left.jpg"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kitchen/absent.jpg", "row 2: 1 listed image.*not there.*kitchen/absent.jpg"),
        (
            "kitchen/int474.jpg",
            r"row 2: an image stands twice.*TrainImages\.txt, row 1",
        ),
        ("kitchen/a b.jpg", r"TestImages\.txt, row 1: an image stands twice"),
        ("../secret/x.jpg", "row 2: a path leaves the image folder"),
        ("kitchen/../../x.jpg", "row 2: a path leaves the image folder"),
        ("/etc/passwd", "row 2: a path leaves the image folder"),
        ("path", r"row 2: a line names no class and file \(a list has no header\)"),
        ("\nbar/left.jpg", "row 2: a line names no class.*an empty line"),
        ("bar//left.jpg", "row 2: a path has an empty part"),
        ("./left.jpg", "row 2: a path has an empty part"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_its_row(tmp_path, line, said):
    indoor(tmp_path, f"kitchen/int474.jpg\n{line}\n")
    with pytest.raises(errors.DataError, match=said):
        read_lists(tmp_path)


def test_a_header_in_a_list_is_refused(tmp_path):
    indoor(tmp_path, "path\nkitchen/int474.jpg\n")
    with pytest.raises(errors.DataError, match=r"TrainImages\.txt, row 1: .*no header"):
        read_lists(tmp_path)


def test_listed_images_that_are_not_there_may_be_dropped_and_counted(tmp_path):
    indoor(tmp_path, "kitchen/int474.jpg\nkitchen/absent.jpg\n")
    found, notes = read_lists(tmp_path, missing_images="drop")
    assert found.ids.tolist() == ["kitchen/int474.jpg", "kitchen/a b.jpg"]
    assert notes[0] == "1 rows whose image file is absent were left out"


def test_a_class_never_trained_on_is_refused_or_kept(tmp_path):
    indoor(tmp_path, "kitchen/int474.jpg\n", "bar/int474.jpg\n")
    with pytest.raises(errors.DataError, match=r"TestImages\.txt, row 1: 1 label.*bar"):
        read_lists(tmp_path)
    found, _ = read_lists(tmp_path, unseen_labels="keep")
    assert found.vocabulary.ids == ("kitchen", "bar")


def test_a_model_refuses_classes_that_it_does_not_know(tmp_path):
    put(tmp_path, "bar/a.jpg", "pub/b.jpg")
    with pytest.raises(errors.DataError, match=r"pub/b\.jpg: the model does not know"):
        read(tmp_path, labels.Vocabulary(["bar"]))
    found, _ = read(tmp_path, labels.Vocabulary(["pub", "zoo", "bar"]))
    assert found.labels.counts().tolist() == [1, 0, 1]


def test_odd_file_names_survive_and_their_ids_can_be_written(tmp_path):
    put(tmp_path, b"bar/caf\xe9.jpg", "bar/two\nlines.jpg", "bar/ space .jpg",
        "bar/comma,quote\".jpg")  # fmt: skip
    found, _ = read(tmp_path)
    assert len(found) == 4
    assert all(os.path.isfile(path) for path in found.locations.tolist())
    "".join(found.ids.tolist()).encode()
    assert "bar/caf\\udce9.jpg" in found.ids.tolist()


def test_a_class_whose_name_is_no_text_is_refused_by_name(tmp_path):
    put(tmp_path, b"caf\xe9/a.jpg", "bar/b.jpg")
    with pytest.raises(errors.DataError, match=r"class is not UTF-8.*caf\\udce9"):
        read(tmp_path)
    (tmp_path / "list.txt").write_bytes(b"bar/b.jpg\ncaf\xe9/a.jpg\n")
    with pytest.raises(errors.DataError, match=r"class is not UTF-8.*caf\\udce9"):
        read(tmp_path, list_files=("train:list.txt",))


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ((), "the folder holds no image in a class folder"),
        (("a.jpg",), "holds no image in a class folder.*1 image.* in no class folder"),
        (("bar/a.txt",), "holds no image in a class folder.*1 class folder"),
    ],
)
def test_a_folder_without_images_in_classes_is_refused(tmp_path, paths, said):
    put(tmp_path, *paths)
    with pytest.raises(errors.DataError, match=said):
        read(tmp_path)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(errors.DataError, match="absent: there is no such folder"):
        read(tmp_path / "absent")
    put(tmp_path, "bar/a.jpg")
    with pytest.raises(errors.DataError, match=r"list\.txt: there is no such file"):
        read(tmp_path, list_files=("train:list.txt",))
    (tmp_path / "list.txt").write_text("\n")
    with pytest.raises(errors.DataError, match=r"list\.txt: the list is empty"):
        read(tmp_path, list_files=("train:list.txt",))
    with pytest.raises(errors.SettingError, match="Expected: split:FILE"):
        read(tmp_path, list_files=("list.txt",))


@pytest.mark.parametrize("closed", ["", "bar", "bar/deep"])
def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch, closed):
    put(tmp_path, "bar/a.jpg", "bar/deep/b.jpg", "pub/c.jpg")
    scan = os.scandir

    def refuse(path):
        if os.path.relpath(path, tmp_path.resolve()) == (closed or "."):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(errors.DataError, match=f"{closed}: a folder cannot be listed"):
        read(tmp_path)


def test_split_folders_beside_others_are_classes_and_that_is_said(tmp_path):
    put(tmp_path, "train/cat/a.jpg", "test/b.jpg", "notes/c.jpg")
    found, notes = read(tmp_path)
    assert found.vocabulary.ids == ("notes", "test", "train")
    assert notes == [
        "2 folder(s) named as splits were taken for classes, since not every folder "
        "of the root is a split of class folders: test, train"
    ]
