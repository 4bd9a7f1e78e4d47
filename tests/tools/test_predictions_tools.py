"""From predictions to an adaptation, figures, a comparison and a submission."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted
from inclusive_tf.evaluation import f2, figures, submissions

ROOT = pathlib.Path(__file__).resolve().parents[2]


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
def run(tmp_path_factory):
    """A run directory with predictions of two splits, with their last layer."""
    folder = tmp_path_factory.mktemp("run")
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(6, 4)).astype(np.float32)
    bias = np.full(4, -2.0, np.float32)
    for split, rows in (("tuning", 80), ("stage_1", 120)):
        features = generator.normal(size=(rows, 6)).astype(np.float32)
        logits = features @ kernel + bias
        truth = generator.random((rows, 4)) < 1 / (1 + np.exp(-logits - 1.5))
        predictions.Predictions(
            ids=np.array([f"{split}_{row}" for row in range(rows)]),
            logits=logits,
            features=features,
            truth=labels.SparseLabels.from_dense(truth),
            unlisted_is_absent=True,
            group=(np.arange(rows) % 2).astype(np.int32),
            group_names=("north", "south", "nowhere"),
            training_counts=np.array([40, 30, 20, 10]),
            vocabulary=labels.Vocabulary(("/m/a", "/m/b", "/m/c", "/m/d")),
            source={"split": split},
            kernel=kernel,
            bias=bias,
        ).save(folder / "predictions" / split)
    return folder


@pytest.fixture(scope="module")
def adaptation(run):
    folder = run / "adaptation" / "both"
    found = _run(
        "adapt",
        f"--predictions={run}/predictions/tuning",
        "--last_layer",
        "--threshold=global",
        f"--output={folder}",
    )
    assert found.stdout.count("*") == 1
    assert "on 80 tuning images (5-fold)" in found.stdout
    return folder


def test_evaluate_prints_and_writes_the_figures(run, adaptation, tmp_path):
    stage_1 = run / "predictions" / "stage_1"
    found = _run(
        "evaluate",
        f"--predictions={stage_1}",
        f"--adaptation={adaptation}",
        f"--constant_from={run}/predictions/tuning",
        "--bootstrap=50",
        f"--output={tmp_path}/figures.json",
    )
    written = json.loads((tmp_path / "figures.json").read_text())
    decided = adapted.load_decided(stage_1, adaptation)
    expected = figures.figures(*decided, resamples=50)
    assert {name: written[name] for name in expected} == expected
    assert written["constant"]["chosen_on"] == "tuning"
    assert "constant answer" in found.stdout
    assert "not available" in found.stdout


def test_compare_prints_and_writes_the_difference(run, adaptation, tmp_path):
    stage_1 = run / "predictions" / "stage_1"
    found = _run(
        "compare",
        f"--before={stage_1}",
        f"--after={stage_1}",
        f"--after_adaptation={adaptation}",
        "--bootstrap=50",
        f"--output={tmp_path}/comparison.json",
    )
    written = json.loads((tmp_path / "comparison.json").read_text())
    before = predictions.load(stage_1)
    after = adapted.load_decided(stage_1, adaptation)
    assert written == figures.compare(before, 0.0, *after, resamples=50)
    assert "worst group, chosen after looking: " in found.stdout


def test_submit_writes_what_score_scores(run, tmp_path):
    stage_1 = predictions.load(run / "predictions" / "stage_1")
    _run(
        "submit",
        f"--predictions={run}/predictions/stage_1",
        "--threshold=0.2",
        "--fill=/m/a",
        f"--output={tmp_path}/answer.csv",
    )
    ids = stage_1.vocabulary.ids
    truth = {
        str(image): {ids[label] for label in np.flatnonzero(row)}
        for image, row in zip(stage_1.ids, stage_1.truth.multi_hot(), strict=True)
    }
    answers = submissions.read(tmp_path / "answer.csv")
    given = stage_1.logits >= np.log(0.2 / 0.8)
    given[~given.any(axis=1), 0] = True
    expected = f2.mean_f2(given.astype(float), 0.5, stage_1.truth)
    assert submissions.score(answers, truth).mean_f2 == pytest.approx(expected)


def test_paths_of_a_folder_are_submitted_as_the_challenges_ids(run, tmp_path):
    stage_1 = predictions.load(run / "predictions" / "stage_1")
    stems = [f"{row:016x}" for row in range(len(stage_1))]
    paths = np.array([f"part{row % 2}/{stem}.jpg" for row, stem in enumerate(stems)])
    dataclasses.replace(stage_1, ids=paths).save(tmp_path / "predictions")
    names = stage_1.vocabulary.ids
    truth = {
        stem: [names[label] for label in np.flatnonzero(row)] or ["/m/a"]
        for stem, row in zip(stems, stage_1.truth.multi_hot(), strict=True)
    }
    submissions.write(tmp_path / "truth.csv", truth.items(), names)
    submit = (
        "submit",
        f"--predictions={tmp_path}/predictions",
        f"--expected={tmp_path}/truth.csv",
        "--threshold=0.2",
        "--fill=/m/a",
        f"--output={tmp_path}/answer.csv",
    )
    assert "not among the expected" in _run(*submit, code=1).stderr
    _run(*submit, "--id=stem")
    found = _run(
        "score",
        f"--submission={tmp_path}/answer.csv",
        f"--truth={tmp_path}/truth.csv",
    )
    answers = submissions.read(tmp_path / "answer.csv")
    assert list(answers) == stems
    sets = {stem: set(codes) for stem, codes in truth.items()}
    expected = submissions.score(answers, sets).mean_f2
    assert found.stdout == f"mean F2 {expected:.6f} over 120 images\n"

    paths[7] = "elsewhere/" + stems[6] + ".png"
    dataclasses.replace(stage_1, ids=paths).save(tmp_path / "predictions")
    said = _run(*submit, "--id=stem", code=1).stderr
    assert f"two images have the stem '{stems[6]}'" in said


def test_an_adaptation_of_another_run_is_refused(run, adaptation, tmp_path):
    stage_1 = predictions.load(run / "predictions" / "stage_1")
    other = dataclasses.replace(stage_1, bias=stage_1.bias + 1)
    other.save(tmp_path / "other")
    arguments = f"--predictions={tmp_path}/other", f"--adaptation={adaptation}"
    assert "of another model" in _run("evaluate", *arguments, code=1).stderr


def test_a_refit_of_predictions_without_their_layer_says_what_to_do(run, tmp_path):
    tuning = predictions.load(run / "predictions" / "tuning")
    dataclasses.replace(tuning, kernel=None, bias=None).save(tmp_path / "old")
    found = _run(
        "adapt",
        f"--predictions={tmp_path}/old",
        "--last_layer",
        f"--output={tmp_path}/x",
        code=1,
    )
    assert "predict again" in found.stderr


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("evaluate", ["--predictions={run}/nowhere"], "nowhere"),
        (
            "evaluate",
            ["--predictions={run}/predictions/tuning", "--adaptation={adaptation}"],
            "80 shared",
        ),
        (
            "adapt",
            ["--predictions={run}/predictions/tuning", "--output={run}/x"],
            "nothing to fit",
        ),
        (
            "compare",
            [
                "--before={run}/predictions/tuning",
                "--after={run}/predictions/stage_1",
            ],
            "different images",
        ),
        (
            "submit",
            [
                "--predictions={run}/predictions/stage_1",
                "--threshold=0.9999",
                "--output={run}/x.csv",
            ],
            "without any label",
        ),
    ],
)
def test_bad_input_is_one_line(run, adaptation, script, arguments, message):
    filled = [one.format(run=run, adaptation=adaptation) for one in arguments]
    found = _run(script, *filled, code=1)
    (line,) = found.stderr.splitlines()
    assert message in line
