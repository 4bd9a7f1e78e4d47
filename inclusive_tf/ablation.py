"""What each step of the job is worth: runs × adaptations, evaluated and compared.

Every run is evaluated as trained (probability 0.5), with one threshold fitted on the
tuning set, and with the last layer refitted there as well; each step is compared with
the one before it on the same images. What is scored chooses nothing.
"""

import dataclasses
import itertools

from inclusive_tf import predictions as predictions_module
from inclusive_tf.adaptation import adapted
from inclusive_tf.evaluation import figures

VARIANTS = {
    "": {"last_layer": False, "threshold": False},
    " + threshold": {"last_layer": False, "threshold": True},
    " + last layer + threshold": {"last_layer": True, "threshold": True},
}
"""Suffix of a row's name → what is fitted on the tuning set."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to answer: a run and what was fitted on its tuning predictions.

    Args:
        name: such as "plain + threshold".
        run: name of the run.
        parts: names of what was fitted, such as ("threshold",).
        adaptation: `adapted.Adaptation`.
        decided: {split: (`predictions.Predictions`, threshold_logit)}.
    """

    name: str
    run: str
    parts: tuple
    adaptation: adapted.Adaptation
    decided: dict


def adapt(name, run, tuning_split, evaluation_splits, seed=0):
    """Fits and saves the adaptations of one run; returns its rows.

    Args:
        name: of the run, as rows show it.
        run: `run.Run` with predictions of all the splits.
        tuning_split: split to fit on.
        evaluation_splits: splits to apply to, none of which is fitted on.
        seed: of the folds.

    Returns:
        list of `Row`, one a variant.
    """
    tuning = predictions_module.load(run.predictions(tuning_split))
    evaluated = {
        split: predictions_module.load(run.predictions(split))
        for split in evaluation_splits
    }
    rows = []
    for suffix, parts in VARIANTS.items():
        adaptation = adapted.fit(tuning, seed=seed, **parts)
        folder = adaptation.name.replace("+", "and").replace(" ", "_")
        adaptation.save(run.adaptation(folder))
        decided = {
            split: adapted.apply(adaptation, found)
            for split, found in evaluated.items()
        }
        fitted = tuple(part.replace("_", " ") for part, used in parts.items() if used)
        rows.append(Row(f"{name}{suffix}", name, fitted, adaptation, decided))
    return rows


def constant_row(rows, tuning, resamples, seed):
    """Returns the JSON row of the best constant answer, chosen on the tuning set."""
    evaluations, answer = {}, ()
    for split, (predicted, _) in rows[0].decided.items():
        found = figures.constant(predicted, tuning, resamples, seed)
        evaluations[split], answer = found["figures"], found["labels"]
    return {
        "name": "constant answer",
        "kind": "constant",
        "labels": list(answer),
        "evaluations": evaluations,
    }


def evaluate(row, resamples, seed):
    """Returns the JSON row of one way to answer."""
    return {
        "name": row.name,
        "kind": "model",
        "run": row.run,
        "parts": list(row.parts),
        "threshold_logit": row.adaptation.threshold_logit,
        "tuning": row.adaptation.figures,
        "evaluations": {
            split: figures.figures(predicted, threshold, resamples, seed)
            for split, (predicted, threshold) in row.decided.items()
        },
    }


def compare(before, after, resamples, seed):
    """Returns the JSON step between two rows."""
    return {
        "name": f"{before.name} → {after.name}",
        "before": before.name,
        "after": after.name,
        "comparisons": {
            split: figures.compare(
                *before.decided[split], *after.decided[split], resamples, seed
            )
            for split in before.decided
        },
    }


def steps(rows):
    """Returns the pairs worth comparing: step by step in a run, then across runs."""
    runs = list(dict.fromkeys(row.run for row in rows))
    by_run = {name: [row for row in rows if row.run == name] for name in runs}
    within = [pair for found in by_run.values() for pair in itertools.pairwise(found)]
    across = [
        pair
        for other in runs[1:]
        for pair in zip(by_run[runs[0]], by_run[other], strict=True)
    ]
    first_to_last = [(rows[0], rows[-1])] if len(runs) > 1 else []
    return within + across + first_to_last


def table(runs, tuning_split, evaluation_splits, resamples=1000, seed=0):
    """Adapts, evaluates and compares runs on the same data.

    Args:
        runs: {name: `run.Run`}; the first is what the others are compared with.
        tuning_split: split to fit on.
        evaluation_splits: splits to evaluate.
        resamples: of the bootstrap.
        seed: of folds and bootstrap.

    Returns:
        (JSON rows, JSON steps, list of `Row`).

    Raises:
        errors.DataError: predictions are missing or not of the same images.
    """
    rows = [
        row
        for name, run in runs.items()
        for row in adapt(name, run, tuning_split, evaluation_splits, seed)
    ]
    first_run = next(iter(runs.values()))
    tuning = predictions_module.load(first_run.predictions(tuning_split))
    found = [constant_row(rows, tuning, resamples, seed)]
    found += [evaluate(row, resamples, seed) for row in rows]
    compared = [
        compare(before, after, resamples, seed) for before, after in steps(rows)
    ]
    return found, compared, rows
