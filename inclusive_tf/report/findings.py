"""What may be claimed, by rule: a step helps only if its interval lies above zero.

The intervals are 95 % and paired; each is read alone, without a correction for how many
there are. All measures are better when greater.
"""

import dataclasses

from data_pipelines import errors
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


def splits(results):
    """Returns the names of the evaluated splits, in order; the last is the main one."""
    return list(
        dict.fromkeys(
            split for row in results["rows"] for split in row.get("evaluations", {})
        )
    )


def split_name(split):
    """Returns "stage 2" for "stage_2"."""
    return wording.clean(split).replace("_", " ")


def is_constant(row):
    """Returns whether the row gives every image the same answer."""
    return row["name"].lower().startswith("constant")


def roles(results):
    """Returns {"constant", "plain", "resampled", "final"}: those rows, where there.

    The plain row is the first that is a model, the final row the last; a row that is
    both is the final one. "resampled" is the first row so named that is neither.
    """
    models = [row for row in results["rows"] if not is_constant(row)]
    found = {"constant": next(filter(is_constant, results["rows"]), None)}
    if len(models) > 1:
        found["plain"] = models[0]
        found["resampled"] = next(
            (row for row in models[1:-1] if row["name"].startswith("resampl")), None
        )
    if models:
        found["final"] = models[-1]
    return {role: row for role, row in found.items() if row is not None}


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
    """

    name: str
    verdict: str
    difference: wording.Figure
    aside: str


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
            )
        )
    return found


def what_differs(results, before, after):
    """Returns in words what row `after` has that row `before` has not.

    Row names are parts joined by " + "; parts that are not known are quoted.
    """
    old = before["name"].split(" + ")
    parts = [part for part in after["name"].split(" + ") if part not in old]
    said = ["resampling"] if "resampled" in parts else []
    fitted = [f"the {part}" for part in parts if part in ("last layer", "threshold")]
    if fitted:
        counts = (results.get("data") or {}).get("counts") or {}
        images = wording.finite((counts.get("tuning") or {}).get("images"))
        on = f"{wording.count(images)} " if images else ""
        said.append(f"{wording.words(fitted)} fitted on {on}labelled tuning images")
    known = ("resampled", "last layer", "threshold")
    said += [f"“{wording.short(part)}”" for part in parts if part not in known]
    return ", and ".join(said) or f"“{wording.short(after['name'])}”"


def headline(results):
    """Returns the page's first sentence, computed from the data.

    A rise or fall is said only when a step compares the plain with the final row image
    by image and its interval lies apart from zero.
    """
    check(results)
    split, found = splits(results)[-1], roles(results)
    where = f"mean F2 on {split_name(split)}"
    if "plain" not in found:
        row = found.get("final", found.get("constant"))
        said = figure(row, split, "mean_f2")
        return f"“{wording.short(row['name'])}” has a {where} of {said}."
    plain, final = found["plain"], found["final"]
    before, after = (figure(row, split, "mean_f2") for row in (plain, final))
    step = overall_step(results)
    said = verdict(step and comparison(step, split, "mean_f2"))
    cause = f"With {what_differs(results, plain, final)}, {where}"
    if said == HELPS:
        return f"{cause} rises from {before} to {after}."
    if said == HURTS:
        return f"{cause} falls from {before} to {after}."
    if said == UNCLEAR:
        return f"{cause} shows no clear difference: {before} before, {after} after."
    return (
        f"The {where} is {before} for “{wording.short(plain['name'])}” and {after} for "
        f"“{wording.short(final['name'])}”; the two were not compared image by image, "
        "so no difference is claimed."
    )


def overall_step(results):
    """Returns the step that compares the plain with the final row, or None."""
    found = roles(results)
    if "plain" not in found:
        return None
    ends = found["plain"]["name"], found["final"]["name"]
    for step in results.get("steps") or []:
        if (step.get("before"), step.get("after")) == ends:
            return step
    return None
