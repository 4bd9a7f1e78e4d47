"""A data set is thinned, and training takes the list and mixes what is rare."""

import csv

import numpy as np
import pytest
from PIL import Image

from data_pipelines import labels
from inclusive_tf import predictions


@pytest.fixture
def many(tmp_path, make_table, colour_rows):
    """Images of which four of split train stand twice, under another name."""
    rows = colour_rows(train=24, other=6)
    rows += [
        (f"images/again{number}.png", "red", "north", "train") for number in range(4)
    ]
    table = make_table(rows)
    for number in range(4):
        original = Image.open(tmp_path / f"images/train{6 * number}.png")
        original.save(tmp_path / f"images/again{number}.png")
    return table


def test_a_data_set_is_thinned_and_trained_without_what_went(call, many, tmp_path):
    cut = tmp_path / "cut.csv"
    data = (f"--table={many}", "--dataset=table")
    said = call("similar", *data, f"--output={cut}", "--target_count=20",
                "--method=near_identical").stdout  # fmt: skip
    with open(cut, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # 24 + 4 images of which 24 show red: four go, and these are the copies
    gone = {row["id"] for row in rows}
    assert len(gone) == 4
    for row in rows:
        assert row["issue"] == "similar:near_identical"
        assert float(row["score"]) == 0
        went, stays = (
            np.asarray(Image.open(tmp_path / row[name])) for name in ("id", "detail")
        )
        np.testing.assert_array_equal(went, stays)
        assert row["detail"] not in gone
    assert "24 of 28 training images stay" in said
    assert " ".join(("red", "24", "20", "20")) in " ".join(said.split())
    run = tmp_path / "run"
    said = call("train", *data, f"--run={run}", f"--exclude={cut}", "--mix_below=9",
                "--height=16", "--width=16", "--channels=3", "--blocks=1",
                "--epochs=1", "--batch_size=8").stdout  # fmt: skip
    assert "mixing: 1 labels are on fewer than 9 images; 8 images have others" in said
    notes = (run / "data.json").read_text()
    assert "4 images were left out (similar:near_identical 4)" in notes


def test_a_models_features_are_matched_by_id(call, many, tmp_path):
    """No image is read: the features alone say what is near."""
    names = [f"train{number}" for number in range(24)]
    names += [f"again{number}" for number in range(4)]
    ids = np.array([f"images/{name}.png" for name in names[::-1]])
    features = np.arange(28, dtype=np.float32)[:, None] ** 2
    predictions.Predictions(
        ids=ids,
        logits=np.zeros((28, 2), np.float32),
        features=features,
        truth=labels.SparseLabels.from_lists([[0]] * 28, 2),
        unlisted_is_absent=True,
        group=np.zeros(28, np.int32),
        group_names=("all",),
        training_counts=np.array([24, 8]),
        vocabulary=labels.Vocabulary(("red", "blue")),
    ).save(tmp_path / "train")
    for path in tmp_path.glob("images/*.png"):
        path.unlink()
    cut = tmp_path / "cut.csv"
    arguments = (f"--table={many}", "--dataset=table", f"--output={cut}",
                 "--keep_share=0.95", "--method=near_identical",
                 f"--predictions={tmp_path}/train")  # fmt: skip
    call("similar", *arguments)
    with open(cut, encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert {row["id"], row["detail"]} == {ids[0], ids[1]}
    assert float(row["score"]) == 1
    many.write_text(many.read_text() + "images/new.png,red,north,train\n")
    said = call("similar", *arguments, code=1).stderr
    assert "1 of 29 are missing, such as images/new.png" in said


def test_how_many_stay_has_to_be_said(call):
    said = call("similar", "--output=x.csv", code=1).stderr
    assert "how many images are to stay" in said
