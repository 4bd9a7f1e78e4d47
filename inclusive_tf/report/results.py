"""Gathers runs into the results JSON that the page is made of."""

from inclusive_tf import ablation
from inclusive_tf.explain import gallery


def gather(runs, tuning_split, evaluation_splits, title, resamples=1000, seed=0):
    """Adapts, evaluates and compares runs, and joins what their directories hold.

    Args:
        runs: {name: `run.Run`}; the first is what the others are compared with.
        tuning_split: split to fit thresholds and last layers on.
        evaluation_splits: splits to evaluate.
        title: title of the page.
        resamples: of the bootstrap.
        seed: of folds and bootstrap.

    Returns:
        (results dict, list of `ablation.Row`).

    Raises:
        errors.DataError: a run or its predictions are missing or disagree.
    """
    rows, steps, decided = ablation.table(
        runs, tuning_split, evaluation_splits, resamples, seed
    )
    last = list(runs.values())[-1]
    data = last.read_json("data.json")
    stored = last.read_json("flags.json")
    return {
        "title": title,
        "induced": stored.get("dataset") == "fashion_regions",
        "rows": rows,
        "steps": steps,
        "exposure": last.read_json("exposure.json"),
        "data": data,
        "runs": {name: _summary(run) for name, run in runs.items()},
        "seed": stored.get("seed", 0),
    }, decided


def _summary(run):
    """What a training cost and where it ended, with its flags."""
    trained = run.read_json("training.json")
    history = trained["history"]
    return {
        "steps": trained["step"],
        "seconds": sum(epoch["seconds"] for epoch in history),
        "validation_mean_f2": history[-1].get("validation_mean_f2"),
        "parameters": run.read_json("model.json")["parameters"],
        "flags": run.read_json("flags.json"),
    }


def add_explanations(results, run, split):
    """Adds what `tools.explain` left in a run, when it did; returns the cases."""
    folder = run.path / "explanations" / split
    if not folder.is_dir():
        return []
    cases, facts = gallery.load(folder)
    results["explanations"] = facts
    return cases
