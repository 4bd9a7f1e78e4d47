"""Sizes and light of the images, by group and split, from a sample."""

import collections

import numpy as np

from inclusive_tf.exploration import entries, sampling

MEASURES = ("brightness", "contrast", "aspect", "bytes")
"""What is summarised by group and split; aspect is width over height."""


def _values(read, measure):
    return {
        "brightness": read.brightness,
        "contrast": read.contrast,
        "aspect": read.width / read.height,
        "bytes": read.size,
        "width": read.width,
        "height": read.height,
    }[measure]


def _cells(table, found):
    """Summaries by group and split, largest group first, splits in order."""
    sizes = np.bincount(table.group, minlength=len(table.group_names))
    by_cell = collections.defaultdict(list)
    for row in found:
        by_cell[int(table.group[row]), int(table.split[row])].append(row)
    order = sorted(by_cell, key=lambda cell: (-sizes[cell[0]], cell[0], cell[1]))
    return [
        {
            "group": str(table.group_names[group]),
            "split": str(table.split_names[split]),
            "images": int(
                np.count_nonzero((table.group == group) & (table.split == split))
            ),
        }
        | {
            measure: entries.summary(
                [_values(found[row], measure) for row in by_cell[group, split]]
            )
            for measure in MEASURES
        }
        for group, split in order
    ]


def _sizes(found):
    sizes = collections.Counter((read.width, read.height) for read in found.values())
    return [
        {"width": width, "height": height, "images": count}
        for (width, height), count in sizes.most_common()
    ]


def choose(table, config):
    """Returns int64: the sample, drawn evenly over groups and splits.

    Args:
        table: `labels.LabelTable`.
        config: `config.ExplorationConfig`.
    """
    strata = table.group.astype(np.int64) * len(table.split_names) + table.split
    generator = np.random.default_rng([config.seed, len(table)])
    return sampling.stratified(strata, config.sample, generator)


def images(table, rows, found, faults, top):
    """Figures of a sample of the images.

    Args:
        table: `labels.LabelTable`.
        rows: int, of `choose`.
        found, faults: {row: `pictures.Picture`} and {row: why not}, of `pictures.read`.
        top: pairs of group and split, at most.

    Returns:
        {"asked", "read", "unreadable": [{"id", "location", "reason"}], "sizes":
        [{"width", "height", "images"}], "forms": {name: images}, "width", "height":
        summaries, "cells": [{"group", "split", "images" (of the table), and a summary
        of each of `MEASURES`}], "cells_in_use"}, or {"missing"}.
    """
    if not len(rows):
        return entries.missing("no image was to be read")
    unreadable = [
        {
            "id": str(table.ids[row]),
            "location": str(table.locations[row]),
            "reason": faults[row],
        }
        for row in rows.tolist()
        if row in faults
    ]
    read = {row: found[row] for row in rows.tolist() if row in found}
    if not read:
        first = unreadable[0]
        return entries.missing(
            f"none of {len(rows):,} sampled images could be read, such as "
            f"{first['id']}: {first['reason']}"
        ) | {"asked": len(rows), "read": 0, "unreadable": unreadable}
    cells = _cells(table, read)
    forms = collections.Counter(one.form for one in read.values())
    return {
        "asked": len(rows),
        "read": len(read),
        "unreadable": unreadable,
        "sizes": _sizes(read),
        "forms": dict(forms.most_common()),
        "width": entries.summary([one.width for one in read.values()]),
        "height": entries.summary([one.height for one in read.values()]),
        "cells": cells[:top],
        "cells_in_use": len(cells),
    }
