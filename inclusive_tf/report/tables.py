"""The tables of a report: as data for the page, for a terminal and as Markdown."""

import dataclasses
import textwrap

from data_pipelines import oneline
from inclusive_tf.report import findings, wording

CLASSES_SHOWN = 400
"""Labels in the per-class table; beyond, the commonest and the rarest half of it."""

GROUPS_SHOWN = 400
"""Groups in a table; beyond, the largest and the worst half of it."""

_NAME_WIDTH, _COLUMN_WIDTH = 34, 14


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: its name, its cells (`wording.Figure` or str), and what sets it apart.

    Args:
        name: heading of the row.
        cells: one a column.
        kind: "constant", "final" or "".
        verdicts: one a cell for differences, else empty.
    """

    name: str
    cells: list
    kind: str = ""
    verdicts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table with its caption.

    Args:
        caption: what it shows, over how many images.
        corner: heading of the rows' names.
        columns: headings.
        rows: `Row`s.
        bands: headings above `columns`, as (name, columns spanned), or empty.
    """

    caption: str
    corner: str
    columns: list
    rows: list
    bands: list = dataclasses.field(default_factory=list)


def _kind(results, row):
    if row["kind"] == "constant":
        return "constant"
    return "final" if row is findings.roles(results).get("final") else ""


def _measure_table(results, caption, corner, rows):
    splits = findings.splits(results)
    return Table(
        caption,
        corner,
        list(findings.MEASURES.values()) * len(splits),
        rows,
        [(findings.split_name(split), len(findings.MEASURES)) for split in splits],
    )


def main_table(results):
    """Returns every row by every measure of every split."""
    rows = [
        Row(
            row["name"],
            [
                findings.figure(row, split, measure)
                for split in findings.splits(results)
                for measure in findings.MEASURES
            ],
            _kind(results, row),
        )
        for row in results["rows"]
    ]
    return _measure_table(
        results, "Each way of training, with 95 % intervals over images", "row", rows
    )


def step_table(results):
    """Returns the paired difference each step makes, with its verdict."""
    rows = []
    for step in results.get("steps") or []:
        found = [
            findings.comparison(step, split, measure)
            for split in findings.splits(results)
            for measure in findings.MEASURES
        ]
        cells = [
            wording.figure(one, signed=True, key="difference", empty="no shared images")
            for one in found
        ]
        verdicts = [findings.verdict(one) for one in found]
        rows.append(Row(step["name"], cells, "", verdicts))
    return _measure_table(
        results, "What each step changes, image by image, with 95 % intervals", "step",
        rows,
    )  # fmt: skip


def _compared(results, split):
    """Returns {row name: figures} of the constant, plain, resampled and final rows."""
    return {
        row["name"]: row.get("evaluations", {}).get(split) or {}
        for row in findings.roles(results).values()
    }


def _parts_table(results, split, parts, measures, caption, corner, shown=None):
    """Returns a table of one list of the figures JSON ("groups", "bands" or "classes").

    Args:
        results: the results JSON.
        split: the split.
        parts: the list's key.
        measures: {key of the interval: its name}.
        caption: of the table.
        corner: heading of the first column.
        shown: names of the parts to show; None: all.
    """
    compared = _compared(results, split)
    lookup = [
        {part["name"]: part for part in figures.get(parts, [])}
        for figures in compared.values()
    ]
    names = dict.fromkeys(name for one in lookup for name in one)
    if shown is not None:
        names = [name for name in shown if name in names]
    rows = [
        Row(name, [wording.figure(one.get(name, {}).get(key))
                   for key in measures for one in lookup])
        for name in names
    ]  # fmt: skip
    columns = list(compared) * len(measures)
    bands = [(name, len(compared)) for name in measures.values()]
    return Table(caption, corner, columns, rows, bands)


def group_table(results, split):
    """Returns mean F2 by group with images for the rows of the story."""
    shown, said = findings.shown_groups(results, split, GROUPS_SHOWN)
    caption = f"Groups of {findings.split_name(split)}, with 95 % intervals"
    caption += f"; {said}" if said else ""
    return _parts_table(
        results, split, "groups", {"mean_f2": "mean F2"}, caption, "group", shown
    )


def band_table(results, split):
    """Returns recall and F2 of head, middle and tail for the same rows."""
    caption = f"Head, middle and tail on {findings.split_name(split)}, 95 % intervals"
    measures = {"recall": "recall", "f2": "F2"}
    return _parts_table(results, split, "bands", measures, caption, "labels")


def ranked_classes(figures, shown=CLASSES_SHOWN):
    """Returns ("classes" from commonest to rarest in training, how many left out).

    When there are more than `shown`, the commonest and the rarest half of it stay.
    """
    ranked = sorted(
        figures.get("classes", []), key=lambda one: -(one.get("training_count") or 0)
    )
    if len(ranked) <= shown:
        return ranked, 0
    return ranked[: shown // 2] + ranked[-(shown - shown // 2) :], len(ranked) - shown


def class_table(results, split):
    """Returns F2 by label for the compared rows; precision and recall of the final."""
    compared = _compared(results, split)
    final = list(compared)[-1]
    ranked, left_out = ranked_classes(compared[final])
    lookup = {
        name: {one["id"]: one for one in figures.get("classes", [])}
        for name, figures in compared.items()
    }
    rows = []
    for label in ranked:
        wanted = [(name, "f2") for name in compared]
        wanted += [(final, "precision"), (final, "recall")]
        cells = [
            wording.figure(
                lookup[name].get(label["id"], {}).get(key),
                empty="no image shows this label",
            )
            for name, key in wanted
        ]
        trained = wording.count(label.get("training_count"))
        rows.append(
            Row(label["name"], [trained, wording.count(label.get("n")), *cells])
        )
    caption = (
        f"Labels on {findings.split_name(split)}, commonest in training first, with "
        "95 % intervals"
    )
    if left_out:
        caption += f" ({left_out:,} labels of middling frequency are not shown)"
    columns = ["in training", f"in {findings.split_name(split)}", *compared]
    columns += [f"precision, {final}", f"recall, {final}"]
    bands = [("images", 2), ("F2", len(compared)), ("of the final row", 2)]
    return Table(caption, "label", columns, rows, bands)


def size(results, split):
    """Returns how many images a split has, as text."""
    sizes = {
        (row.get("evaluations", {}).get(split) or {}).get("n")
        for row in results["rows"]
    } - {None}
    return " or ".join(wording.count(size) for size in sorted(sizes)) or wording.MISSING


def text_table(results, split):
    """Returns the main table of one split for a terminal, at most 100 columns wide.

    Two lines a row: the values, and below them their intervals [low, high].
    """
    lines = [
        f"{findings.split_name(split)}: n = {size(results, split)} images, "
        "95 % interval [low, high] below each value",
        "",
        _text_line("row", findings.MEASURES.values()),
    ]
    lines.append("─" * len(lines[-1]))
    for row in results["rows"]:
        cells = [findings.figure(row, split, one) for one in findings.MEASURES]
        name = textwrap.wrap(
            oneline.short(row["name"], 2 * _NAME_WIDTH), _NAME_WIDTH, max_lines=2
        )
        lines.append(_text_line(name[0], [cell.value for cell in cells]))
        below = "".join(name[1:])
        lines.append(_text_line(below, [cell.interval for cell in cells]))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _text_line(name, cells):
    return f"{name:<{_NAME_WIDTH}}" + "".join(
        f"  {cell:>{_COLUMN_WIDTH}}" for cell in cells
    )


def markdown_table(results, split):
    """Returns the main table of one split as Markdown; names are escaped."""
    columns = ["row", *findings.MEASURES.values()]
    lines = [columns, ["---", *["---:"] * len(findings.MEASURES)]]
    for row in results["rows"]:
        cells = [str(findings.figure(row, split, one)) for one in findings.MEASURES]
        lines.append([wording.markdown(row["name"]), *cells])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = (
        f"{findings.split_name(split)}, n = {size(results, split)} images; in "
        "brackets 95 % intervals by bootstrap over images"
    )
    return f"{table}\n\n{note}\n"
