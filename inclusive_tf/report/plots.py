"""The plots of a report, each drawn for a wide screen and again for a narrow one.

Every function returns {"wide": SVG bytes, "narrow": SVG bytes}. Colours are from Okabe
and Ito's palette, which people with any common colour blindness can tell apart, and
verdicts differ in shape as well as in colour.
"""

from matplotlib import ticker

from inclusive_tf.report import findings, panels, svg, tables, wording

CLASSES_SHOWN = 40
"""Labels in a plot; beyond, the commonest and the rarest half of it."""

ROLE_COLOURS = {
    "constant": "#a3abb5",
    "plain": "#e69f00",
    "resampled": "#56b4e9",
    "final": "#0072b2",
}
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
        axes.xaxis.set_major_locator(ticker.MaxNLocator(4, steps=[1, 2, 5, 10]))
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

    def draw_line(axes, place, number, key):
        row = rows[number]
        role = "constant" if findings.is_constant(row) else "final"
        for split, shift in zip(splits, panels.shifts(len(splits)), strict=True):
            mark = (ROLE_COLOURS[role], "o", split == splits[-1])
            panels.point(axes, place + shift, findings.interval(row, split, key), mark)
        # one scale for all, so that measures can be compared by eye
        axes.set_xlim(0, max(highest * 1.05, 0.1))

    def draw(narrow):
        figure = _measure_panels([row["name"] for row in rows], narrow, draw_line)
        entries = [
            (_with_size(results, split),
             (ROLE_COLOURS["final"], "o", split == splits[-1]))
            for split in reversed(splits)
        ]  # fmt: skip
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

    def draw(narrow):
        figure = _measure_panels([step["name"] for step in found], narrow, draw_line)
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


def _key(part):
    """Returns what a part of the figures JSON is known by: a label's id, or a name."""
    return part.get("id", part["name"])


def _bars(axes, found, parts, key, narrow):
    """Draws a bar with its interval for every row and part.

    Args:
        axes: the panel.
        found: {role: list of the figures JSON}.
        parts: (what a part is known by, the name it is shown under), from the top.
        key: of the interval.
        narrow: whether for a telephone.
    """
    height = (0.6 if narrow else 0.8) / max(len(found), 1)
    for number, (role, figures) in enumerate(found.items()):
        lookup = {_key(one): one for one in figures}
        shift = (number - (len(found) - 1) / 2) * height + (0.18 if narrow else 0)
        intervals = [lookup.get(part, {}).get(key) for part, _ in parts]
        places = [place + shift for place in range(len(parts))]
        panels.bars(axes, places, height * 0.9, intervals, ROLE_COLOURS[role])
    panels.name_lines(axes, [name for _, name in parts], narrow, top=0.36)
    axes.set_xlim(0, 1)


def _bar_legend(figure, results, found, narrow):
    names = {role: findings.roles(results)[role]["name"] for role in found}
    entries = [
        (wording.short(names[role], 40), (ROLE_COLOURS[role], "s", True))
        for role in found
    ]
    return panels.legend(figure, entries, narrow)


def _found(results, split, part, without=()):
    """Returns {role: that list of the role's figures JSON}."""
    return {
        role: (row.get("evaluations", {}).get(split) or {}).get(part, [])
        for role, row in findings.roles(results).items()
        if role not in without
    }


def classes(results, split):
    """F2 of every label, plain beside resampled beside final, commonest first."""
    found = _found(results, split, "classes", without=("constant",))
    ranked, _ = tables.ranked_classes({"classes": found["final"]}, CLASSES_SHOWN)
    parts = [
        (_key(one), f"{wording.short(one['name'], 22)} · "
         f"{wording.count(one.get('training_count'))} / {wording.count(one.get('n'))}")
        for one in ranked
    ]  # fmt: skip

    def draw(narrow):
        figure, (axes,) = panels.panels(1, len(parts), narrow, 56 if narrow else 40)
        _bars(axes, found, parts, "f2", narrow)
        axes.set_title(f"F2 · images in training / in {findings.split_name(split)}")
        return _bar_legend(figure, results, found, narrow)

    return panels.both(draw)


def bands(results, split):
    """Recall and F2 of head, middle and tail labels, with the constant answer."""
    found = _found(results, split, "bands")
    parts = [
        (_key(one), f"{one['name']}, {len(one.get('labels', []))} labels")
        for one in found["final"]
    ]

    def draw(narrow):
        figure, axes_list = panels.panels(2, len(parts), narrow, 84 if narrow else 70)
        for axes, (key, name) in zip(
            axes_list, {"recall": "Recall", "f2": "F2"}.items(), strict=True
        ):
            _bars(axes, found, parts, key, narrow)
            axes.set_title(f"{name}, {findings.split_name(split)}")
        return _bar_legend(figure, results, found, narrow)

    return panels.both(draw)


def groups(results):
    """Mean F2 of every group of every split with its n, with the constant answer."""
    splits = findings.splits(results)
    found = {split: _found(results, split, "groups") for split in splits}
    parts = {
        split: [
            (_key(one), f"{wording.short(one['name'], 26)}, "
             f"n = {wording.count(one.get('n'))}")
            for one in max(rows.values(), key=len)
        ]
        for split, rows in found.items()
    }  # fmt: skip
    most = max(map(len, parts.values()))

    def draw(narrow):
        figure, axes_list = panels.panels(
            len(splits), most, narrow, 84 if narrow else 70
        )
        for axes, split in zip(axes_list, splits, strict=True):
            _bars(axes, found[split], parts[split], "mean_f2", narrow)
            axes.set_title(f"Mean F2, {findings.split_name(split)}")
        return _bar_legend(figure, results, found[splits[-1]], narrow)

    return panels.both(draw)


def exposure_figure(exposure, narrow):
    """Returns the figure of how often an epoch shows each label, on a log scale.

    Must be called within `svg.style()`.
    """
    ranked = sorted(exposure["rows"], key=lambda one: -(one["count"] or 0))
    if len(ranked) > CLASSES_SHOWN:
        ranked = ranked[: CLASSES_SHOWN // 2] + ranked[-(CLASSES_SHOWN // 2) :]
    figure, (axes,) = panels.panels(1, len(ranked), narrow, 36 if narrow else 26)
    values = [
        [wording.finite(one[key]) or 0.0 for key in ("before", "after")]
        for one in ranked
    ]
    positive = [value for pair in values for value in pair if value > 0]
    # zero has no place on a log scale: it stands at the left edge
    edge = min(positive, default=1.0) / 2
    marks = {"before resampling": (ROLE_COLOURS["plain"], "o", False),
             "after resampling": (ROLE_COLOURS["final"], "o", True)}  # fmt: skip
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
        f"{wording.short(one['name'], 26)} · {wording.count(one['count'])}"
        for one in ranked
    ]
    panels.name_lines(axes, names, narrow)
    axes.set_xlabel("times an epoch shows the label (log scale)")
    axes.set_title("Exposure · images in training")
    return panels.legend(figure, marks.items(), narrow)


def exposure(results):
    """How often an epoch shows each label, before and after resampling."""
    return panels.both(lambda narrow: exposure_figure(results["exposure"], narrow))
