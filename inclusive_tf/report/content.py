"""What the page shows, gathered from results and cases into plain values.

The template decides how it looks; everything here is text, numbers, `tables.Table`s and
data URIs, and every missing part is said with its reason.
"""

import base64

from data_pipelines import errors
from inclusive_tf.report import findings, glossary, pictures, tables, wording

_PNG = b"\x89PNG\r\n\x1a\n"


def png_uri(data, what):
    """Returns a PNG as a data URI, or None for None.

    Raises:
        errors.DataError: the bytes are not a PNG.
    """
    if data is None:
        return None
    if not data.startswith(_PNG):
        raise errors.DataError(
            f"{what} is not a PNG", expected="PNG bytes", received=bytes(data[:8])
        )
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _cards(results):
    """Returns the four measures on the main split, plain against final."""
    split, found = findings.splits(results)[-1], findings.roles(results)
    step = findings.overall_step(results)
    cards = []
    for measure, name in findings.MEASURES.items():
        one = step and findings.comparison(step, split, measure)
        card = {
            role: findings.figure(row, split, measure) for role, row in found.items()
        }
        card |= {
            "measure": name,
            "verdict": findings.verdict(one),
            "difference": wording.figure(one, signed=True, key="difference"),
        }
        cards.append(card)
    return cards


def _summary(results):
    found = findings.step_findings(results)
    order = (findings.HELPS, findings.HURTS, findings.UNCLEAR, findings.UNKNOWN)
    return {
        "sentence": findings.headline(results),
        "cards": _cards(results),
        "roles": {role: row["name"] for role, row in findings.roles(results).items()},
        "split": findings.split_name(findings.splits(results)[-1]),
        "groups": {
            said: [one for one in found if one.verdict == said]
            for said in order
            if any(one.verdict == said for one in found)
        },
    }


def _cases(cases):
    shown = []
    for case in cases:
        what = f"the image of case {wording.short(case['id'])}"
        panels = [
            panel
            | {"maps": [one | {"uri": png_uri(one.get("png"), what)}
                        for one in panel["maps"]]}
            for panel in case.get("panels", [])
        ]  # fmt: skip
        truth, decided = set(case["truth"]), set(case["decided"])
        scores = [
            score
            | {"percent": min(max(wording.finite(score["probability"]) or 0, 0), 1)}
            | {"true": score["name"] in truth, "given": score["name"] in decided}
            for score in case.get("scores", [])
        ]  # fmt: skip
        uri = png_uri(case.get("image_png"), what)
        shown.append(case | {"uri": uri, "panels": panels, "scores": scores})
    return shown


def _explanation_table(results):
    """Returns how often the maps point at the label, beside chance, or None."""
    found = results.get("explanations") or {}
    names = {
        "pointing": "strongest point lies on the label's half",
        "energy": "share of the map on the label's half",
    }
    rows = [
        tables.Row(
            f"{one['method']}: {name}",
            [
                wording.figure(one.get("hits", one.get("energy", one.get("value")))),
                wording.number(one.get("baseline")),
            ],
        )
        for key, name in names.items()
        for one in found.get(key) or []
    ]
    if not rows:
        return None
    return tables.Table(
        "Do the maps point where the label is? With 95 % intervals",
        "check", ["share", "by chance"], rows,
    )  # fmt: skip


def _data_table(results):
    counts = (results.get("data") or {}).get("counts") or {}
    groups = list(
        dict.fromkeys(
            group for split in counts.values() for group in split.get("groups", {})
        )
    )
    rows = [
        tables.Row(
            findings.split_name(name),
            [
                wording.count(split.get("images")),
                *(
                    wording.count(
                        split["groups"].get(one, 0) if "groups" in split else None
                    )
                    for one in groups
                ),
            ],
        )
        for name, split in counts.items()
    ]
    return tables.Table("Images by split and group", "split", ["images", *groups], rows)


def _value(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return wording.clean(value)
    if isinstance(value, int):
        return wording.count(value)
    return wording.number(value, digits=3 if abs(value) < 10 else 1)


def _runs_table(results):
    runs = results.get("runs") or {}
    names = {
        "seconds": "seconds",
        "steps": "optimiser steps",
        "final_loss": "last loss",
    }
    keys = list(dict.fromkeys(
        key for run in runs.values() for key, value in run.items()
        if not isinstance(value, (dict, list))
    ))  # fmt: skip
    rows = [
        tables.Row(
            name, [_value(run[key]) if key in run else wording.MISSING for key in keys]
        )
        for name, run in runs.items()
    ]
    columns = [names.get(key, key.replace("_", " ")) for key in keys]
    return tables.Table("The training runs", "run", columns, rows)


def _flags(results):
    """Returns {heading: {flag: value}} from "flags" of the results and of each run."""
    found = {"": results.get("flags")}
    for name, run in (results.get("runs") or {}).items():
        found[name] = run.get("flags")
    return {name: flags for name, flags in found.items() if flags}


def gather(results, cases):
    """Returns everything the template needs, by section.

    Raises:
        errors.DataError: the results cannot be told as a report, or a picture is not a
            PNG.
    """
    findings.check(results)
    split = findings.splits(results)[-1]
    has_model = "final" in findings.roles(results)
    return {
        "title": results["title"],
        "induced": results.get("induced", False),
        "notes": (results.get("data") or {}).get("notes") or [],
        "summary": _summary(results),
        "pictures": pictures.gather(results),
        "main_table": tables.main_table(results),
        "step_table": tables.step_table(results),
        "band_table": tables.band_table(results, split),
        "class_table": tables.class_table(results, split) if has_model else None,
        "group_tables": [
            tables.group_table(results, one) for one in findings.splits(results)
        ],
        "exposure": results.get("exposure") or None,
        "cases": _cases(cases),
        "explanation_table": _explanation_table(results),
        "counts_table": _data_table(results),
        "runs_table": _runs_table(results),
        "flags": _flags(results),
        "seed": results.get("seed"),
        "glossary": glossary.TERMS,
    }
