"""The script from predictions to suspects, figures and a page, as a user calls it."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipelines import datasets, labels, suspects
from data_pipelines.sources import table as table_source
from inclusive_tf import predictions
from inclusive_tf import run as run_directory
from inclusive_tf.audit import from_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory whose data have wrong labels, and where a class is darkened."""
    folder = tmp_path_factory.mktemp("run")
    generator = np.random.default_rng(0)
    vocabulary = labels.Vocabulary(("blue", "grey", "red"))
    names = np.array(vocabulary.ids)
    (folder / "images").mkdir()
    lines, kept = ["path,labels,group,split"], {"train": [], "tuning": []}
    for split, count in (("train", 240), ("tuning", 300)):
        for row in range(count):
            true = row % 3
            dark = split == "train" and true == 1
            level = generator.integers(20, 40) if dark else generator.integers(90, 200)
            path = f"images/{split}{row}.png"
            pixels = np.full((8, 8, 3), level, np.uint8)
            pixels[2:6, 2:6] += 30
            Image.fromarray(pixels).save(folder / path)
            given = (true + 1) % 3 if split == "train" and row < 8 else true
            group = ("north", "south")[row % 2]
            lines.append(f"{path},{names[given]},{group},{split}")
            features = generator.normal(size=4)
            features[true] += 5
            kept[split].append((path, true, given, features, row % 2))
    (folder / "images" / "broken.png").write_bytes(b"no image")
    lines.append("images/broken.png,grey,north,train")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    for split, rows in kept.items():
        paths, true, given, features, group = zip(*rows, strict=True)
        shown = np.arange(3) == np.array(given)[:, None]
        logits = np.where(np.arange(3) == np.array(true)[:, None], 3.0, -3.0)
        logits += generator.normal(size=logits.shape)
        if split == "tuning":
            logits[:, 1] = -4.0  # grey was dark in training: all are missed
        predictions.Predictions(
            ids=np.array(paths),
            logits=logits.astype(np.float32),
            features=np.array(features, np.float32),
            truth=labels.SparseLabels.from_dense(shown),
            unlisted_is_absent=True,
            group=np.array(group, np.int32),
            group_names=("north", "south"),
            training_counts=np.array([80, 80, 80]),
            vocabulary=vocabulary,
            source={"split": split},
            kernel=np.zeros((4, 3), np.float32),
            bias=np.zeros(3, np.float32),
        ).save(folder / "predictions" / split)
    directory = run_directory.Run(folder)
    directory.write_vocabulary(vocabulary, [80, 80, 80])
    directory.write_json(
        "flags.json", {"dataset": "table", "table": str(folder / "labels.csv")}
    )
    directory.write_json(
        "exposure.json", {"rows": [{"id": name, "after": 80.0} for name in names]}
    )
    return folder


def test_wrong_labels_and_the_shortcut_are_found_and_shown(call, run, tmp_path):
    output = tmp_path / "audit"
    done = call(
        "audit",
        f"--predictions={run}/predictions/train",
        f"--judged={run}/predictions/tuning",
        f"--run={run}",
        "--pixels=1",
        f"--output={output}",
        "--bootstrap=50",
    )
    found = suspects.read(output / "suspects.csv")
    planted = {f"images/train{row}.png" for row in range(8)}
    assert len(planted & {one.id for one in found if one.kind == "wrong_label"}) >= 6
    assert len(planted & {one.id for one in found[:8]}) >= 5
    figures = json.loads((output / "audit.json").read_text())
    first = figures["shortcuts"]["rows"][0]
    assert (first["label"], first["verdict"]) == ("grey", "shortcut")
    assert first["attribute"] == "brightness"
    assert figures["classes"][0]["exposure"] == 80.0
    assert figures["collect"][0]["label"] == "grey"
    assert figures["unread"] == {"images": 1, "first": "images/broken.png"}
    page = (output / "index.html").read_text()
    assert page.count("data:image/png") >= 8
    assert "in training it was darker, more than here" in page
    assert "grey is missed (100 of 100)" in done.stdout


def test_suspects_outside_the_data_have_no_picture(run):
    config = datasets.DataConfig(
        "table", table_source.TableConfig(table=str(run / "labels.csv"))
    )
    table, _ = datasets.read_labels(config)
    found = from_run.thumbnails(table, ["elsewhere.png", "images/train0.png"])
    assert list(found) == ["images/train0.png"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--predictions=/no/such"], "not a predictions folder"),
        (["--predictions={run}/predictions/train,{run}/predictions/train"],
         "stands in two"),
        (["--predictions={run}/predictions/train", "--adaptation=x"],
         "--judged beside --adaptation"),
        (["--predictions={run}/predictions/train", "--pixels=4"],
         "--run beside --pixels"),
    ],
    ids=["no folder", "twice", "adaptation", "pixels"],
)  # fmt: skip
def test_bad_input_ends_in_one_line(call, run, tmp_path, arguments, line):
    given = [one.format(run=run) for one in arguments]
    done = call("audit", *given, f"--output={tmp_path / 'out'}", code=1)
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
