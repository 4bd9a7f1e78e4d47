"""Numbers and names of the figures as a page writes them."""

import html
import math
import textwrap
import unicodedata

from data_pipelines import oneline
from inclusive_tf.report import wording

NAME = 40
"""Characters of a name within a sentence."""

TICK, NARROW_TICK = 26, 16
"""Columns of a name beside an axis, on a wide and on a narrow screen."""

HOVER, HOVER_LINE = 160, 36
"""Characters of a name that hovering shows, and of a line of it."""

_NO_BREAK = "\u00a0"


def percent(share):
    """Returns a share as "35 %", "1.8 %" or "0.18 %": two figures, never more."""
    share = wording.finite(share)
    if share is None:
        return wording.MISSING
    value = 100 * share
    if not value or value >= 9.95:
        # never "100 %" of what is not all
        digits = 1 if 99.5 <= value < 100 else 0
        text = f"{math.floor(value * 10) / 10 if digits else value:.{digits}f}"
    elif value >= 1e-4:
        digits = 1 - math.floor(math.log10(value))
        text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.0e}"
    return f"{text}{_NO_BREAK}%"


def times(lift):
    """Returns a ratio as "3.2 times" or "410 times"."""
    digits = 2 if lift < 1 else 1 if lift < 100 else 0
    return f"{lift:,.{digits}f}{_NO_BREAK}times"


def ratio(log2):
    """Returns a base-2 logarithm as "×4.0" or "÷4.0"."""
    value = 2 ** abs(log2)
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{'÷' if log2 < 0 else '×'}{text}"


def decimal(value):
    """Returns a mean or median: "3", "2.5", "4.08"."""
    value = wording.finite(value)
    if value is None:
        return wording.MISSING
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def size(count):
    """Returns a number of bytes as "812 B", "3.4 kB" or "1.2 MB"; thousands."""
    count = wording.finite(count)
    if count is None:
        return wording.MISSING
    if count < 999.5:
        return f"{count:.0f}{_NO_BREAK}B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        # 999.6 would be written as 1e+03
        if count < 999.5 or unit == "GB":
            break
    return f"{count:.3g}{_NO_BREAK}{unit}"


def counted(number, one, many=""):
    """Returns "1 label" or "7,178 labels"."""
    return f"{number:,}{_NO_BREAK}{one if number == 1 else many or one + 's'}"


def name(text):
    """Returns a name for use within a sentence: cut when long, and kept to itself.

    What is written from right to left would otherwise turn round the words beside it.
    """
    cut = oneline.short(text, NAME)
    if any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in cut):
        return f"\u2068{cut}\u2069"
    return cut


def quoted(text):
    """Returns `name` in quotation marks, as a sentence can begin with a name."""
    return f"“{name(text)}”"


def tick(text, columns):
    """Returns a name beside an axis, for plotly, cut to so many columns.

    East Asian letters are two columns wide (Unicode Standard Annex 11).
    """
    text, taken = oneline.clean(text), 0
    for place, letter in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > columns:
            return _plain(text[: max(place - 1, 1)].rstrip() + "…")
    return _plain(text)


def hover(text):
    """Returns a name for plotly's hover text, on as many lines as it takes."""
    lines = textwrap.wrap(oneline.short(text, HOVER), HOVER_LINE)
    return "<br>".join(map(_plain, lines))


def _plain(text):
    """Escapes what plotly would read as its own: tags, entities and TeX."""
    return html.escape(text, quote=False).replace("$", "&#36;")
