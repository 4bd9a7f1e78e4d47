"""The contact sheet of image issues: one HTML file that needs nothing from outside."""

import base64

import numpy as np

from data_pipelines import atomic, image_issues, issue_kinds
from inclusive_tf.exploration import texts
from inclusive_tf.report import templating, wording

_SIDE = 160
_JPEG_QUALITY = 85
_MOST_GROUPS = 20


def _thumbnails(table, rows, max_pixels):
    """Returns {row of the table: data URI} of readable images."""
    rows = np.array(sorted(rows), np.int64)
    if not len(rows):
        return {}
    import tensorflow as tf

    from data_pipelines import batches, images

    config = images.ImageConfig(_SIDE, _SIDE, resize="pad", max_pixels=max_pixels)
    found = {}
    for batch in batches.evaluation_batches(table.take(rows), config, 32):
        pixels = tf.cast(tf.round(batch["image"] * 255.0), tf.uint8)
        for example, image in zip(
            batch["example"].numpy().tolist(), pixels, strict=True
        ):
            data = tf.io.encode_jpeg(image, quality=_JPEG_QUALITY).numpy()
            uri = "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
            found[int(rows[example])] = uri
    return found


def _by_kind(found, a_kind):
    chosen = {kind: [] for kind in found.looked_for}
    for row in found.rows:
        chosen[row.issue].append(row)
    return {kind: (len(rows), rows[:a_kind]) for kind, rows in chosen.items()}


def _table(caption, found, of_examples, names, index, shares):
    counted = image_issues.counts(
        found.rows, found.looked_for, of_examples, names, index
    )
    sizes = np.bincount(of_examples, minlength=len(names))
    columns = np.flatnonzero(sizes)
    rows = []
    for kind in found.looked_for:
        values = counted.loc[kind].to_numpy()[columns]
        if not values.any():
            continue
        if shares:
            said = [texts.percent(share) for share in (values / sizes[columns])]
        else:
            said = [wording.count(value) for value in values.tolist()]
        rows.append({"name": kind.replace("_", " "), "cells": said})
    return {
        "caption": caption,
        "columns": [f"{names[place]} (n = {sizes[place]:,})" for place in columns],
        "rows": rows,
    }


def _tables(table, found, index):
    if not found.rows:
        return []
    tables = [
        _table("Images with each issue, by split", found, table.split,
               table.split_names, index, shares=False)
    ]  # fmt: skip
    if len(table.group_names) > 1:
        order = np.argsort(-np.bincount(table.group, minlength=len(table.group_names)),
                           kind="stable")  # fmt: skip
        place = np.full(len(order), 0)
        place[order] = np.arange(len(order))
        shown = place[table.group] < _MOST_GROUPS
        names = [table.group_names[group] for group in order[:_MOST_GROUPS]]
        group, names = place[table.group], names
        if not shown.all():
            group = np.minimum(group, _MOST_GROUPS)
            names.append(f"{len(order) - _MOST_GROUPS:,} further groups")
        tables.append(
            _table("Share of each group's images with each issue", found, group,
                   names, index, shares=True)
        )  # fmt: skip
    return tables


def render(table, found, title, max_pixels, a_kind=12):
    """Returns the page as text.

    Args:
        table: `labels.LabelTable` that was looked at.
        found: `image_issues.Found`.
        title: heading of the page.
        max_pixels: as in the `image_issues.IssueConfig` of the search.
        a_kind: images shown of each kind, at most.
    """
    index = {name: row for row, name in enumerate(table.ids.tolist())}
    chosen = _by_kind(found, a_kind)
    wanted = {
        index[name]
        for kind, (_, rows) in chosen.items()
        for row in rows
        for name in _pictured(found, kind, row)
    }
    uris = _thumbnails(table, wanted, max_pixels)
    page = templating.environment().get_template("quality.html")
    return page.render(
        title=title,
        listed=len({row.id for row in found.rows}),
        images=len(table),
        notes=found.notes,
        tables=_tables(table, found, index),
        sections=[
            _section(table, found, kind, count, rows, index, uris)
            for kind, (count, rows) in chosen.items()
        ],
    )


def _pictured(found, kind, row):
    """Returns the ids of the images to show for a row: its own, and what it repeats."""
    if kind == "unreadable":
        return []
    other = found.others.get((row.id, kind))
    return [row.id] if other is None else [row.id, other]


def _section(table, found, kind, count, rows, index, uris):
    shown = [
        {
            "id": row.id,
            "where": table.split_names[table.split[index[row.id]]],
            "score": f"{row.score:.3g}",
            "detail": row.detail,
            "pictures": [
                {"id": name, "uri": uris[index[name]]}
                for name in _pictured(found, kind, row)
            ],
        }
        for row in rows
    ]
    return {
        "kind": kind,
        "name": kind.replace("_", " ").capitalize(),
        "meaning": issue_kinds.KINDS[kind].capitalize(),
        "count": count,
        "shown": shown,
        "pairs": any(len(one["pictures"]) > 1 for one in shown),
    }


def write(table, found, path, title, max_pixels, a_kind=12):
    """Writes the page; arguments are those of `render`."""
    atomic.write_text(path, render(table, found, title, max_pixels, a_kind))
