"""What the page shows, gathered from results and cases into plain values.

The template decides how it looks; everything here is text, numbers, `tables.Table`s and
data URIs, and every missing part is said with its reason. `explained`
gathers the errors.
"""

from data_pipelines import oneline
from inclusive_tf.report import (
    explained,
    findings,
    glossary,
    headline,
    pictures,
    tables,
    wording,
)


def _cards(results):
    """Returns the four measures on the main split, plain against final."""
    split, found = findings.splits(results)[-1], findings.roles(results)
    step = headline.overall_step(results)
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
        "sentence": headline.sentence(results),
        "resampling": headline.resampling_sentence(results),
        "cards": _cards(results),
        "roles": {role: row["name"] for role, row in findings.roles(results).items()},
        "split": findings.split_name(findings.splits(results)[-1]),
        "groups": {
            said: [one for one in found if one.verdict == said]
            for said in order
            if any(one.verdict == said for one in found)
        },
    }


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
    if value is None:
        return wording.MISSING
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return oneline.clean(value)
    if isinstance(value, int):
        return wording.count(value)
    return wording.number(value, digits=3 if abs(value) < 10 else 1)


def _runs_table(results):
    runs = results.get("runs") or {}
    names = {
        "seconds": "seconds",
        "steps": "optimiser steps",
        "validation_mean_f2": "mean F2 on validation",
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
    one_training = findings.is_one_training(results)
    has_model = "final" in findings.roles(results)
    return {
        "title": results["title"],
        "induced": results.get("induced", False),
        "notes": (results.get("data") or {}).get("notes") or [],
        "summary": _summary(results),
        "one_training": glossary.ONE_TRAINING if one_training else "",
        "pictures": pictures.gather(results),
        "main_table": tables.main_table(results),
        "step_table": tables.step_table(results),
        "band_table": tables.band_table(results, split),
        "class_table": tables.class_table(results, split) if has_model else None,
        "group_tables": [
            tables.group_table(results, one)
            for one in findings.splits(results)
            if findings.groups(results, one)[0]
        ],
        "empty_groups": [
            (findings.split_name(one), empty)
            for one in findings.splits(results)
            if (empty := findings.groups(results, one)[1])
        ],
        "exposure": results.get("exposure") or None,
        "errors": explained.gather(results, cases),
        "counts_table": _data_table(results),
        "runs_table": _runs_table(results),
        "flags": _flags(results),
        "seed": results.get("seed"),
        "glossary": glossary.terms(one_training),
    }
