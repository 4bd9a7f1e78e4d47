"""The plots of measures, steps and exposure; `bars` holds those of labels and groups.

Every function returns {"wide": SVG bytes, "narrow": SVG bytes}: drawn for a wide screen
and again for a narrow one. Verdicts differ in shape as well as in colour.
"""

import math

from matplotlib import ticker

from data_pipelines import oneline
from inclusive_tf.report import findings, panels, svg, tables, wording

SPLIT_COLOURS = {
    # of the main split, of the others
    "model": ("#0072b2", "#7db9de"),
    "constant": ("#59626d", "#a9b0b9"),
}
SCALES_DIFFER = "each panel has its own scale"
_TICK = 0.2

VERDICT_MARKS = {
    findings.HELPS: ("#0072b2", ">"),
    findings.HURTS: ("#d55e00", "<"),
    findings.UNCLEAR: ("#6b7480", "D"),
    findings.UNKNOWN: ("#6b7480", "|"),
}


def _measure_panels(names, narrow, draw_line):
    """Returns the figure of one panel a measure; `draw_line(axes, place, number, key)`.

    `place` is the height at which line `number` of the panel is drawn.
    """
    figure, axes_list = panels.panels(
        len(findings.MEASURES), len(names), narrow, 44 if narrow else 38
    )
    lowered = 0.14 if narrow else 0
    for column, (axes, key) in enumerate(
        zip(axes_list, findings.MEASURES, strict=True)
    ):
        for number in range(len(names)):
            draw_line(axes, number + lowered, number, key)
        panels.name_lines(axes, names, narrow, shown=column == 0)
        axes.set_title(findings.MEASURES[key])
    return figure


def _with_size(results, split):
    return f"{findings.split_name(split)}, n = {tables.size(results, split)}"


def measures(results):
    """Every row's mean F2, macro F2, tail recall and worst group with intervals."""
    splits, rows = findings.splits(results), results["rows"]
    highest = max(
        (
            value
            for row in rows
            for split in splits
            for key in findings.MEASURES
            for value in panels.bounds(findings.interval(row, split, key))
            if value is not None
        ),
        default=1.0,
    )
    # one scale for all, so that measures can be compared by eye
    end = min(max(math.ceil(highest / _TICK), 1) * _TICK, 1)

    def draw_line(axes, place, number, key):
        row = rows[number]
        for split, shift in zip(splits, panels.shifts(len(splits)), strict=True):
            colour = SPLIT_COLOURS[row["kind"]][split != splits[-1]]
            panels.tick(axes, place + shift, findings.interval(row, split, key), colour)
        axes.set_xlim(0, end)
        axes.xaxis.set_major_locator(ticker.MultipleLocator(_TICK))

    def draw(narrow):
        figure = _measure_panels([row["name"] for row in rows], narrow, draw_line)
        entries = [
            (_with_size(results, split),
             (SPLIT_COLOURS["model"][split != splits[-1]], "s", True))
            for split in reversed(splits)
        ]  # fmt: skip
        if "constant" in findings.roles(results):
            entries.append(
                ("constant answer", (SPLIT_COLOURS["constant"][0], "s", True))
            )
        return panels.legend(figure, entries, narrow)

    return panels.both(draw)


def steps(results):
    """The paired difference of each step: right of zero helps, left of it hurts."""
    splits, found = findings.splits(results), results["steps"]

    def draw_line(axes, place, number, key):
        axes.axvline(0, color=svg.INK, linewidth=1)
        for split, shift in zip(splits, panels.shifts(len(splits)), strict=True):
            one = findings.comparison(found[number], split, key)
            mark = (*VERDICT_MARKS[findings.verdict(one)], split == splits[-1])
            panels.point(axes, place + shift, one, mark, "difference")
        axes.margins(x=0.12)
        axes.xaxis.set_major_locator(ticker.MaxNLocator(5, steps=[1, 2, 5, 10]))

    def draw(narrow):
        figure = _measure_panels([step["name"] for step in found], narrow, draw_line)
        # one scale would hide the intervals of the measures that change little
        figure.supxlabel(SCALES_DIFFER, fontsize=8.5, color=svg.MUTED)
        entries = [
            (said, (*mark, True))
            for said, mark in VERDICT_MARKS.items()
            if said != findings.UNKNOWN
        ]
        grey = VERDICT_MARKS[findings.UNCLEAR][0]
        entries += [
            (f"{'filled' if split == splits[-1] else 'hollow'}: "
             f"{_with_size(results, split)}", (grey, "s", split == splits[-1]))
            for split in reversed(splits)
        ]  # fmt: skip
        return panels.legend(figure, entries, narrow)

    return panels.both(draw)


def exposure_figure(exposure, narrow):
    """Returns the figure of how often an epoch shows each label, on a log scale.

    Must be called within `svg.style()`.
    """
    ranked = sorted(exposure["rows"], key=lambda one: -(one["count"] or 0))
    if len(ranked) > panels.CLASSES_SHOWN:
        ranked = (
            ranked[: panels.CLASSES_SHOWN // 2] + ranked[-(panels.CLASSES_SHOWN // 2) :]
        )
    figure, (axes,) = panels.panels(1, len(ranked), narrow, 36 if narrow else 26)
    values = [
        [wording.finite(one[key]) or 0.0 for key in ("before", "after")]
        for one in ranked
    ]
    positive = [value for pair in values for value in pair if value > 0]
    # zero has no place on a log scale: it stands at the left edge
    edge = min(positive, default=1.0) / 2
    marks = {"before resampling": (panels.ROLE_COLOURS["plain"], "o", False),
             "after resampling": (panels.ROLE_COLOURS["final"], "o", True)}  # fmt: skip
    for place, pair in enumerate(values):
        place += 0.16 if narrow else 0
        ends = [max(value, edge) for value in pair]
        axes.plot(ends, [place] * 2, color=svg.RULE, linewidth=3, zorder=1)
        for value, (colour, marker, filled) in zip(ends, marks.values(), strict=True):
            axes.plot(
                [value], [place], marker, color=colour, markersize=7,
                markerfacecolor=colour if filled else "white", markeredgewidth=1.8,
            )  # fmt: skip
    axes.set_xscale("log")
    if max(positive, default=1.0) < 1000 * edge and not narrow:
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    names = [
        f"{oneline.short(one['name'], 26)} · {wording.count(one['count'])}"
        for one in ranked
    ]
    panels.name_lines(axes, names, narrow)
    axes.set_xlabel("times an epoch shows the label (log scale)")
    axes.set_title("Exposure · images in training")
    return panels.legend(figure, marks.items(), narrow)


def exposure(results):
    """How often an epoch shows each label, before and after resampling."""
    return panels.both(lambda narrow: exposure_figure(results["exposure"], narrow))
