"""Every image below a folder is found, and what is left aside is said."""

import os

import pytest

from data_pipelines import errors, labels
from data_pipelines.sources import image_folder

VOCABULARY = labels.Vocabulary(("cat", "dog"))


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a/1.jpg", "a/deep/2.jpg"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"an image")
    return tmp_path / "images"


def test_every_file_is_found_at_any_depth_in_order(folder):
    table, notes = image_folder.read_with_notes(folder, VOCABULARY)
    assert table.ids.tolist() == ["a/1.jpg", "a/deep/2.jpg", "b.jpg"]
    assert table.locations.tolist() == [str(folder / name) for name in table.ids]
    assert table.split_counts() == {"images": 3}
    assert not table.unlisted_is_absent
    assert notes == []


def test_linked_folders_are_named(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "3.jpg").write_bytes(b"an image")
    (folder / "a" / "linked").symlink_to(tmp_path / "elsewhere")
    table, notes = image_folder.read_with_notes(folder, VOCABULARY)
    assert len(table) == 3
    assert notes == ["1 linked folder(s) were not followed: a/linked"]


def test_a_folder_that_cannot_be_listed_is_refused(folder, monkeypatch):
    """As root may list everything, the operating system's answer is put in."""
    original = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(errors.DataError, match=r"deep.*cannot be listed"):
        image_folder.read_with_notes(folder, VOCABULARY)


def test_names_that_are_no_text_have_ids_that_can_be_written(folder):
    path = os.fsencode(folder) + b"/caf\xe9.jpg"
    with open(path, "wb") as file:
        file.write(b"an image")
    table, _ = image_folder.read_with_notes(folder, VOCABULARY)
    assert r"caf\udce9.jpg" in table.ids.tolist()
    assert os.fsdecode(path) in table.locations.tolist()


@pytest.mark.parametrize(
    ("name", "said"), [("none", "no such folder"), ("empty", "holds no file")]
)
def test_without_a_file_there_is_nothing_to_read(folder, name, said):
    (folder / "empty").mkdir()
    with pytest.raises(errors.DataError, match=said):
        image_folder.read_with_notes(folder / name, VOCABULARY)
