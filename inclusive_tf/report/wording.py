"""Numbers, intervals and other people's names as text that is safe to show."""

import dataclasses
import math

from data_pipelines import oneline
from inclusive_tf.evaluation import bootstrap

MISSING = "n/a"
_MARKDOWN = r"\`*_[]<>#|~&$"


def markdown(text, limit=oneline.SHORT):
    """Returns `oneline.short(text)` with what Markdown or HTML would read escaped."""
    return "".join(
        f"&#{ord(character)};" if character in _MARKDOWN else character
        for character in oneline.short(text, limit)
    )


def words(items, last="and"):
    """Returns "a", "a and b" or "a, b and c"."""
    items = list(items)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def finite(value):
    """Returns `value` as a float, or None where it is None, NaN or infinite."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def number(value, signed=False, digits=3):
    """Returns a figure with `digits` decimals, and more where it would round to 0."""
    value = finite(value)
    if value is None:
        return MISSING
    if value and abs(value) < 0.5 * 10**-digits:
        digits = math.ceil(-math.log10(abs(value))) + 1
        if digits > 6:
            return f"{value:{'+' if signed else ''}.1e}".replace("-", "−")
    text = f"{abs(value):.{digits}f}"
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    return sign + text


def count(value):
    """Returns an integer with thousands separated, or "n/a"."""
    value = finite(value)
    return MISSING if value is None else f"{round(value):,}"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure as a page shows it.

    Args:
        value: "0.631", or "n/a".
        interval: "[0.617, 0.645]", or "" where there is none.
        n: "5,000", or "n/a".
        reason: why something is missing, or "".
        note: what else belongs to it, such as the group that is the worst.
    """

    value: str
    interval: str
    n: str
    reason: str = ""
    note: str = ""

    def __str__(self):
        return f"{self.value} {self.interval}".strip()


def figure(interval, note="", signed=False, key="value", empty="no images"):
    """Returns the `Figure` of an interval of the figures JSON.

    Args:
        interval: {"value", "low", "high", "n"}, or None when it was not measured.
        note: what else belongs to it.
        signed: whether a plus sign is shown.
        key: where the value stands ("difference" in a comparison).
        empty: what n = 0 means.
    """
    if interval is None:
        return Figure(MISSING, "", MISSING, "not measured")
    n = finite(interval.get("n"))
    value, low, high = (finite(interval.get(name)) for name in (key, "low", "high"))
    if value is None:
        reason = empty if n == 0 else "not defined for these images"
        return Figure(MISSING, "", count(n), reason)
    if low is None or high is None:
        rests_on = finite(interval.get("clusters")) or n
        few = rests_on is not None and rests_on < bootstrap.MIN
        reason = "too few images for an interval" if few else "no interval was computed"
        return Figure(number(value, signed), "", count(n), reason, note)
    bounds = f"[{number(low, signed)}, {number(high, signed)}]"
    return Figure(number(value, signed), bounds, count(n), "", note)
