"""How plots are laid out: panels side by side or stacked, names, points and legends."""

import textwrap

import numpy as np

from data_pipelines import oneline
from inclusive_tf.report import svg, wording

CLASSES_SHOWN = 40
"""Labels in a plot; beyond, the commonest and the rarest half of it."""

GROUPS_SHOWN = 40
"""Groups in a plot; beyond, the largest and the worst half of it."""

# from Okabe and Ito's palette, which people with any common colour blindness can tell
# apart
ROLE_COLOURS = {
    "constant": "#a3abb5",
    "plain": "#e69f00",
    "resampled": "#56b4e9",
    "final": "#0072b2",
}


def both(draw):
    """Returns {"wide": SVG bytes, "narrow": SVG bytes} of `draw(narrow)`."""
    with svg.style():
        return {
            name: svg.to_svg(draw(narrow))
            for name, narrow in (("wide", False), ("narrow", True))
        }


def panels(count, lines, narrow, line_height):
    """Returns (figure, list of axes): panels in a row, or in a column when narrow.

    Args:
        count: panels.
        lines: lines of data in each.
        narrow: whether for a telephone.
        line_height: of one line of data, in CSS pixels.
    """
    titles_and_axes = 96
    panel = lines * line_height + titles_and_axes
    height = panel * count if narrow else panel
    figure = svg.new(svg.NARROW if narrow else svg.WIDE, height)
    figure.get_layout_engine().set(w_pad=0.06, wspace=0.02)
    shape = (count, 1) if narrow else (1, count)
    return figure, list(figure.subplots(*shape, squeeze=False).ravel())


def shifts(count):
    """Returns the vertical places of `count` marks within a line, the last on top."""
    return np.linspace(0.13, -0.13, count) if count > 1 else np.zeros(count)


def name_lines(axes, names, narrow, shown=True, top=0.5):
    """Puts the names of the lines left of the data, or above each when narrow.

    Args:
        axes: the panel.
        names: one a line, from the top.
        narrow: whether for a telephone.
        shown: whether this panel repeats the names when wide.
        top: place of a narrow name above its line, in lines.
    """
    axes.set_ylim(len(names) - 0.5, -0.75 if narrow else -0.5)
    axes.tick_params(length=0)
    if not narrow:
        axes.set_yticks(range(len(names)))
        axes.set_yticklabels([_two_lines(name) if shown else "" for name in names])
        return
    axes.set_yticks([])
    for place, name in enumerate(names):
        written = axes.text(
            0, place - top, oneline.short(name, 52), va="top", fontsize=8,
            transform=axes.get_yaxis_transform(), zorder=4, clip_on=True,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
        # a long name is cut off rather than squeezing the panel
        written.set_in_layout(False)


def _two_lines(name):
    lines = textwrap.wrap(oneline.clean(name), 36, max_lines=2, placeholder=" …")
    return "\n".join(lines)


def bounds(interval, key="value"):
    """Returns (value, low, high) of an interval or None, each a float or None."""
    interval = interval or {}
    return tuple(wording.finite(interval.get(name)) for name in (key, "low", "high"))


def not_available(axes, place):
    """Writes "n/a" at zero."""
    axes.text(
        0, place, f" {wording.MISSING}", va="center", fontsize=8, color=svg.MUTED
    )  # fmt: skip


def point(axes, place, interval, mark, key="value"):
    """Draws a value with its interval, or "n/a".

    Args:
        axes: the panel.
        place: its height.
        interval: with `key`, "low" and "high"; or None.
        mark: (colour, marker, whether filled).
        key: where the value stands.
    """
    value, low, high = bounds(interval, key)
    if value is None:
        not_available(axes, place)
        return
    colour, marker, filled = mark
    if low is not None and high is not None:
        axes.plot([low, high], [place] * 2, color=colour, linewidth=1.6, zorder=2)
    axes.plot(
        [value], [place], marker, color=colour, markersize=4.5, zorder=3,
        markerfacecolor=colour if filled else "white", clip_on=False,
    )  # fmt: skip


def tick(axes, place, interval, colour):
    """Draws an interval as a band and its value as a thin tick, or "n/a".

    A tick hides less of a short interval than a point does.

    Args:
        axes: the panel.
        place: its height.
        interval: with "value", "low" and "high"; or None.
        colour: of both.
    """
    value, low, high = bounds(interval)
    if value is None:
        not_available(axes, place)
        return
    if low is not None and high is not None:
        axes.plot(
            [low, high], [place] * 2, color=colour, linewidth=4.5, alpha=0.5,
            solid_capstyle="butt", zorder=2,
        )  # fmt: skip
    axes.plot(
        [value], [place], "|", color=colour, markersize=7, markeredgewidth=1.0,
        zorder=3, clip_on=False,
    )  # fmt: skip


def bars(axes, places, height, intervals, colour):
    """Draws a bar with its interval, or "n/a", at every place.

    A bar of 0 has no length, so a mark at the axis and a "0" say that it is there.

    Args:
        axes: the panel.
        places: heights of the bars' middles.
        height: of a bar.
        intervals: one a place; None where there is none.
        colour: of the bars.
    """
    found = [
        (place, *bounds(one)) for place, one in zip(places, intervals, strict=True)
    ]
    for place, value, _, high in found:
        if value is None:
            not_available(axes, place)
        elif value == 0:
            axes.plot(
                [0], [place], "|", color=colour, markersize=8, markeredgewidth=3,
                zorder=4, clip_on=False,
            )  # fmt: skip
            axes.annotate(
                "0", (high or 0, place), (4, 0), textcoords="offset points",
                va="center", fontsize=7.5, color=svg.MUTED,
            )  # fmt: skip
    drawn = [(place, value) for place, value, _, _ in found if value is not None]
    axes.barh(
        [one[0] for one in drawn], [one[1] for one in drawn], height, color=colour
    )
    whiskers = [one for one in found if None not in one]
    # the white edge keeps the line visible on the bar
    for edge, width in (("white", 3.2), (svg.INK, 1.3)):
        axes.hlines(
            [one[0] for one in whiskers], [one[2] for one in whiskers],
            [one[3] for one in whiskers], color=edge, linewidth=width, zorder=3,
        )  # fmt: skip


def legend(figure, entries, narrow):
    """Puts a legend above the panels and returns the figure.

    Args:
        figure: the figure.
        entries: (name, (colour, marker, whether filled)).
        narrow: whether for a telephone.
    """
    handles = []
    for name, (colour, marker, filled) in entries:
        handles += figure.axes[0].plot(
            [], [], marker, color=colour, label=name, markersize=6.5,
            markerfacecolor=colour if filled else "white",
        )  # fmt: skip
    figure.legend(
        handles=handles, loc="outside upper left", ncols=1 if narrow else len(handles),
        handletextpad=0.3,
    )  # fmt: skip
    return figure
