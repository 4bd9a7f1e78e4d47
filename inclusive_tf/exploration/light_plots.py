"""Plots of the images themselves: their sizes and their light."""

import math

from inclusive_tf.exploration import findings, look, texts
from inclusive_tf.report import wording


def sizes(found):
    """Width against height, a dot as large as it has images."""
    shown = found["sizes"]
    most = max(one["images"] for one in shown)
    trace = look.graph_objects().Scatter(
        mode="markers", x=[one["width"] for one in shown],
        y=[one["height"] for one in shown],
        marker={"color": look.BLUE, "opacity": 0.45, "line": {"width": 0},
                "size": [6 + 18 * math.sqrt(one["images"] / most) for one in shown]},
        customdata=[wording.count(one["images"]) for one in shown],
        hovertemplate="%{x:,} × %{y:,} pixels<br>%{customdata} images<extra></extra>",
    )  # fmt: skip
    return look.plot(
        [trace], height=400,
        xaxis=look.axis("width, pixels", rangemode="tozero", fixedrange=False),
        yaxis=look.axis("height, pixels", rangemode="tozero", fixedrange=False),
    )  # fmt: skip


def boxes(found, measure, title, write, **axis_settings):
    """Box plots of a measurement by group and split, from its percentiles.

    Args:
        found: the figures of pictures.
        measure: one of `light.MEASURES`.
        title: of the axis.
        write: function from a value to text.
        axis_settings: of the axis.
    """
    cells = found["cells"]
    names = [findings.cell(one, 60) for one in cells]
    axis, narrow = look.rows_axis(names, [findings.cell(one, 9) for one in cells])
    said = [
        "<br>".join(
            [f"<b>{texts.hover(name)}</b>",
             f"n = {one[measure]['n']:,}, mean {write(one[measure]['mean'])}",
             *(f"{percent}: {write(one[measure][key])}" for percent, key in (
                 ("95 % below", "p95"), ("75 % below", "p75"), ("median", "p50"),
                 ("25 % below", "p25"), ("5 % below", "p5")))]
        )
        for name, one in zip(names, cells, strict=True)
    ]  # fmt: skip
    places = list(range(len(cells)))
    objects = look.graph_objects()

    def part(key):
        return [one[measure][key] for one in cells]

    box = objects.Box(
        orientation="h", y=places, q1=part("p25"), median=part("p50"), q3=part("p75"),
        lowerfence=part("p5"), upperfence=part("p95"), hoverinfo="skip",
        line={"color": look.BLUE, "width": 1.5}, fillcolor="#cfe3f1",
    )  # fmt: skip
    # a box tells five numbers in five labels; these points tell all in one
    points = objects.Scatter(
        mode="markers", x=part("p50"), y=places, text=said,
        marker={"color": look.BLUE, "size": 9}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    settings = {"rangemode": "tozero"} | axis_settings
    return look.plot(
        [box, points], narrow, height=look.rows_height(len(cells), 84), yaxis=axis,
        xaxis=look.axis(title, **settings),
    )  # fmt: skip
