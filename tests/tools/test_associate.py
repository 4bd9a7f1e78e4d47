"""From a data set or a text to associations, and from these to an adaptation."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import labels
from flags import association_flags
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted, association_files, associations
from inclusive_tf.evaluation import f2

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("Table", "Chair", "Ice cream", "Dog")


def _run(script, *arguments, code=0):
    found = subprocess.run(
        [sys.executable, "-m", f"tools.{script}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == code, found.stderr
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A table of 600 rows whose images are not looked at, and predictions of others."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)

    def truths(rows):
        table, cream = generator.random((2, rows)) < 0.3
        dog = generator.random(rows) < 0.2
        return np.stack([table, table, cream, dog], axis=1)

    lines = ["path,labels,split"]
    for row, shown in enumerate(truths(600)):
        names = "|".join(f"/m/{at}" for at in np.flatnonzero(shown)) or "/m/3"
        lines.append(f"{row}.png,{names},{'train' if row % 3 else 'validation'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    for split, rows in (("tuning", 150), ("stage", 300)):
        truth = truths(rows)
        strong = np.array([5.0, 0.5, 3.0, 3.0])
        noise = generator.normal(size=truth.shape)
        logits = strong * (truth - 0.5) + noise - 1
        predictions.Predictions(
            ids=np.array([f"{split}_{row}" for row in range(rows)]),
            logits=logits.astype(np.float32),
            features=np.zeros((rows, 0), np.float32),
            truth=labels.SparseLabels.from_dense(truth),
            unlisted_is_absent=True,
            group=np.zeros(rows, np.int32),
            group_names=("all",),
            training_counts=np.array([120, 120, 100, 90]),
            vocabulary=labels.Vocabulary(("/m/0", "/m/1", "/m/2", "/m/3"), NAMES),
            source={"split": split},
        ).save(folder / split)
    return folder


def _table(data):
    return "--dataset=table", f"--table={data}/labels.csv", "--group_column="


def test_a_data_set_is_counted_and_its_associations_adapt(data, tmp_path):
    output = tmp_path / "associated"
    said = _run(
        "associate", *_table(data), f"--predictions={data}/tuning",
        "--missing_images=keep", f"--output={output}", "--show=1",
    ).stdout  # fmt: skip
    assert "Table + Chair" in said
    assert "400 images; 4 of 4 labels seen" in said
    found = association_files.load(output)
    assert found.source == {"dataset": "table", "splits": ["train"]}
    assert len(found.counted_ids) == 400
    # a table that always comes with a chair
    assert found.weights[0, 1] == pytest.approx(
        np.log((found.label[0] + 0.5) / (found.label[0] ** 2 / 400 + 0.5)), rel=1e-5
    )
    said = _run(
        "adapt", f"--predictions={data}/tuning", f"--associations={output}",
        "--threshold=global", f"--output={tmp_path}/adaptation",
    ).stdout  # fmt: skip
    assert "association strength 0: mean F2" in said
    assert "labels are raised by others, over" in said
    assert adapted.load(tmp_path / "adaptation").smoothing.strength > 0
    given = ({}, {"adaptation_folder": tmp_path / "adaptation"})
    scores = []
    for way in given:
        found, threshold = adapted.load_decided(data / "stage", **way)
        scores.append(f2.mean_f2(found.logits, threshold, found.truth))
    assert scores[1] > scores[0]


def test_a_text_is_counted_by_the_names_of_the_predictions(data, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(
        "A table and chairs.\nTables, a chair\nIce creams\nA dog eats ice cream\n" * 3
    )
    said = _run(
        "associate", f"--predictions={data}/tuning", f"--corpus={text}",
        "--measure=npmi", "--shrinkage=0", f"--output={tmp_path}/associated",
    ).stdout  # fmt: skip
    assert "  1.00        6  Table + Chair" in said
    assert "12 documents or stretches; 4 of 4 labels seen" in said
    found = association_files.load(tmp_path / "associated")
    assert found.vocabulary.ids == ("/m/0", "/m/1", "/m/2", "/m/3")
    assert (found.measure, found.shrinkage) == ("npmi", 0.0)


def test_bad_input_is_said_in_a_line(data, tmp_path):
    said = _run(
        "associate", *_table(data), "--count_splits=nowhere",
        f"--output={tmp_path}/a", code=1,
    ).stderr  # fmt: skip
    assert "there is no such split" in said
    assert "Traceback" not in said
    said = _run(
        "adapt", f"--predictions={data}/tuning", f"--associations={tmp_path}/none",
        f"--output={tmp_path}/b", code=1,
    ).stderr  # fmt: skip
    assert "not a folder of associations" in said
    assert not (tmp_path / "b").exists()


def test_flags_name_the_measures_there_are():
    assert association_flags.MEASURES == associations.MEASURES
