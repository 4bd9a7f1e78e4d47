"""Files and folders appear whole or not at all."""

import contextlib
import csv
import hashlib
import json
import os
import resource

import numpy as np
import pytest

from data_pipelines import atomic, errors


class _Broken(Exception):
    pass


def test_a_file_replaces_an_older_one_and_makes_its_folder(tmp_path):
    path = tmp_path / "deep" / "file"
    atomic.write_text(path, "old")
    atomic.write_text(path, "neu: ü")
    assert path.read_text("utf-8") == "neu: ü"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "file"
    atomic.write_text(path, "old")

    def refuse(*_):
        raise _Broken

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(_Broken):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_file_has_the_sum_of_its_content(tmp_path):
    content = bytes(range(256)) * 5000
    atomic.write_bytes(tmp_path / "file", content)
    expected = hashlib.sha256(content).hexdigest()
    assert atomic.sha256(tmp_path / "file") == expected


def test_a_folder_appears_when_its_block_ends(tmp_path):
    with atomic.folder(tmp_path / "folder") as temporary:
        (temporary / "file").write_text("one")
        assert not (tmp_path / "folder").exists()
    assert (tmp_path / "folder" / "file").read_text() == "one"


def test_a_folder_replaces_an_older_one_entirely(tmp_path):
    for name in ("first", "second"):
        with atomic.folder(tmp_path / "folder") as temporary:
            (temporary / name).write_text(name)
    assert [one.name for one in (tmp_path / "folder").iterdir()] == ["second"]
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_block_that_raises_leaves_the_old_folder(tmp_path):
    with atomic.folder(tmp_path / "folder") as temporary:
        (temporary / "file").write_text("old")

    def write_half():
        with atomic.folder(tmp_path / "folder") as temporary:
            (temporary / "file").write_text("new")
            raise _Broken

    with pytest.raises(_Broken):
        write_half()
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_no_rename_leaves_a_moment_without_the_folder(tmp_path, monkeypatch):
    for name in ("old", "other"):
        with atomic.folder(tmp_path / name) as temporary:
            (temporary / "file").write_text(name)
    if not atomic._exchange(tmp_path / "old", tmp_path / "other"):
        pytest.skip("this file system cannot exchange two names")
    atomic._exchange(tmp_path / "old", tmp_path / "other")
    rename = os.replace

    def rename_and_die(*paths):
        rename(*paths)
        raise _Broken

    monkeypatch.setattr(os, "replace", rename_and_die)
    with contextlib.suppress(_Broken), atomic.folder(tmp_path / "old") as temporary:
        (temporary / "file").write_text("new")
    assert (tmp_path / "old" / "file").read_text() == "new"


def test_a_folder_is_replaced_where_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    test_a_folder_replaces_an_older_one_entirely(tmp_path)


def test_a_full_disk_names_what_could_not_be_written_and_leaves_the_old(tmp_path):
    atomic.write_text(tmp_path / "file", "old")
    with atomic.folder(tmp_path / "folder") as temporary:
        (temporary / "file").write_text("old")

    def write_folder():
        with atomic.folder(tmp_path / "folder") as temporary:
            np.save(temporary / "array", np.zeros(9000))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, before[1]))
    try:
        with pytest.raises(errors.StoppedError, match=r"/file: .* File too large"):
            atomic.write_bytes(tmp_path / "file", bytes(9001))
        # NumPy does not say why
        with pytest.raises(errors.StoppedError, match=r"/folder: .*9000 requested"):
            write_folder()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "file").read_text() == "old"
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


def test_other_errors_are_not_taken_for_a_full_disk(tmp_path):
    def fail():
        with atomic.folder(tmp_path / "folder"):
            raise OSError("no such device")

    with pytest.raises(OSError, match="no such device"):
        fail()


def test_json_without_a_number_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        atomic.write_json(tmp_path / "file.json", {"value": float("nan")})
    assert not list(tmp_path.iterdir())
    atomic.write_json(tmp_path / "file.json", {"value": None})
    assert json.loads((tmp_path / "file.json").read_text()) == {"value": None}


def test_csv_fields_come_back_whatever_they_hold(tmp_path):
    rows = [["a,b", 'say "x"'], ["two\nlines", "=1+1"], ["", "ü"]]
    atomic.write_csv(tmp_path / "file.csv", ["one", "two"], rows)
    with open(tmp_path / "file.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["one", "two"], *rows]


def test_fields_come_back_from_a_csv_as_they_were(tmp_path):
    import csv

    rows = [["a\rb", "c"], ['quote " here', "comma, there"], ["two\nlines", ""]]
    atomic.write_csv(tmp_path / "t.csv", ["one", "two"], rows)
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file, strict=True)) == [["one", "two"], *rows]
