"""A study's tables are the figures of what was answered."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf.evaluation import f2
from inclusive_tf.recipes import record, study

GENERATOR = np.random.default_rng(1)
CLASSES = 6
NAMES = ("train", "tuning", "stage")


@pytest.fixture(scope="module")
def table():
    size = 300
    dense = GENERATOR.random((size, CLASSES)) < np.linspace(0.6, 0.1, CLASSES)
    return labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(size)]),
        locations=np.array([""] * size),
        labels=labels.SparseLabels.from_dense(dense.astype(np.float32)),
        vocabulary=labels.Vocabulary(tuple("abcdef")),
        group=GENERATOR.integers(0, 2, size).astype(np.int32),
        group_names=("g", "h"),
        split=np.repeat([0, 1, 2], 100).astype(np.int32),
        split_names=NAMES,
        columns={"box": np.where(np.arange(size) % 3, "here", "")},
    )


def made(table, recipe, seed, errors_of, members=1):
    """A record that gets a share of the labels of split `stage` wrong."""
    part = table.select_split("stage")
    wrong = np.random.default_rng(seed).random((100, CLASSES)) < errors_of
    given = part.labels.multi_hot() ^ wrong
    digest = record.digest(part.ids, part.labels, part.group, part.vocabulary)
    ranking = np.argsort(-given.astype(int), axis=1, kind="stable")[:, :3]
    return record.Record(
        recipe, seed, "", {"stage": record.Answer(given, ranking, digest)},
        np.zeros(CLASSES, int), {"mean_f2": 0.5, "estimate": ""},
        {"seconds": 2.0, "images": 1000, "parameters": 4000, "members": members}, {},
    )  # fmt: skip


def tabled(by_recipe, table, judge=study.LabelSets, splits=("stage",)):
    questions = study.Questions(table)
    return study.table(by_recipe, questions, judge(questions), splits, "tuning", 50)


def test_figures_are_those_of_the_labels_that_were_given(table):
    by_recipe = {"one": [made(table, "one", seed, 0.1) for seed in (0, 1)]}
    rows = tabled(by_recipe, table)
    (row,) = [row for row in rows if row["recipe"] == "one"]
    part = table.select_split("stage")
    expected = np.mean([
        f2.mean_f2(
            np.where(one.answers["stage"].given, 1.0, -1.0), 0.0, part.labels, True
        )
        for one in by_recipe["one"]
    ])  # fmt: skip
    assert row["figures"]["stage"]["mean_f2"]["value"] == pytest.approx(expected)
    assert (row["seeds"], row["tuning"]) == ([0, 1], 0.5)
    assert {row["recipe"] for row in rows} == {"one", study.CONSTANT}


def test_better_recipes_stand_first_and_differences_are_paired_by_seed(table):
    by_recipe = {
        "weak": [made(table, "weak", seed, 0.3) for seed in (0, 1, 2)],
        "ours": [made(table, "ours", seed, 0.05) for seed in (1, 2, 3)],
    }
    questions = study.Questions(table)
    rows = tabled(by_recipe, table)
    assert rows[0]["recipe"] == "ours"
    judge = study.LabelSets(questions)
    (row,) = study.differences(by_recipe, "ours", questions, judge, ("stage",), 200)
    assert (row["recipe"], row["seeds"]) == ("weak", [1, 2])
    assert row["differences"]["stage"]["mean_f2"]["low"] > 0


def test_single_models_and_ensembles_are_ranked_apart(table):
    by_recipe = {
        "alone": [made(table, "alone", 0, 0.2)],
        "ours": [made(table, "ours", 0, 0.1)],
        "many": [made(table, "many", 0, 0.1, members=3)],
    }
    questions = study.Questions(table)
    text = study.text(
        by_recipe, ["ours"], questions, study.LabelSets(questions), ("stage",),
        "tuning", ["x"], 20,
    )  # fmt: skip
    single, rest = text.split("### Ensembles")
    ensembles, paired = rest.split("### ours, paired with the others")
    assert "| alone |" in single
    assert "| many |" in ensembles
    assert "| many |" not in single + paired
    assert "| 3 × 1 k, 1 k images, 2 s |" in ensembles
    assert text.endswith("Not there yet: x.")


def test_answers_to_other_questions_are_refused(table):
    other = made(table, "one", 0, 0.1)
    changed = study.Questions(table.take(np.arange(299)))
    with pytest.raises(errors.DataError, match="one, seed 0, answered other images"):
        changed.answer(other, "stage")


def test_the_likeliest_labels_are_judged_too_and_splits_are_pooled(table):
    part = table.select_split("tuning")
    one = made(table, "one", 0, 0.1)
    digest = record.digest(part.ids, part.labels, part.group, part.vocabulary)
    right = np.argsort(-part.labels.multi_hot().astype(int), axis=1, kind="stable")
    answer = record.Answer(part.labels.multi_hot(), right[:, :3], digest)
    both = dataclasses.replace(one, answers=one.answers | {"tuning": answer})
    splits = ("tuning", "stage", "tuning+stage")
    (row, _) = tabled({"one": [both]}, table, study.Likeliest, splits)
    shown = [table.select_split(name).labels.counts().sum() for name in splits[:2]]
    apart = [row["figures"][name]["top_1"]["value"] for name in splits[:2]]
    pooled = row["figures"]["tuning+stage"]["top_1"]["value"]
    assert pooled == pytest.approx(np.average(apart, weights=shown))


def test_images_are_judged_by_what_a_column_says_of_them(table):
    splits = ("stage where box", "stage where no box", "stage")
    assert study.columns_of([*splits, "stage where no crop"]) == ("box", "crop")
    one = made(table, "one", 0, 0.1)
    (row, constant) = tabled({"one": [one]}, table, splits=splits)
    part = table.select_split("stage")
    has_box = part.columns["box"] == "here"
    margins = np.where(one.answers["stage"].given, 1.0, -1.0)
    for split, rows in zip(splits, (has_box, ~has_box, has_box | True), strict=True):
        rows = np.flatnonzero(rows)
        expected = f2.mean_f2(margins[rows], 0.0, part.labels.take(rows), True)
        assert row["figures"][split]["mean_f2"]["value"] == pytest.approx(expected)
        assert split in constant["figures"]


def test_a_column_that_is_not_there_lists_those_that_are(table):
    with pytest.raises(errors.DataError, match=r"stage where no crop.*one of box"):
        study.Questions(table).part("stage where no crop")


def test_a_split_that_a_recipe_learnt_from_has_no_figures(table):
    by_recipe = {"one": [made(table, "one", 0, 0.1)]}
    rows = tabled(by_recipe, table, splits=("tuning", "stage"))
    (row,) = [row for row in rows if row["recipe"] == "one"]
    assert list(row["figures"]) == ["stage"]
    assert "| one | 1 | – |" in study.markdown(rows, study.LabelSets, ("tuning",))
