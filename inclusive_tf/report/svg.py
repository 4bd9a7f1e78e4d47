"""One look for all plots, and plots as bytes: SVG for the page, pixels for TensorBoard.

The object interface of Matplotlib is used throughout, so nothing global is left behind;
`style()` is a context that must surround making and drawing.
"""

import contextlib
import io
import warnings

import matplotlib
import numpy as np
from matplotlib import figure as matplotlib_figure
from matplotlib.backends import backend_agg

PIXELS_PER_INCH = 96
WIDE, NARROW = 1080, 350
"""Widths in CSS pixels: for a screen or paper, and for a telephone."""

INK, MUTED, RULE = "#1b2430", "#5b6573", "#d9dee5"

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": RULE,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.labelcolor": MUTED,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "figure.facecolor": "white",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "inclusive_tf",
    # a name may hold a dollar sign, and none is meant as a formula
    "text.parse_math": False,
    "text.color": INK,
    "xtick.color": RULE,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
    "ytick.left": False,
}


@contextlib.contextmanager
def style():
    """The look of the plots; names in scripts that the font lacks are let through."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # only the width of such a name is off: a browser has the letters
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        warnings.filterwarnings("ignore", message="Matplotlib currently does not supp")
        yield


def new(width, height):
    """Returns a `Figure` of that many CSS pixels."""
    return matplotlib_figure.Figure(
        figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH),
        dpi=PIXELS_PER_INCH,
        layout="constrained",
    )


def to_svg(figure):
    """Returns a figure as SVG bytes, the same for the same figure."""
    buffer = io.BytesIO()
    names = ("Creator", "Date", "Format", "Type")
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(names))
    return buffer.getvalue()


def to_pixels(figure):
    """Returns a figure as uint8 [height, width, 3]."""
    canvas = backend_agg.FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
