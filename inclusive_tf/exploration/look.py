"""The look that all plots of the page share.

A plot is {"data", "layout", "narrow"}: what plotly draws, and the attributes of the
layout that differ on a narrow screen. Colours are those of Okabe and Ito (2008), which
people of any colour vision can tell apart; series differ in shape as well.
"""

import json

from data_pipelines import errors
from inclusive_tf.exploration import texts

INK, MUTED, RULE, PAPER = "#1b2430", "#5b6573", "#d9dee5", "#ffffff"
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#a3abb5"
SERIES = (
    ("#0072b2", "circle"),
    ("#d55e00", "diamond"),
    ("#009e73", "square"),
    ("#cc79a7", "triangle-up"),
    ("#b8860b", "cross"),
    ("#56b4e9", "x"),
)
"""A colour and a shape for each of a few series."""

SHADES = ((0, "#f4f6f9"), (0.02, "#dcebf5"), (0.3, "#6db1da"), (0.65, "#0072b2"),
          (1, "#04283f"))  # fmt: skip
"""From little to much."""

LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"}
"""A row above the plot."""

_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
_ROW = 22


def graph_objects():
    """Returns `plotly.graph_objects`.

    Raises:
        errors.MissingExtraError: plotly is not installed.
    """
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise errors.MissingExtraError("The page of explore", "explore") from error
    return plotly.graph_objects


def axis(title="", **settings):
    """Returns an axis: quiet, its labels within the plot's own margins."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": RULE,
        "linecolor": RULE,
        "zerolinecolor": RULE,
        "automargin": True,
        "fixedrange": True,
        "ticks": "",
        "tickangle": 0,
    } | settings


def plot(traces, narrow=None, **layout):
    """Returns a plot of traces.

    Args:
        traces: of `graph_objects`.
        narrow: attributes of the layout for narrow screens, as {"yaxis.ticktext": ...}.
        layout: further attributes of the layout; "height" is in CSS pixels.
    """
    objects = graph_objects()
    base = {
        "template": {},
        "font": {"family": _FONT, "size": 12.5, "color": INK},
        "margin": {"l": 8, "r": 24, "t": 12, "b": 8},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "align": "left",
                       "font": {"family": _FONT, "size": 13, "color": INK}},
        "showlegend": False,
        "legend": LEGEND,
        # dragging would keep a finger from scrolling the page
        "dragmode": False,
        "bargap": 0.25,
    }  # fmt: skip
    figure = objects.Figure(data=traces, layout=base | layout)
    # through its own encoder, which also checks that all of it is JSON
    drawn = json.loads(figure.to_json())
    return {"data": drawn["data"], "layout": drawn["layout"], "narrow": narrow or {}}


def rows_axis(names, short=None):
    """Returns (y axis, narrow attributes) of named rows, the first at the top.

    Args:
        names: of the rows; cut when long.
        short: the same for narrow screens; None cuts `names` further.

    Rows stand at 0, 1, ... rather than at their names: two labels can share a name,
    and plotly takes a name such as 2011 for a number.
    """
    places = list(range(len(names)))
    found = axis(
        tickmode="array",
        tickvals=places,
        ticktext=[texts.tick(name, texts.TICK) for name in names],
        range=[len(names) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=6,
    )
    narrow = [texts.tick(name, texts.TICK) for name in short or []]
    narrow = narrow or [texts.tick(name, texts.NARROW_TICK) for name in names]
    return found, {"yaxis.ticktext": narrow}


def rows_height(count, more=64):
    """Returns the height of a plot of so many rows, in CSS pixels."""
    return _ROW * count + more


def shading(title):
    """Returns a colour axis for shares, from little to much; `SHADES`."""
    return {
        "colorscale": SHADES,
        "cmin": 0,
        "cmax": 1,
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 10,
                     "tickformat": ".0%", "outlinewidth": 0},
    }  # fmt: skip
