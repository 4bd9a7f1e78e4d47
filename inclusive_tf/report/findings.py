"""What may be claimed, by rule: a step helps only if its interval lies above zero.

The intervals are 95 % and paired; each is read alone, without a correction for how many
there are. All measures are better when greater.
"""

import dataclasses

from data_pipelines import errors, oneline
from inclusive_tf.report import wording

HELPS, HURTS, UNCLEAR, UNKNOWN = "helps", "hurts", "no clear difference", "not compared"
MEASURES = {
    "mean_f2": "mean F2",
    "macro_f2": "macro F2",
    "tail_recall": "tail recall",
    "worst_group_f2": "worst group",
}
"""The measures of the main table, in its order, with their names."""


def verdict(comparison):
    """Returns what a comparison {"difference", "low", "high", "n"} (or None) shows."""
    if comparison is None:
        return UNKNOWN
    low = wording.finite(comparison.get("low"))
    high = wording.finite(comparison.get("high"))
    if low is None or high is None:
        return UNKNOWN
    return HELPS if low > 0 else HURTS if high < 0 else UNCLEAR


def check(results):
    """Raises `errors.DataError` unless `results` can be told as a report."""
    for key in ("title", "rows"):
        if not results.get(key):
            raise errors.DataError(
                f"the results have no {key}",
                expected="results.json of tools.demo",
                received=sorted(results),
            )
    names = [row["name"] for row in results["rows"]]
    if len(set(names)) < len(names):
        raise errors.DataError(
            "two rows of the results have the same name", received=names
        )
    if not splits(results):
        raise errors.DataError("no row of the results was evaluated", received=names)
    for row in results["rows"]:
        wanted = {"constant": (), "model": ("run", "parts")}.get(row.get("kind"))
        if wanted is None or any(key not in row for key in wanted):
            raise errors.DataError(
                f"it is not said what the row {oneline.short(row['name'])!r} is",
                expected='kind "constant", or "model" with run and parts',
                received={key: row.get(key) for key in ("kind", "run", "parts")},
            )


def splits(results):
    """Returns the names of the evaluated splits, in order; the last is the main one."""
    return list(
        dict.fromkeys(
            split for row in results["rows"] for split in row.get("evaluations", {})
        )
    )


def split_name(split):
    """Returns "stage 2" for "stage_2"."""
    return oneline.clean(split).replace("_", " ")


def models(results):
    """Returns the rows that are answers of a model, in order."""
    return [row for row in results["rows"] if row["kind"] == "model"]


def roles(results):
    """Returns {"constant", "plain", "resampled", "final"}: those rows, where there.

    Plain is the first row of a model, resampled the first of the last run, final the
    last; a row that is two of them is final rather than plain rather than resampled.
    """
    constants = [row for row in results["rows"] if row["kind"] == "constant"]
    found = {"constant": constants[0]} if constants else {}
    rows = models(results)
    if len(rows) > 1:
        found["plain"] = rows[0]
        first = next(row for row in rows if row["run"] == rows[-1]["run"])
        if first is not rows[0] and first is not rows[-1]:
            found["resampled"] = first
    if rows:
        found["final"] = rows[-1]
    return found


def is_one_training(results):
    """Returns whether no run was repeated with several seeds."""
    runs = (results.get("runs") or {}).values()
    return all(len(run.get("seeds", ())) < 2 for run in runs)


def _group_sizes(results, split):
    """Returns {name: most images that any row has of a group}."""
    sizes = {}
    for row in results["rows"]:
        for group in _groups_of(row, split):
            sizes[group["name"]] = max(group["n"], sizes.get(group["name"], 0))
    return sizes


def _groups_of(row, split):
    return (row.get("evaluations", {}).get(split) or {}).get("groups", [])


def groups(results, split):
    """Returns (names of the groups of a split with images, names of those without)."""
    sizes = _group_sizes(results, split)
    return (
        [name for name, size in sizes.items() if size],
        [name for name, size in sizes.items() if not size],
    )


def shown_groups(results, split, most):
    """Returns (names of at most so many groups with images, a sentence or "").

    Where there are more, half of these are the largest and half the worst of the
    others, by the mean F2 of the last row that has the split, and the sentence says so.
    """
    names, _ = groups(results, split)
    if len(names) <= most:
        return names, ""
    sizes = _group_sizes(results, split)
    last = next(
        found for row in reversed(results["rows"]) if (found := _groups_of(row, split))
    )
    values = {one["name"]: (one.get("mean_f2") or {}).get("value") for one in last}
    scores = {name: value for name, value in values.items() if value is not None}
    largest = sorted(names, key=lambda name: -sizes[name])[: most // 2]
    others = set(names).difference(largest)
    # a group of which nothing is known counts as good
    worst = sorted(others, key=lambda name: (scores.get(name, 1.0), name))
    kept = {*largest, *worst[: most - most // 2]}
    said = (
        f"the {most // 2:,} largest of {len(names):,} groups, and the "
        f"{most - most // 2:,} worst others"
    )
    return [name for name in names if name in kept], said


def interval(row, split, measure):
    """Returns the interval of one measure of one row, or None."""
    figures = row.get("evaluations", {}).get(split) or {}
    return figures.get("measures", {}).get(measure)


def comparison(step, split, measure):
    """Returns one comparison of one step, or None."""
    found = step.get("comparisons", {}).get(split) or {}
    return found.get("measures", {}).get(measure)


def figure(row, split, measure):
    """Returns the `wording.Figure` of one measure, with the worst group's name."""
    note = ""
    if measure == "worst_group_f2":
        note = (row.get("evaluations", {}).get(split) or {}).get("worst_group") or ""
    return wording.figure(interval(row, split, measure), note)


@dataclasses.dataclass(frozen=True)
class Finding:
    """One step as a sentence's worth: its verdict on the main measure and its price.

    Args:
        name: the step.
        verdict: on mean F2 of the main split.
        difference: its `wording.Figure`.
        aside: what other measures of that split say that differs, or "".
        elsewhere: what mean F2 of other splits says that differs, or "".
    """

    name: str
    verdict: str
    difference: wording.Figure
    aside: str
    elsewhere: str


def elsewhere(results, step):
    """Returns "stage 1: no clear difference": other splits' verdicts that differ.

    Both verdicts are on mean F2; "" when every split says what the main one says.
    """
    *others, main = splits(results)
    said = {
        split: verdict(comparison(step, split, "mean_f2")) for split in (*others, main)
    }
    return "; ".join(
        f"{split_name(split)}: {said[split]}"
        for split in others
        if said[split] != said[main]
    )


def step_findings(results):
    """Returns a `Finding` a step, in order."""
    split = splits(results)[-1]
    found = []
    for step in results.get("steps") or []:
        main = comparison(step, split, "mean_f2")
        others = {
            name.replace("worst", "the worst"): verdict(
                comparison(step, split, measure)
            )
            for measure, name in MEASURES.items()
            if measure != "mean_f2"
        }
        asides = [
            f"{said} {wording.words(names)}"
            for said in (HELPS, HURTS)
            if said != verdict(main)
            and (names := [name for name in others if others[name] == said])
        ]
        found.append(
            Finding(
                step["name"],
                verdict(main),
                wording.figure(main, signed=True, key="difference"),
                wording.words(asides),
                elsewhere(results, step),
            )
        )
    return found
