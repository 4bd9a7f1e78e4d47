"""Figures and comparisons as text for a terminal."""

from data_pipelines import oneline
from inclusive_tf.evaluation import bootstrap, measures

TITLES = {
    "mean_f2": "mean F2",
    "macro_f2": "macro F2",
    "head_recall": "head recall",
    "middle_recall": "middle recall",
    "tail_recall": "tail recall",
    "worst_group_f2": "worst group",
}


def interval_text(interval, signed=False):
    """Returns "0.123 (0.100 to 0.150)", or "not available".

    A figure without an interval says so when it rests on too little for one, as in
    "0.667 (n = 3, too few for an interval)".
    """
    key = "difference" if "difference" in interval else "value"
    if interval[key] is None:
        return "not available"
    sign = "+" if signed else ""
    text = f"{interval[key]:{sign}.3f}"
    if interval["low"] is not None:
        text += f" ({interval['low']:{sign}.3f} to {interval['high']:{sign}.3f})"
    elif interval.get("clusters", interval["n"]) < bootstrap.MIN:
        extent = f"n = {interval['n']}"
        if "clusters" in interval:
            extent += f" in {interval['clusters']} clusters"
        text += f" ({extent}, too few for an interval)"
    return text


def overview(rows):
    """One line a set of figures, one column a measure.

    Args:
        rows: a list of (name, figures).

    Returns:
        Text of several lines, without the last line's end.
    """
    lines = [["", "n", *(TITLES[name] for name in measures.NAMES)]]
    for name, figures in rows:
        texts = [interval_text(figures["measures"][key]) for key in measures.NAMES]
        lines.append([name, str(figures["n"]), *texts])
    return aligned(lines)


def groups(figures):
    """One line a group, with its size; the worst, chosen after looking, is marked."""
    lines = [["group", "n", "mean F2", ""]]
    for group in figures["groups"]:
        mark = "worst" if group["name"] == figures["worst_group"] else ""
        name = oneline.short(group["name"])
        lines.append([name, str(group["n"]), interval_text(group["mean_f2"]), mark])
    return aligned(lines)


def classes(figures, most=40):
    """One line a label, most frequent in training first, at most `most` lines."""
    lines = [["label", "training", "n", "precision", "recall", "F1", "F2"]]
    ranked = sorted(figures["classes"], key=lambda one: -one["training_count"])
    for one in ranked[:most]:
        scores = [
            interval_text(one[key]) for key in ("precision", "recall", "f1", "f2")
        ]
        name = oneline.short(one["name"])
        lines.append([name, str(one["training_count"]), str(one["n"]), *scores])
    text = aligned(lines)
    if len(ranked) > most:
        text += f"\n… and {len(ranked) - most} labels more"
    return text


def comparison(compared):
    """One line a measure; a difference whose interval holds 0 is said to."""
    lines = [["measure", "n", "after - before", ""]]
    for name in measures.NAMES:
        interval = compared["measures"][name]
        lines.append(
            [
                TITLES[name],
                str(interval["n"]),
                interval_text(interval, signed=True),
                _verdict(interval),
            ]
        )
    return aligned(lines)


def _verdict(interval):
    if interval["low"] is None:
        return ""
    if interval["low"] > 0:
        return "better"
    if interval["high"] < 0:
        return "worse"
    return "not apart from 0"


def aligned(lines):
    """Returns cells as text: the first column to the left, others to the right.

    Args:
        lines: a list of lists of str, all of one length.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = []
    for first, *rest in lines:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True)]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)
