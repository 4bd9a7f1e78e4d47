"""The plots as data URIs, each with an alternative text made from its figures."""

import base64

from data_pipelines import oneline
from inclusive_tf.report import bars, findings, plots, wording


def _picture(drawn, alt):
    uris = {
        width: "data:image/svg+xml;base64," + base64.b64encode(data).decode("ascii")
        for width, data in drawn.items()
    }
    return uris | {"alt": alt}


def _range_said(results, measure):
    split = findings.splits(results)[-1]
    said = [
        f"{oneline.short(row['name'])} {findings.figure(row, split, measure)}"
        for row in results["rows"]
    ]
    return f"{findings.MEASURES[measure]}: {'; '.join(said)}"


def _step_said(results):
    said = [
        f"{oneline.short(one.name)}: {one.verdict} ({one.difference})"
        for one in findings.step_findings(results)
    ]
    return "; ".join(said)


def gather(results):
    """Returns {name: picture} with alternative texts made from the figures."""
    splits = findings.splits(results)
    split = splits[-1]
    where = findings.split_name(split)
    pictures = {
        "measures": _picture(
            plots.measures(results),
            f"Points with 95 % intervals for each row on {where}. "
            + _range_said(results, "mean_f2"),
        )
    }
    if results.get("steps"):
        pictures["steps"] = _picture(
            plots.steps(results),
            f"Paired differences with 95 % intervals; {plots.SCALES_DIFFER}. Mean F2 "
            f"on {where}: {_step_said(results)}",
        )
    for name, draw, what in (
        ("classes", bars.classes, "F2 of each label"),
        ("bands", bars.bands, "Recall and F2 of head, middle and tail"),
    ):
        row = findings.roles(results).get("final")
        if row and (row.get("evaluations", {}).get(split) or {}).get(name):
            pictures[name] = _picture(
                draw(results, split),
                f"Bars with 95 % intervals: {what} on {where}. The table below "
                "holds the same figures.",
            )
    if any(findings.groups(results, one)[0] for one in splits):
        pictures["groups"] = _picture(
            bars.groups(results),
            "Bars with 95 % intervals: mean F2 of each group. The tables below hold "
            "the same figures.",
        )
    rows = (results.get("exposure") or {}).get("rows")
    if rows:
        pictures["exposure"] = _picture(plots.exposure(results), _exposure_said(rows))
    return pictures


def _exposure_said(rows):
    def ratio(key):
        values = [one[key] for one in rows if wording.finite(one[key])]
        low, high = min(values, default=0), max(values, default=0)
        return f"{high / low:,.0f} to 1" if low > 0 else "not defined"

    return (
        "Times an epoch shows each label, before and after resampling. Commonest over "
        f"rarest label: {ratio('before')} before, {ratio('after')} after."
    )
