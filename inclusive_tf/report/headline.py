"""The first sentences of the page, computed by the rules of `findings`.

Nothing is said to rise, fall, add or lower unless the interval of a paired difference
lies apart from zero.
"""

from data_pipelines import oneline
from inclusive_tf.report import findings, wording

FITTED = ("last layer", "threshold")
"""Parts of a row that are fitted on the tuning images."""

_VERBS = {
    findings.HELPS: "adds",
    findings.HURTS: "lowers",
    findings.UNCLEAR: "makes no clear difference to",
}


def _run_said(row):
    run = row["run"]
    return "resampling" if run == "resampled" else f"“{oneline.short(run)}”"


def what_differs(results, before, after):
    """Returns in words what model row `after` has that model row `before` has not.

    Runs and parts that are not known are quoted.
    """
    said = [_run_said(after)] if after["run"] != before["run"] else []
    parts = [part for part in after["parts"] if part not in before["parts"]]
    fitted = [f"the {part}" for part in parts if part in FITTED]
    if fitted:
        counts = (results.get("data") or {}).get("counts") or {}
        images = wording.finite((counts.get("tuning") or {}).get("images"))
        on = f"{wording.count(images)} " if images else ""
        said.append(f"{wording.words(fitted)} fitted on {on}labelled tuning images")
    said += [f"“{oneline.short(part)}”" for part in parts if part not in FITTED]
    return ", and ".join(said) or f"“{oneline.short(after['name'])}”"


def _step(results, before, after):
    """Returns the step between two rows, or None."""
    for step in results.get("steps") or []:
        if (step["before"], step["after"]) == (before["name"], after["name"]):
            return step
    return None


def overall_step(results):
    """Returns the step that compares the plain with the final row, or None."""
    found = findings.roles(results)
    if "plain" not in found:
        return None
    return _step(results, found["plain"], found["final"])


def resampling_step(results):
    """Returns the step to the final row from its like in the first run, or None.

    The two rows differ in nothing but their runs.
    """
    found = findings.roles(results)
    if "plain" not in found or found["plain"]["run"] == found["final"]["run"]:
        return None
    for row in findings.models(results):
        is_like = row["parts"] == found["final"]["parts"]
        if is_like and row["run"] == found["plain"]["run"]:
            return _step(results, row, found["final"])
    return None


def sentence(results):
    """Returns what the whole treatment does to mean F2 on the main split.

    A rise or fall is said only when a step compares the plain with the final row image
    by image; a verdict of another split that differs is said beside it.
    """
    findings.check(results)
    split, found = findings.splits(results)[-1], findings.roles(results)
    where = f"mean F2 on {findings.split_name(split)}"
    if "plain" not in found:
        row = found.get("final", found.get("constant"))
        said = findings.figure(row, split, "mean_f2")
        return f"“{oneline.short(row['name'])}” has a {where} of {said}."
    plain, final = found["plain"], found["final"]
    before, after = (findings.figure(row, split, "mean_f2") for row in (plain, final))
    step = overall_step(results)
    said = findings.verdict(step and findings.comparison(step, split, "mean_f2"))
    if said == findings.UNKNOWN:
        return (
            f"The {where} is {before} for “{oneline.short(plain['name'])}” and {after} "
            f"for “{oneline.short(final['name'])}”; the two were not compared image by "
            "image, so no difference is claimed."
        )
    cause = f"With {what_differs(results, plain, final)}, {where}"
    other = findings.elsewhere(results, step)
    aside = f" ({other})" if other else ""
    if said == findings.UNCLEAR:
        return (
            f"{cause} shows no clear difference: {before} before, {after} after{aside}."
        )
    verb = "rises" if said == findings.HELPS else "falls"
    return f"{cause} {verb} from {before} to {after}{aside}."


def resampling_sentence(results):
    """Returns what the other run adds by itself at the last adaptation, or "".

    Said of mean F2 and of tail recall on the main split, each by its own interval.
    """
    step = resampling_step(results)
    if step is None:
        return ""
    split = findings.splits(results)[-1]
    phrases, verbs = [], []
    for measure in ("mean_f2", "tail_recall"):
        one = findings.comparison(step, split, measure)
        said = findings.verdict(one)
        if said == findings.UNKNOWN:
            continue
        difference = str(wording.figure(one, signed=True, key="difference"))
        other = findings.elsewhere(results, step) if measure == "mean_f2" else ""
        is_sum = said == findings.HELPS
        asides = [text for text in (not is_sum and difference, other) if text]
        named = findings.MEASURES[measure]
        named = f"{difference} to {named}" if is_sum else named
        named += f" ({'; '.join(asides)})" if asides else ""
        verb = _VERBS[said]
        phrases.append(named if verbs[-1:] == [verb] else f"{verb} {named}")
        verbs.append(verb)
    if not phrases:
        return ""
    return f"{_opening(results)} {wording.words(phrases)}."


def _opening(results):
    """Returns "Of this, resampling" if it adds to a rise, else "Resampling itself"."""
    what, split = _run_said(findings.models(results)[-1]), findings.splits(results)[-1]
    verdicts = {
        findings.verdict(step and findings.comparison(step, split, "mean_f2"))
        for step in (overall_step(results), resampling_step(results))
    }
    if verdicts == {findings.HELPS}:
        return f"Of this, {what}"
    return f"{what[0].upper()}{what[1:]} itself"
