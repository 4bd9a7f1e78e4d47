"""A recipe runs from data to a record, and a study keeps records and makes tables."""

import json

import numpy as np
import pytest

from data_pipelines import training_set
from inclusive_tf import predictions
from inclusive_tf.recipes import record

SMALL = (
    "--dataset=table", "--height=16", "--width=16", "--channels=3", "--growth=2",
    "--blocks=1", "--filters=4", "--batch_size=8", "--epochs=2",
    "--learning_rate=0.03", "--warmup_steps=2", "--mirror=0", "--shift=0",
    "--batch_norm_momentum=0.8", "--resampling=none", "--answer=stage",
)  # fmt: skip


@pytest.fixture
def table(make_table, colour_rows):
    return make_table(colour_rows(train=24, other=12))


def test_members_are_trained_in_phases_and_answer_together(call, table, tmp_path):
    """A phase from a tuning set and on labels of the members' own, then a vote."""
    output = tmp_path / "out"
    phase = (
        "--train_splits=train,tuning --held_out=0.5 --held_out_of=tuning "
        "--pseudo_split=validation --epochs=1"
    )
    arguments = (
        *SMALL, f"--table={table}", f"--output={output}", "--member=",
        "--member=--views=mirror", "--combine=vote", "--at_least=2",
        f"--phase={phase}",
        "--fit_split=held_out", "--threshold=global",
    )  # fmt: skip
    said = call("recipe", *arguments).stdout
    assert "12 images are learnt from with" in said
    assert "images are held out of training" in said
    assert "2 member(s)" in said
    runs = [output / f"member-{m}" / f"phase-{p}" for m in (0, 1) for p in (0, 1)]
    models = [json.loads((run / "model.json").read_text())["model"] for run in runs]
    assert [model["seed"] for model in models] == [0, 0, 1000, 1000]
    pseudo = (output / "phase-1-pseudo_labels.csv").read_text()
    assert pseudo.startswith(",".join(training_set.HEADER))

    found = record.read(output / "record.json")
    assert found.cost["members"] == 2
    answer = found.answers["stage"]
    votes = []
    for run in (runs[1], runs[3]):
        predicted = predictions.load(run / "predictions" / "stage")
        fitted = json.loads(
            (run / "adaptation" / "recipe" / "adaptation.json").read_text()
        )
        votes.append(predicted.logits >= fitted["decision"]["logit"])
    both = votes[0] & votes[1]
    either = votes[0] | votes[1]
    expected = np.where(both.any(axis=1, keepdims=True), both, either)
    rest = ~expected.any(axis=1)
    np.testing.assert_array_equal(answer.given[~rest], expected[~rest])
    assert answer.given.any(axis=1).all(), "who has no vote gets the constant answer"

    changed = phase.replace("--epochs", "--pseudo_threshold=0.4 --epochs")
    other = [one.replace(phase, changed) for one in arguments]
    assert "--pseudo_threshold" in call("recipe", *other, code=1).stderr

    (output / "record.json").unlink()
    again = call("recipe", *arguments).stdout
    assert "resuming after step" in again
    repeated = record.read(output / "record.json").answers["stage"]
    np.testing.assert_array_equal(repeated.given, answer.given)


def test_a_study_keeps_records_and_runs_only_what_is_missing(call, table, tmp_path):
    page = tmp_path / "results.md"
    page.write_text("# Results\n<!-- study small -->\n<!-- end study small -->\n")
    common = " ".join((*SMALL, f"--table={table}", "--fit_split=tuning"))
    arguments = [
        "--study=small", "--recipes=asbudhkar_densenet,place_24", f"--common={common}",
        f"--runs={tmp_path / 'runs'}", f"--records={tmp_path / 'records'}",
        f"--page={page}", "--bootstrap=20", "--ours=place_24",
    ]  # fmt: skip
    first = call("study", *arguments, "--seeds=0", "--minutes=0", code=1)
    assert "there is no record" in first.stdout
    arguments[2] += " --head_size=1"
    call("study", *arguments, "--seeds=0")
    records = sorted(path.name for path in (tmp_path / "records/small").iterdir())
    assert records == ["asbudhkar_densenet-0.json", "place_24-0.json"]
    again = call("study", *arguments, "--seeds=0,1", "--minutes=0")
    assert "asbudhkar_densenet, seed 1, and what follows wait" in again.stdout
    text = page.read_text()
    assert "| place_24 | 1 |" in text
    assert "### place_24, paired with the others" in text
    assert "place_24, seed 1: missing" in text
    assert text.endswith("<!-- end study small -->\n")
    changed = [*arguments]
    changed[2] += " --epochs=3"
    stale = call("study", *changed, "--seeds=0", "--minutes=0", "--page=", code=1)
    assert "place_24, seed 0: made with other flags" in stale.stdout


def test_a_split_that_is_not_there_is_said_before_anything_is_trained(
    call, table, tmp_path
):
    output = tmp_path / "out"
    done = call("recipe", *SMALL, f"--table={table}", f"--output={output}",
                "--fit_split=elsewhere", code=1)  # fmt: skip
    assert "no such split" in done.stderr
    assert "elsewhere" in done.stderr
    assert not list(output.glob("member-*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipes=place_5"], "Expected: one of asbudhkar_densenet"),
        (["--recipes=place_4,place_4"], "each name of --recipes once"),
        (["--recipes=place_4", "--only=place_3"], "some of place_4. Received: place_3"),
        (["--recipes=place_4", "--ours=place_3"], "some of place_4. Received: place_3"),
        (["--recipes=place_4", "--seeds=0,0"], "each once"),
        (["--recipes=place_4", "--seeds=a"], "Received: a"),
    ],
)
def test_names_and_seeds_that_a_study_cannot_use_are_refused(call, arguments, said):
    assert said in call("study", "--study=x", *arguments, code=1).stderr
