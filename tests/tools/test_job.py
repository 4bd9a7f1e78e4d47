"""The whole job by its scripts, as real processes, on a user's own small table."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import datasets, errors
from data_pipelines.sources import table as table_source
from inclusive_tf import explanation, predictions
from inclusive_tf import run as run_directory
from inclusive_tf.explain import cases

FLAGS = (
    "--dataset=table", "--height=16", "--width=16", "--channels=3", "--growth=4",
    "--blocks=1,1", "--batch_size=8", "--epochs=4", "--learning_rate=0.02",
    "--warmup_steps=4", "--mirror=0", "--shift=0",
)  # fmt: skip


@pytest.fixture
def own_table(make_table, colour_rows):
    return make_table(colour_rows())


def test_a_table_is_trained_predicted_adapted_evaluated_explained_and_exported(
    call, own_table, tmp_path
):
    run = tmp_path / "run"
    said = call("train", f"--run={run}", f"--table={own_table}", *FLAGS).stdout
    assert "resampling class_aware: 48 draws an epoch, yield" in said
    assert "epoch 4/4" in said
    assert (run / "flags.json").is_file()
    assert list((run / "logs").glob("events.*"))

    said = call("predict", f"--run={run}").stdout
    for split in ("validation", "tuning", "stage"):
        assert f"{split}: 12 images" in said

    adaptation = run / "adaptation" / "both"
    call("adapt", f"--predictions={run}/predictions/tuning",
         "--last_layer", "--threshold=global", f"--output={adaptation}")  # fmt: skip
    call("evaluate", f"--predictions={run}/predictions/stage",
         f"--adaptation={adaptation}", "--bootstrap=50",
         f"--constant_from={run}/predictions/tuning",
         f"--output={tmp_path}/figures.json")  # fmt: skip
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["n"] == 12
    assert figures["measures"]["mean_f2"]["value"] > 0.5

    boxes = tmp_path / "boxes.csv"
    rows = [f"images/stage{number}.png,red,0,0.5,0,1\n" for number in range(12)]
    columns = "path,label,left,right,top,bottom"
    boxes.write_text(f"{columns}\n" + "".join(rows))
    said = call("explain", f"--run={run}", "--split=stage",
                f"--box_files={boxes}", f"--box_columns={columns}",
                "--threshold=0.01", "--count=6", "--choose=loss,class,pairs",
                "--methods=grad_cam,smooth_grad,occlusion", "--smooth_samples=2",
                "--feature_steps=2").stdout  # fmt: skip
    for check in ("deletion", "insertion", "rank correlation"):
        assert f"SmoothGrad: {check}" in said
    assert "occlusion: strongest point lies in a box of the label: " in said
    assert (run / "explanations" / "stage" / "cases.json").is_file()
    errors = (run / "explanations" / "stage" / "errors.html").read_text()
    assert errors.count('<article class="case">') == 6
    assert "nearest in training: " in errors
    assert "What each label likes to see" in errors
    assert "share of the map in boxes of the label" in errors
    assert list((run / "logs" / "errors-stage").glob("events.*"))

    _more_errors_than_a_page_holds_are_refused_before_their_maps(run, own_table)

    call("report", f"--runs=plain={run},same={run}", "--bootstrap=50",
         "--evaluate=stage", f"--output={tmp_path}/report")  # fmt: skip
    page = (tmp_path / "report" / "index.html").read_text()
    assert "constant answer" in page
    assert "<script" not in page

    call("export", f"--run={run}", f"--adaptation={adaptation}")
    _serves_what_predict_gave(run, adaptation, own_table, tmp_path)


def _more_errors_than_a_page_holds_are_refused_before_their_maps(folder, table):
    run = run_directory.Run(folder)
    source = table_source.TableConfig(table=str(table))
    part, _ = explanation.read(run, datasets.DataConfig("table", source), "stage")
    predicted = predictions.load(run.predictions("stage"))
    with pytest.raises(errors.SettingError, match="does not hold so many errors"):
        explanation.explain(
            run, part, None, predicted, -4.6, cases.ExplainConfig(),
            explanation.ShownConfig(count=6), "as trained", most=5,
        )  # fmt: skip


def _serves_what_predict_gave(run, adaptation, table, tmp_path):
    """Loads the export where this project cannot be imported."""
    code = """
import sys, json, tensorflow as tf
model = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
data = [open(path, "rb").read() for path in sys.argv[2:]]
found = model(image_bytes=tf.constant(data))
print(json.dumps({name: value.numpy().tolist() if value.dtype != tf.string else
                  [[x.decode() for x in row] for row in value.numpy()]
                  for name, value in found.items()}))
"""
    from inclusive_tf.adaptation import adapted

    predicted, threshold = adapted.load_decided(
        run / "predictions" / "stage", adaptation
    )
    paths = [str(table.parent / name) for name in predicted.ids]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(run / "export"), *paths],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=True,
        env={name: value for name, value in os.environ.items()
             if name != "PYTHONPATH"},
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    scores = 1 / (1 + np.exp(-np.asarray(predicted.logits, np.float64)))
    np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
    np.testing.assert_array_equal(found["decided"], predicted.logits >= threshold)
    assert found["label_ids"][0] == list(predicted.vocabulary.ids)


def test_unreadable_images_are_left_out_counted_and_named(
    call, make_table, colour_rows, tmp_path
):
    rows = colour_rows()
    table = make_table(rows)
    broken = {
        "images/train0.png": None,
        "images/train1.png": b"",
        "images/train2.png": b"<!DOCTYPE html><html>404</html>",
        "images/train3.png": (tmp_path / "images/train3.png").read_bytes()[:-40],
    }
    for name, data in broken.items():
        (tmp_path / name).unlink()
        if data is not None:
            (tmp_path / name).write_bytes(data)
    run = tmp_path / "run"
    train = ("train", f"--run={run}", f"--table={table}", *FLAGS, "--epochs=1")
    said = call(*train, code=1).stderr
    assert "too many images of split train cannot be read" in said
    assert "at most 1.00% of 48" in said
    assert "Received: 4, such as" in said
    call(*train, "--max_bad_fraction=0.1")
    quarantine = (run / "quarantine.csv").read_text()
    for name, reason in (
        ("train0", "there is no such file"),
        ("train1", "the file is empty"),
        ("train2", "a web page or other markup, not an image"),
        ("train3", "the PNG is damaged or truncated"),
    ):
        line = next(line for line in quarantine.splitlines() if name in line)
        assert reason in line
    data = json.loads((run / "data.json").read_text())
    assert data["counts"]["train"]["images"] == 44


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("path,labels", "path,tags"), "no column 'labels'"),
        (("images/train5.png", "images/train4.png"), "row 7: a path stands twice"),
        (("images/train5.png", "../train5.png"), "row 7: a path leaves the image"),
        (("images/stage0.png,red", "images/stage0.png,green"), "label(s) never seen"),
        ((",train\n", ",other\n"), "no row is in split 'train'"),
    ],
)
def test_a_bad_table_ends_in_one_line_with_file_and_row(
    call, own_table, tmp_path, change, said
):
    own_table.write_text(own_table.read_text().replace(*change))
    printed = call("train", f"--run={tmp_path}/run",
                   f"--table={own_table}", *FLAGS, code=1).stderr  # fmt: skip
    lines = [line for line in printed.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert "labels.csv" in lines[0]


def test_a_loss_that_diverges_ends_in_one_line_and_leaves_no_bad_checkpoint(
    call, own_table, tmp_path
):
    run = tmp_path / "run"
    flags = (f"--table={own_table}", *FLAGS, "--check_every=1")
    wild = ("--optimizer=sgd", "--learning_rate=1e30", "--schedule=constant")
    said = call("train", f"--run={run}", *flags, *wild, code=1).stderr
    assert "is no finite number" in said
    assert not list((run / "checkpoints").glob("step-*"))


def test_a_run_with_other_flags_or_data_is_refused(call, own_table, tmp_path):
    train = ("train", f"--run={tmp_path}/run", f"--table={own_table}", *FLAGS,
             "--epochs=1")  # fmt: skip
    call(*train)
    said = call(*train, "--batch_size=4", code=1).stderr
    assert "--batch_size 8 → 4" in said
    # the same flags, but a label was corrected in the meantime
    text = own_table.read_text()
    own_table.write_text(text.replace("train0.png,red,", "train0.png,blue,"))
    said = call(*train, code=1).stderr
    assert "the data have changed since this run began" in said


def test_a_folder_of_images_is_predicted(call, own_table, tmp_path):
    run = tmp_path / "run"
    call("train", f"--run={run}", f"--table={own_table}", *FLAGS,
         "--epochs=1")  # fmt: skip
    (tmp_path / "images" / "notes.txt").write_text("no image")
    said = call("predict", f"--run={run}", f"--images={tmp_path}/images",
                f"--output={tmp_path}/out",
                "--max_bad_fraction=0.1").stdout  # fmt: skip
    assert "images: 84 images" in said
    assert "notes.txt" in (tmp_path / "out" / "quarantine.csv").read_text()


def test_a_table_with_nothing_but_the_training_split_is_not_predicted_in_silence(
    call, own_table, tmp_path
):
    run = tmp_path / "run"
    train = own_table.with_name("train.csv")
    rows = own_table.read_text().splitlines(keepends=True)
    train.write_text(rows[0] + "".join(row for row in rows if ",train" in row))
    call("train", f"--run={run}", f"--table={train}", *FLAGS, "--epochs=1")
    said = call("predict", f"--run={run}", code=1).stderr
    assert "--predict_splits=train" in said
    said = call("predict", f"--run={run}", "--predict_splits=train").stdout
    assert "train: " in said
