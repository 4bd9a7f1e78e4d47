"""From predictions to an adaptation, figures, a comparison and a submission."""

import dataclasses
import json

import numpy as np
import pytest

from data_pipelines import labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted
from inclusive_tf.evaluation import f2, figures, submissions


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
def adaptation(call, run):
    folder = run / "adaptation" / "both"
    found = call(
        "adapt",
        f"--predictions={run}/predictions/tuning",
        "--last_layer",
        "--threshold=global",
        f"--output={folder}",
    )
    assert found.stdout.count("*") == 1
    assert "on 80 tuning images (5-fold)" in found.stdout
    return folder


def test_evaluate_prints_and_writes_the_figures(call, run, adaptation, tmp_path):
    stage_1 = run / "predictions" / "stage_1"
    found = call(
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


def test_compare_prints_and_writes_the_difference(call, run, adaptation, tmp_path):
    stage_1 = run / "predictions" / "stage_1"
    found = call(
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


def test_submit_writes_what_score_scores(call, run, tmp_path):
    stage_1 = predictions.load(run / "predictions" / "stage_1")
    call(
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


def test_paths_of_a_folder_are_submitted_as_the_challenges_ids(call, run, tmp_path):
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
    assert "not among the expected" in call(*submit, code=1).stderr
    call(*submit, "--id=stem")
    found = call(
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
    said = call(*submit, "--id=stem", code=1).stderr
    assert f"two images have the stem '{stems[6]}'" in said


def test_images_of_the_tuning_set_are_refused_left_out_or_answered(
    call, run, adaptation, tmp_path
):
    tuning, stage_1 = (
        predictions.load(run / "predictions" / split) for split in ("tuning", "stage_1")
    )
    ids = stage_1.ids.astype("<U20").copy()
    ids[3:8] = tuning.ids[:5]
    mixed = dataclasses.replace(stage_1, ids=ids)
    mixed.save(tmp_path / "mixed")
    truth = [(str(image), ["/m/a"]) for image in ids]
    submissions.write(tmp_path / "truth.csv", truth, mixed.vocabulary.ids)
    submissions.write(tmp_path / "tuning.csv", truth[3:8], mixed.vocabulary.ids)
    submit = (
        "submit",
        f"--predictions={tmp_path}/mixed",
        f"--adaptation={adaptation}",
        f"--expected={tmp_path}/truth.csv",
        "--fill=/m/a",
        f"--output={tmp_path}/answer.csv",
    )
    assert "5 shared, first tuning_0" in call(*submit, code=1).stderr
    said = call(*submit, "--fitted_images=leave_out").stdout
    assert "5 images that the adaptation was fitted on are left out" in said
    left = submissions.read(tmp_path / "answer.csv")
    assert list(left) == [*ids[:3], *ids[8:]]
    said = call(*submit, "--fitted_images=answer").stdout
    assert "5 images were fitted on: leave them out of the score" in said
    every = submissions.read(tmp_path / "answer.csv")
    assert list(every) == list(ids)
    assert {image: every[image] for image in left} == left
    said = call(
        "score",
        f"--submission={tmp_path}/answer.csv",
        f"--truth={tmp_path}/truth.csv",
        f"--exclude={tmp_path}/tuning.csv",
    ).stdout
    assert "5 images of the truth excluded" in said
    assert "over 115 images" in said


def test_a_submission_of_labels_that_are_not_trainable_is_refused(call, run, tmp_path):
    (tmp_path / "codes.csv").write_text("label_code\n/m/a\n/m/b\n")
    said = call(
        "submit",
        f"--predictions={run}/predictions/stage_1",
        "--threshold=0.01",
        f"--trainable={tmp_path}/codes.csv",
        f"--output={tmp_path}/answer.csv",
        code=1,
    ).stderr
    assert "is not trainable" in said
    assert not (tmp_path / "answer.csv").exists()


def test_a_constant_answer_is_not_chosen_on_what_it_is_scored_on(call, run):
    arguments = (
        "evaluate",
        f"--predictions={run}/predictions/tuning",
        f"--constant_from={run}/predictions/tuning",
        "--bootstrap=0",
    )
    assert "80 shared, first tuning_0" in call(*arguments, code=1).stderr


def test_an_adaptation_of_another_run_is_refused(call, run, adaptation, tmp_path):
    stage_1 = predictions.load(run / "predictions" / "stage_1")
    other = dataclasses.replace(stage_1, bias=stage_1.bias + 1)
    other.save(tmp_path / "other")
    arguments = f"--predictions={tmp_path}/other", f"--adaptation={adaptation}"
    assert "of another model" in call("evaluate", *arguments, code=1).stderr


def test_a_refit_of_predictions_without_their_layer_says_what_to_do(
    call, run, tmp_path
):
    tuning = predictions.load(run / "predictions" / "tuning")
    dataclasses.replace(tuning, kernel=None, bias=None).save(tmp_path / "old")
    found = call(
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
def test_bad_input_is_one_line(call, run, adaptation, script, arguments, message):
    filled = [one.format(run=run, adaptation=adaptation) for one in arguments]
    found = call(script, *filled, code=1)
    (line,) = found.stderr.splitlines()
    assert message in line
