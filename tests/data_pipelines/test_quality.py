import csv
import os
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import errors, images, labels, quality

ROOT = pathlib.Path(__file__).parents[2]
CONFIG = images.ImageConfig(8, 8, max_pixels=10_000)


@pytest.fixture
def folder(tmp_path):
    """Images good and bad by name."""
    picture = Image.new("RGB", (40, 30), "teal")
    for name in ("a.jpg", "b.png", "c.gif", "née.jpg"):
        picture.save(tmp_path / name)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "truncated.jpg").write_bytes(data[:-2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_bytes(b"\n<!DOCTYPE html><html>Not found</html>")
    (tmp_path / "text.png").write_bytes(b"no picture at all")
    (tmp_path / "damaged.png").write_bytes((tmp_path / "b.png").read_bytes()[:-20])
    Image.new("RGB", (200, 200)).save(tmp_path / "large.png")
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


REASONS = {
    "truncated.jpg": "the JPEG is damaged or truncated",
    "empty.jpg": "the file is empty",
    "page.jpg": "a web page or other markup, not an image",
    "text.png": "not an image of a known form",
    "damaged.png": "the PNG is damaged or truncated",
    "large.png": "too large or empty. Expected: 1 to 10000 pixels. Received: width 200",
    "folder.jpg": "not a file",
    "missing.jpg": "there is no such file",
    "not\0a\0path": "not a path",
}


def table_of(paths, split):
    count = len(paths)
    return labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(count)]),
        locations=np.array(paths),
        labels=labels.SparseLabels.from_lists([[0]] * count, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.array(split, np.int32),
        split_names=("train", "test", "unused"),
    )


def test_each_unreadable_file_is_named_with_its_reason(folder):
    good = ["a.jpg", "b.png", "c.gif", "née.jpg"]
    names = [name for pair in zip(REASONS, good * 3, strict=False) for name in pair]
    faults = quality.scan(np.array([str(folder / name) for name in names]), CONFIG)
    assert [names[fault.row] for fault in faults] == list(REASONS)
    for fault, (name, reason) in zip(faults, REASONS.items(), strict=True):
        assert reason in fault.reason
        assert fault.path == str(folder / name)


def test_nothing_and_nothing_wrong_give_no_faults(folder, capsys):
    assert quality.scan([], CONFIG) == []
    paths = [folder / "a.jpg"] * 600
    assert quality.scan(paths, CONFIG, progress=True) == []
    assert "600/600" in capsys.readouterr().err


def test_a_good_file_costs_no_python(folder, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(quality, "_reason", never)
    assert quality.scan([folder / "a.jpg", folder / "b.png"], CONFIG) == []


def test_the_quarantine_file_can_be_read_back(tmp_path):
    faults = [
        quality.Fault(1, 'a,"b".jpg', "empty"),
        quality.Fault(0, os.fsdecode(b"\xff.jpg"), "damaged"),
        quality.Fault(1, "=HYPERLINK(0).jpg", "damaged"),
    ]
    path = tmp_path / "run" / "quarantine.csv"
    quality.write_quarantine(path, faults, np.array(["zero", "one"]))
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["id", "path", "reason"],
        ["one", 'a,"b".jpg', "empty"],
        ["zero", "\\udcff.jpg", "damaged"],
        # a spreadsheet shows it and does not follow it
        ["one", "'=HYPERLINK(0).jpg", "damaged"],
    ]


def test_faulty_rows_leave_the_table():
    table = table_of(["a", "b", "c", "d"], [0, 0, 1, 1])
    faults = [quality.Fault(1, "b", "empty"), quality.Fault(2, "c", "empty")]
    left = quality.apply(table, faults, max_bad_fraction=0.5)
    assert left.ids.tolist() == ["id0", "id3"]
    assert len(left.labels) == 2
    assert quality.apply(table, [], max_bad_fraction=0.0) is table


def test_too_many_faults_are_an_error_that_names_them():
    table = table_of(["a", "b", "c", "d"], [0, 0, 0, 0])
    faults = [quality.Fault(1, "b", "empty"), quality.Fault(2, "c", "gone")]
    with pytest.raises(errors.DataError, match=r"at most 25.00% .* b \(empty\); c"):
        quality.apply(table, faults, max_bad_fraction=0.25)


def test_a_split_that_vanishes_is_an_error_that_names_it():
    table = table_of(["a", "b", "c", "d"], [0, 0, 0, 1])
    faults = [quality.Fault(3, "d", "empty")]
    with pytest.raises(errors.DataError, match=r"split test .* d \(empty\)"):
        quality.apply(table, faults, max_bad_fraction=0.9)


def test_quarantine_of_a_table_needs_no_tensorflow():
    program = (
        "import sys\nfrom data_pipelines import quality\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_every_awkward_image_is_read_or_has_a_reason(tmp_path):
    data = pathlib.Path(os.environ.get("INCLUSIVE_TF_DATA", ROOT / "../shared/data"))
    if not (data / "awkward_images.tar").exists():
        pytest.skip("awkward_images.tar is not there; see INCLUSIVE_TF_DATA")
    with tarfile.open(data / "awkward_images.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    paths = sorted((tmp_path / "awkward_images" / "files").iterdir())
    config = images.ImageConfig(8, 8)
    faults = {fault.row: fault.reason for fault in quality.scan(paths, config)}
    for row, path in enumerate(paths):
        try:
            images.decode(tf.io.read_file(str(path)), config)
        except tf.errors.InvalidArgumentError:
            assert len(faults[row]) > 10
        else:
            assert row not in faults
    assert len(paths) == 65
    assert len(faults) == 14


def test_what_another_storage_calls_its_images_is_kept_for_each_table():
    class Named:
        """Finds the second of whatever it is asked for, under a name of its own."""

        asked = ()

        def faults(self, locations, config, progress=False):
            self.asked += tuple(locations)
            found = [quality.Fault(1, f"set {one}", "broken") for one in locations]
            return found[1:2]

    storage, scans = Named(), quality.Scans()
    whole = scans.faults(storage, np.array(["0:0", "0:1", "0:2"]), None)
    assert whole == [quality.Fault(1, "set 0:1", "broken")]
    part = scans.faults(storage, np.array(["0:1", "0:2"]), None)
    assert part == [quality.Fault(0, "set 0:1", "broken")]
    assert storage.asked == ("0:0", "0:1", "0:2")
