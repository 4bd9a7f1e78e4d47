"""Planted faults are what they say, and measured as they are."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_pipelines import corrections, errors, labels, suspects
from inclusive_tf.audit import measuring, planting

FAMILIES = {"coat": "top", "shirt": "top", "boot": "shoe", "sandal": "shoe"}
IDS = ("boot", "coat", "sandal", "shirt", "shoe", "top")


@pytest.fixture
def table():
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(200):
        members = generator.choice(list(FAMILIES), generator.integers(1, 3), False)
        shown = {*members, *(FAMILIES[one] for one in members)}
        rows.append(sorted(IDS.index(one) for one in shown))
    return labels.LabelTable(
        ids=np.array([f"i{row}" for row in range(200)]),
        locations=np.array([f"i{row}" for row in range(200)]),
        labels=labels.SparseLabels.from_lists(rows, len(IDS)),
        vocabulary=labels.Vocabulary(IDS),
        group=np.zeros(200, np.int32), group_names=("",),
        split=np.zeros(200, np.int32), split_names=("train",),
    )  # fmt: skip


def test_a_member_is_replaced_with_its_family_in_the_share_of_the_images(table):
    rows, planted = planting.wrong_labels(table, FAMILIES, 0.1)
    assert len(planted) == 20
    changed, _ = corrections.apply(table, rows)
    before, after = table.labels.multi_hot(), changed.labels.multi_hot()
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == sorted(
        int(image[1:]) for image in planted
    )
    for image, (old, new) in planted.items():
        row = int(image[1:])
        was, is_ = ({IDS[k] for k in np.flatnonzero(t[row])} for t in (before, after))
        members = (was & set(FAMILIES)) - {old} | {new}
        assert old in was
        assert new not in was
        assert is_ == members | {FAMILIES[one] for one in members}


def test_the_seed_decides_what_is_planted(table):
    first, again, other = (
        planting.wrong_labels(table, FAMILIES, 0.1, seed)[1] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_nothing_to_plant_is_refused(table):
    with pytest.raises(errors.DataError, match="cannot be planted"):
        planting.wrong_labels(table, {}, 0.1)


def test_images_of_one_label_are_darkened_in_one_split_only(tmp_path):
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    rows = [("images/0.png", "a|b", "train"), ("images/1.png", "b", "train"),
            ("images/2.png", "a", "test")]  # fmt: skip
    pd.DataFrame(rows, columns=["path", "labels", "split"]).to_csv(
        folder / "labels.csv", index=False
    )
    for path, _, _ in rows:
        Image.new("L", (4, 4), 200).save(folder / path)
    assert planting.darkened(folder, tmp_path / "dark", "a", 0.5) == 1
    values = [
        np.asarray(Image.open(tmp_path / "dark" / path)).max() for path, _, _ in rows
    ]
    assert values == [100, 200, 200]
    with pytest.raises(errors.DataError, match="can be darkened"):
        planting.darkened(folder, tmp_path / "none", "c")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["absolute", "above"])
def test_images_outside_the_folder_are_not_overwritten(tmp_path, kind):
    folder = tmp_path / "data"
    folder.mkdir()
    original = tmp_path / "0.png"
    Image.new("L", (4, 4), 200).save(original)
    path = original if kind == "absolute" else "../0.png"
    (folder / "labels.csv").write_text(f"path,labels,split\n{path},a,train\n")
    before = original.read_bytes()
    with pytest.raises(errors.DataError, match="outside the data set"):
        planting.darkened(folder, tmp_path / "dark", "a")
    assert original.read_bytes() == before
    assert not (tmp_path / "dark").exists()


def test_images_count_once_where_they_stand_first():
    planted = {"p": ("a", "c"), "q": ("c", "a"), "r": ("a", "b")}
    rows = [
        suspects.Suspect("p", "wrong_label", "c", "a", 0.9),
        suspects.Suspect("p", "wrong_label", "b", "", 0.8),
        suspects.Suspect("x", "missing_label", "", "a", 0.7),
        suspects.Suspect("q", "wrong_label", "a", "b", 0.6),
        suspects.Suspect("r", "wrong_label", "b", "a", 0.5),
    ]
    vocabulary = labels.Vocabulary(("a", "b", "c"))
    found = measuring.found(rows, planted, np.array([30, 20, 10]), vocabulary)
    assert found["precision"]["value"] == pytest.approx(2 / 3)
    assert found["replacement"]["value"] == 0.5
    bands = {one["name"]: one for one in found["bands"]}
    assert bands["tail"]["given"]["value"] == 1.0  # p, given c
    assert bands["middle"]["given"]["value"] == 0.0  # r, given b
    assert bands["head"]["shown"] | {"low": 0, "high": 0} == {
        "value": 0.5, "n": 2, "low": 0, "high": 0
    }  # fmt: skip
    assert bands["middle"]["shown"]["value"] is None
