"""Tables of recipes: what each is worth, over seeds, and what ours adds to the best.

A record says which labels a recipe gave; the data set says which are right. Intervals
are a bootstrap over images nested in seeds, differences are paired by image and seed.
"""

import dataclasses
import types

import numpy as np

from data_pipelines import errors
from inclusive_tf import predictions as predictions_module
from inclusive_tf.evaluation import baselines, figures, ranking
from inclusive_tf.recipes import record as records

CONSTANT = "constant answer"

POOLED = "+"
"""Joins the names of splits whose images count together."""

WHERE, NO = " where ", "no "
"""`SPLIT where COLUMN` judges the images of which the column says something, `SPLIT
where no COLUMN` the others."""


def splits_of(judged):
    """Returns the names of the splits that what is judged takes images of."""
    return judged.partition(WHERE)[0].split(POOLED)


def columns_of(judged):
    """Returns the columns that conditions of what is judged ask for, each once.

    Args:
        judged: list of str, such as "stage_1+stage_2 where no box".
    """
    asked = (one.partition(WHERE)[2].removeprefix(NO) for one in judged)
    return tuple(dict.fromkeys(filter(None, asked)))


@dataclasses.dataclass(frozen=True)
class Questions:
    """What a study asks: the truth of each split.

    Args:
        table: `labels.LabelTable` of all splits.
    """

    table: object

    def part(self, split):
        """Returns the rows of a split, or of several that `POOLED` joins, in order.

        Raises:
            errors.DataError: no such split or column.
        """
        rows = self._rows(split)
        return self.table.take(rows[self._judged(rows, split)])

    def _rows(self, split):
        """Returns int64: the rows of the splits, whatever the condition."""
        return np.concatenate([
            np.flatnonzero(self.table.split == self.table.split_index(name))
            for name in splits_of(split)
        ])  # fmt: skip

    def _judged(self, rows, split):
        """Returns bool [rows]: which of them the condition of `split` lets through."""
        _, _, condition = split.partition(WHERE)
        if not condition:
            return np.ones(len(rows), bool)
        column = condition.removeprefix(NO)
        if column not in self.table.columns:
            raise errors.DataError(
                f"no column to judge images by in '{split}'",
                expected=f"one of {', '.join(self.table.columns) or 'none'}",
                received=column,
            )
        says = self.table.columns[column][rows] != ""
        return ~says if condition.startswith(NO) else says

    def answer(self, record, split):
        """Returns (given bool [N, C], ranking int64 [N, k]) of a record.

        Raises:
            errors.DataError: it answered other questions, or not this split.
        """
        found = []
        for name in splits_of(split):
            part = self.part(name)
            asked = records.digest(part.ids, part.labels, part.group, part.vocabulary)
            if name not in record.answers or record.answers[name].digest != asked:
                raise errors.DataError(
                    f"{record.recipe}, seed {record.seed}, answered other images",
                    expected=f"split {name} of this data set, {asked[:12]}",
                    received=", ".join(
                        f"{other} {answer.digest[:12]}"
                        for other, answer in record.answers.items()
                    ),
                )
            found.append(record.answers[name])
        judged = self._judged(self._rows(split), split)
        return (
            np.concatenate([one.given for one in found])[judged],
            np.concatenate([one.ranking for one in found])[judged],
        )

    def constant(self, split, fit_split):
        """Returns (given, ranking) of the best constant answer on `fit_split`."""
        fitted = self.part(fit_split)
        chosen = baselines.constant_answer(
            fitted.labels, unlisted_is_absent=fitted.unlisted_is_absent
        )
        size = len(self.part(split))
        given = np.zeros((size, len(self.table.vocabulary)), bool)
        given[:, chosen] = True
        return given, np.tile(ranking.of_logits([fitted.labels.counts()]), (size, 1))


class LabelSets:
    """Figures of the labels that were given."""

    columns = types.MappingProxyType({
        "mean_f2": "mean F2",
        "macro_f2": "macro F2",
        "head_recall": "head",
        "middle_recall": "middle",
        "tail_recall": "tail",
        "worst_group_f2": "worst group",
    })  # fmt: skip
    compared = ("mean_f2", "macro_f2")

    def __init__(self, questions):
        self._questions = questions
        # all recipes are judged by these, whatever they were trained on, so that head,
        # middle and tail are the same labels for all
        self._counts = questions.part("train").labels.counts()

    def figures(self, answers, split, resamples, seed):
        """Returns {measure: interval} over seeds of (given, ranking)."""
        return figures.headline_of_seeds(self._runs(answers, split), resamples, seed)

    def differences(self, before, after, split, resamples, seed):
        """Returns {measure: interval} of the paired difference."""
        return figures.compare_seeds(
            self._runs(before, split), self._runs(after, split), resamples, seed
        )["measures"]

    def _runs(self, answers, split):
        return [(self._predictions(given, split), 0.0) for given, _ in answers]

    def _predictions(self, given, split):
        part = self._questions.part(split)
        return predictions_module.Predictions(
            ids=part.ids,
            logits=np.where(given, 1.0, -1.0).astype(np.float32),
            features=np.zeros((len(part), 0), np.float32),
            truth=part.labels,
            unlisted_is_absent=part.unlisted_is_absent,
            group=part.group,
            group_names=part.group_names,
            training_counts=self._counts,
            vocabulary=part.vocabulary,
            source={"split": split},
            cluster=part.cluster,
        )


class Likeliest:
    """Figures of the likeliest labels: top-1 and top-5."""

    columns = types.MappingProxyType({
        "top_1": "top-1",
        "top_5": "top-5",
        "macro_top_1": "macro top-1",
        "macro_top_5": "macro top-5",
    })  # fmt: skip
    compared = ("top_1", "macro_top_1")

    def __init__(self, questions):
        self._questions = questions

    def figures(self, answers, split, resamples, seed):
        """Returns {measure: interval} over seeds of (given, ranking)."""
        part = self._questions.part(split)
        rankings = [order for _, order in answers]
        return ranking.figures(rankings, part.labels, part.cluster, resamples, seed)[
            "measures"
        ]

    def differences(self, before, after, split, resamples, seed):
        """Returns {measure: interval} of the paired difference."""
        part = self._questions.part(split)
        sides = [[order for _, order in side] for side in (before, after)]
        return ranking.differences(*sides, part.labels, part.cluster, resamples, seed)


JUDGES = {"f2": LabelSets, "top_k": Likeliest}
"""What a study looks at."""


def table(by_recipe, questions, judge, splits, fit_split, resamples=1000, seed=0):
    """Computes the figures of every recipe.

    Args:
        by_recipe: {recipe: list of `record.Record`, a seed each}.
        questions: `Questions`.
        judge: `LabelSets` or `Likeliest`.
        splits: names of the splits, each maybe several joined by `POOLED`, maybe with
            a condition after `WHERE`.
        fit_split: where the constant answer is chosen.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        list of {"recipe", "seeds", "members", "seconds", "images", "parameters",
        "tuning": mean or None, "figures": {split: {measure: interval}}}, the best of
        the last split first; the constant answer has members 0. A recipe that learns
        from a split does not answer it, and has no figures there.
    """
    rows = []
    for name, found in by_recipe.items():
        rows.append({
            "recipe": name,
            "seeds": [one.seed for one in found],
            **{key: float(np.mean([one.cost[key] for one in found]))
               for key in ("members", "seconds", "images", "parameters")},
            "tuning": _mean_tuning(found),
            "figures": {
                split: judge.figures(
                    [questions.answer(one, split) for one in found],
                    split, resamples, seed,
                )
                for split in splits if _answers(found, split)
            },
        })  # fmt: skip
    rows.append({
        "recipe": CONSTANT, "seeds": [], "members": 0, "seconds": 0, "images": 0,
        "parameters": 0, "tuning": None,
        "figures": {
            split: judge.figures(
                [questions.constant(split, fit_split)], split, resamples, seed
            )
            for split in splits
        },
    })  # fmt: skip
    return sorted(rows, key=lambda row: -_first(row, judge, splits[-1]))


def _first(row, judge, split):
    found = row["figures"].get(split)
    return found[next(iter(judge.columns))]["value"] if found else -1.0


def _answers(found, split):
    return all(name in one.answers for one in found for name in splits_of(split))


def differences(by_recipe, ours, questions, judge, splits, resamples=1000, seed=0):
    """Computes ours minus each other recipe, on the seeds that both have.

    Returns:
        list of {"recipe", "seeds", "differences": {split: {measure: interval}}}.
    """
    rows = []
    for name, found in by_recipe.items():
        shared = sorted({r.seed for r in found} & {r.seed for r in by_recipe[ours]})
        if name == ours or not shared:
            continue
        sides = [
            sorted(
                (record for record in by_recipe[side] if record.seed in shared),
                key=lambda record: record.seed,
            )
            for side in (name, ours)
        ]
        rows.append({
            "recipe": name,
            "seeds": shared,
            "differences": {
                split: judge.differences(
                    *([questions.answer(one, split) for one in side] for side in sides),
                    split, resamples, seed,
                )
                for split in splits if all(_answers(side, split) for side in sides)
            },
        })  # fmt: skip
    return rows


def _mean_tuning(found):
    values = [one.tuning["mean_f2"] for one in found if one.tuning]
    return float(np.mean(values)) if values else None


def cell(interval, key="value", signed=False):
    """Returns an interval as text, such as `0.812 [0.804, 0.820]`."""
    if interval is None or interval[key] is None:
        return "–"
    sign = "+" if signed else ""
    middle = format(interval[key], f"{sign}.3f")
    if interval["low"] is None:
        return middle
    return f"{middle} [{interval['low']:{sign}.3f}, {interval['high']:{sign}.3f}]"


def markdown(rows, judge, splits):
    """Returns the table of recipes as Markdown, a table a split."""
    parts = []
    first, *others = judge.columns
    for split in splits:
        lines = _head(["recipe", "seeds", *judge.columns.values(), "fitted on", "cost"])
        for row in rows:
            values = row["figures"].get(split, {})
            cells = [cell(values.get(first))]
            cells += [
                cell(values[name] | {"low": None} if values else None)
                for name in others
            ]
            tuning = "–" if row["tuning"] is None else f"{row['tuning']:.3f}"
            seeds = len(row["seeds"]) or "–"
            lines.append(_line([row["recipe"], seeds, *cells, tuning, _cost(row)]))
        parts.append(f"**{split}**\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def differences_markdown(rows, judge, ours, splits):
    """Returns the paired differences as Markdown."""
    wanted = [(split, name) for split in splits for name in judge.compared]
    titles = [f"{split}: {judge.columns[name]}" for split, name in wanted]
    lines = _head([f"{ours} minus", "seeds", *titles])
    for row in rows:
        cells = [
            cell(row["differences"].get(split, {}).get(name), "difference", signed=True)
            for split, name in wanted
        ]
        lines.append(_line([row["recipe"], len(row["seeds"]), *cells]))
    return "\n".join(lines)


def text(by_recipe, ours, questions, judge, splits, fit_split, notes, resamples=1000):
    """Returns everything a study has to say, as Markdown.

    Args:
        by_recipe: {recipe: list of `record.Record`, a seed each}.
        ours: names of the recipes that the others are compared with.
        questions: `Questions`.
        judge: `LabelSets` or `Likeliest`.
        splits: names of the splits, the one that counts last.
        fit_split: where the constant answer is chosen.
        notes: sentences on what is missing.
        resamples: of the bootstrap.
    """
    rows = table(by_recipe, questions, judge, splits, fit_split, resamples)
    parts = []
    for title, chosen in (
        ("Single models", [row for row in rows if row["members"] <= 1]),
        ("Ensembles", [row for row in rows if row["members"] > 1]),
    ):
        if any(row["members"] for row in chosen):
            parts.append(f"### {title}\n\n{markdown(chosen, judge, splits)}")
    for name in ours:
        if name not in by_recipe:
            continue
        alike = {
            other: found
            for other, found in by_recipe.items()
            if _single(found) == _single(by_recipe[name])
        }
        compared = differences(alike, name, questions, judge, splits, resamples)
        if compared:
            said = differences_markdown(compared, judge, name, splits)
            parts.append(f"### {name}, paired with the others\n\n{said}")
    if notes:
        parts.append("Not there yet: " + "; ".join(notes) + ".")
    return "\n\n".join(parts)


def _single(found):
    return found[0].cost["members"] == 1


def _cost(row):
    if not row["members"]:
        return "–"
    members = f"{row['members']:.0f} × " if row["members"] > 1 else ""
    each = row["parameters"] / row["members"] / 1000
    return (
        f"{members}{each:,.0f} k, {row['images'] / 1000:,.0f} k images, "
        f"{row['seconds']:,.0f} s"
    )


def _head(titles):
    return [_line(titles), _line(["---"] + ["---:"] * (len(titles) - 1))]


def _line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
