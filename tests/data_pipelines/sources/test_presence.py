"""Files are found by listing folders; rows without one are left out and counted."""

import os

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from data_pipelines import errors, labels
from data_pipelines.sources import presence


def table_of(locations):
    count = len(locations)
    return labels.LabelTable(
        ids=np.array([f"image{row}" for row in range(count)]),
        locations=np.array(locations),
        labels=labels.SparseLabels.from_lists([[row % 2] for row in range(count)], 2),
        vocabulary=labels.Vocabulary(["cat", "dog"]),
        group=np.zeros(count, np.int32),
        group_names=("all",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def test_files_folders_and_links_are_told_apart(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file.png").write_bytes(b"x")
    (tmp_path / "link.png").symlink_to(tmp_path / "file.png")
    (tmp_path / "dead.png").symlink_to(tmp_path / "nothing")
    names = ["folder.png", "file.png", "link.png", "dead.png", "absent.png", "a/b.png",
             "file.png/c.png", "x" * 5000 + "/y.png"]  # fmt: skip
    locations = np.array([f"{tmp_path}/{name}" for name in names])
    np.testing.assert_array_equal(
        presence.on_disk(locations), [os.path.isfile(path) for path in locations]
    )
    assert presence.on_disk(locations).sum() == 2


def test_links_that_lead_nowhere_hide_no_other_file(tmp_path):
    names = [f"{number}.png" for number in range(40)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    (tmp_path / "through.png").symlink_to(tmp_path / "0.png" / "x.png")
    found = presence.on_disk(
        np.array([f"{tmp_path}/{name}" for name in [*names, "circle.png",
                                                    "through.png"]])
    )  # fmt: skip
    assert found.tolist() == [True] * 40 + [False] * 2


def test_names_that_are_no_text_and_relative_paths_are_found(tmp_path, monkeypatch):
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    found = presence.on_disk(np.array([f"{tmp_path}/{name}", name, f"./{name}", "y"]))
    assert found.tolist() == [True, True, True, False]


@hypothesis.given(
    st.lists(st.sampled_from("abcdefgh"), max_size=8),
    st.lists(
        st.sampled_from([f"{d}{n}" for d in ("", "s/", "t/") for n in "abcdexyz"])
    ),
)
@hypothesis.settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_the_answer_is_that_of_asking_file_by_file(tmp_path_factory, files, asked):
    root = tmp_path_factory.mktemp("images")
    (root / "s").mkdir()
    for number, name in enumerate(files):
        (root / ("s" if number % 2 else ".") / name).write_bytes(b"x")
    locations = np.array([f"{root}/{name}" for name in asked], str)
    expected = np.array([os.path.isfile(path) for path in locations], bool)
    np.testing.assert_array_equal(presence.on_disk(locations), expected)


def test_every_folder_is_listed_once_and_no_file_is_asked_for(tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda path: listed.append(path) or scandir(path)
    )
    monkeypatch.setattr(os, "stat", None)
    found = presence.on_disk([f"{tmp_path}/{number}.png" for number in range(40)])
    assert found.tolist() == [True] * 20 + [False] * 20
    assert len(listed) == 1


def test_rows_without_a_file_are_left_out_and_counted(tmp_path):
    for name in ("a.png", "c.png"):
        (tmp_path / name).write_bytes(b"x")
    table = table_of([f"{tmp_path}/{name}.png" for name in "abcd"])
    left, notes = presence.drop_missing(table, ["before"])
    assert left.ids.tolist() == ["image0", "image2"]
    assert left.labels.counts().tolist() == [2, 0]
    assert notes == ["before", "2 rows whose image file is absent were left out"]


def test_nothing_is_said_when_all_are_there(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    table = table_of([f"{tmp_path}/a.png"])
    assert presence.drop_missing(table, []) == (table, [])


def test_a_data_set_without_any_of_its_files_is_refused(tmp_path):
    with pytest.raises(
        errors.DataError, match=r"no image file of the data set.*b\.png"
    ):
        presence.drop_missing(table_of([f"{tmp_path}/b.png"]), [])
