"""From predictions of several models to an ensemble, an adaptation and a submission."""

import numpy as np
import pytest

from data_pipelines import labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted
from inclusive_tf.evaluation import f2, submissions


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders a and b with predictions of two splits by two models."""
    folder = tmp_path_factory.mktemp("models")
    truths = {
        split: np.random.default_rng(seed).random((rows, 4)) < (0.5, 0.3, 0.2, 0.1)
        for seed, (split, rows) in enumerate((("tuning", 90), ("stage_1", 150)))
    }
    for number, name in enumerate("ab"):
        generator = np.random.default_rng([7, number])
        for split, truth in truths.items():
            logits = 3 * truth - 2.5 + 1.5 * generator.normal(size=truth.shape)
            predictions.Predictions(
                ids=np.array([f"{split}_{row}" for row in range(len(truth))]),
                logits=logits.astype(np.float32),
                features=np.zeros((len(truth), 0), np.float32),
                truth=labels.SparseLabels.from_dense(truth),
                unlisted_is_absent=True,
                group=np.zeros(len(truth), np.int32),
                group_names=("all",),
                training_counts=np.array([40, 30, 20, 10]),
                vocabulary=labels.Vocabulary(("/m/a", "/m/b", "/m/c", "/m/d")),
                source={"split": split, "run": name},
            ).save(folder / name / split)
    return folder


def _members(models, split):
    return [f"--predictions={models}/{name}/{split}" for name in "ab"]


def test_an_ensemble_is_adapted_and_submitted_like_a_model(call, models, tmp_path):
    for split in ("tuning", "stage_1"):
        call(
            "ensemble",
            *_members(models, split),
            "--weights=1,3",
            f"--output={tmp_path}/{split}",
        )
    mean = predictions.load(tmp_path / "stage_1")
    both = [predictions.load(models / name / "stage_1").logits for name in "ab"]
    np.testing.assert_allclose(mean.logits, (both[0] + 3 * both[1]) / 4, atol=1e-5)
    said = call(
        "adapt",
        f"--predictions={tmp_path}/tuning",
        "--temperature",
        "--threshold=expected_f2",
        f"--output={tmp_path}/adaptation",
    ).stdout
    assert "temperature " in said
    assert "set of the best expected F2" in said
    call(
        "submit",
        f"--predictions={tmp_path}/stage_1",
        f"--adaptation={tmp_path}/adaptation",
        f"--output={tmp_path}/answer.csv",
    )
    answers = submissions.read(tmp_path / "answer.csv")
    changed, threshold = adapted.load_decided(
        tmp_path / "stage_1", tmp_path / "adaptation"
    )
    given = changed.logits >= threshold
    assert [len(codes) for codes in answers.values()] == given.sum(axis=1).tolist()


@pytest.mark.parametrize("rule", ["shrunk", "per_class_third_place"])
def test_thresholds_a_label_are_fitted_told_and_compared(call, models, tmp_path, rule):
    said = call(
        "adapt",
        f"--predictions={models}/a/tuning",
        "--priors=counted",
        f"--threshold={rule}",
        f"--output={tmp_path}/adaptation",
    ).stdout
    assert "thresholds of 4 labels: probability" in said
    assert "on 90 tuning images (5-fold)" in said
    assert said.count(" *\n") == 2 * (rule == "shrunk")
    stage_1 = models / "a" / "stage_1"
    said = call(
        "compare",
        f"--before={stage_1}",
        f"--after={stage_1}",
        f"--after_adaptation={tmp_path}/adaptation",
        "--bootstrap=20",
    ).stdout
    assert "mean F2" in said


def test_votes_are_read_at_probability_one_half(call, models, tmp_path):
    said = call(
        "ensemble",
        *_members(models, "stage_1"),
        "--rule=vote",
        "--at_least=2",
        "--fill=/m/a /m/c",
        f"--output={tmp_path}/vote",
    ).stdout
    both = [predictions.load(models / name / "stage_1").logits for name in "ab"]
    votes = sum((logits >= 0).astype(int) for logits in both)
    given = votes >= 2
    empty = ~given.any(axis=1)
    given[empty] = votes[empty] >= 1
    still = ~given.any(axis=1)
    given[np.ix_(still, [0, 2])] = True
    voted = predictions.load(tmp_path / "vote")
    np.testing.assert_array_equal(voted.logits >= 0, given)
    assert f"{empty.sum() - still.sum()} images took the union" in said
    assert f"{still.sum()} images got the constant answer: /m/a /m/c" in said


def test_the_second_of_two_is_asked_where_the_first_is_unsure(call, models, tmp_path):
    said = call(
        "ensemble",
        *_members(models, "stage_1"),
        *[f"--select_on={models}/{name}/tuning" for name in "ab"],
        "--rule=fallback",
        "--fallback_by=sigmoid",
        f"--output={tmp_path}/fitted",
    ).stdout
    assert "mean_f2 0." in said
    first, second = (predictions.load(models / n / "stage_1").logits for n in "ab")
    fitted = predictions.load(tmp_path / "fitted")
    assert fitted.source["selected_on"] == [f"{models}/{n}/tuning" for n in "ab"]
    chance = 1 / (1 + np.exp(-first.max(axis=1).astype(np.float64)))
    unsure = chance < fitted.source["below"]
    assert f"second member answered {unsure.sum()}:" in said
    np.testing.assert_array_equal(
        fitted.logits, np.where(unsure[:, None], second, first)
    )
    call(
        "ensemble",
        *_members(models, "stage_1"),
        "--rule=fallback",
        "--fallback_below=0.7",
        "--fallback_by=sigmoid",
        f"--output={tmp_path}/given",
    )
    given = predictions.load(tmp_path / "given")
    assert given.source["fell_back"] == (chance < 0.7).sum()


def test_members_are_chosen_on_a_tuning_set(call, models, tmp_path):
    said = call(
        "ensemble",
        *_members(models, "stage_1"),
        *[f"--select_on={models}/{name}/tuning" for name in "ab"],
        "--steps=5",
        f"--output={tmp_path}/chosen",
    ).stdout
    assert said.count("mean F2") == 5
    chosen = predictions.load(tmp_path / "chosen")
    assert chosen.source["selected_on"] == [f"{models}/{n}/tuning" for n in "ab"]
    assert f2.mean_f2(chosen.logits, 0.0, chosen.truth) > 0.5


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        (
            "ensemble",
            ["--predictions={models}/a/tuning", "--predictions={models}/a/stage_1"],
            "Expected: 90 images. Received: 150",
        ),
        (
            "ensemble",
            ["--predictions={models}/a/tuning", "--weights=1,2"],
            "--weights has one a member",
        ),
        (
            "ensemble",
            ["--predictions={models}/a/tuning", "--weights=many"],
            "are numbers; received many",
        ),
        (
            "ensemble",
            ["--predictions={models}/a/tuning", "--select_on={models}/a/tuning"],
            "90 shared, first tuning_0",
        ),
        (
            "ensemble",
            ["--predictions={models}/a/tuning", "--rule=vote", "--fill=/m/x"],
            "not in the vocabulary",
        ),
        (
            "adapt",
            ["--predictions={models}/a/tuning", "--priors=em", "--threshold=global"],
            "predictions of the target",
        ),
    ],
)
def test_bad_input_is_one_line(call, models, tmp_path, script, arguments, message):
    filled = [one.format(models=models) for one in arguments]
    found = call(script, *filled, f"--output={tmp_path}/x", code=1)
    (line,) = found.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "x").exists()
