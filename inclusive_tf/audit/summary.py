"""What an audit found, in sentences."""

from data_pipelines import oneline
from inclusive_tf.audit import shortcuts
from inclusive_tf.exploration import texts
from inclusive_tf.report import wording


def headline(figures):
    """Returns the sentence that opens the page."""
    doubts = figures["doubts"]
    said = (
        f"{texts.counted(doubts['images'], 'image')} of {figures['images']:,} may have "
        "wrong or missing labels"
        if doubts["images"]
        else f"No label of {texts.counted(figures['images'], 'image')} is doubted"
    )
    pairs = [pair for pair in figures["pairs"] if not pair["apart"]]
    found = [said]
    if pairs:
        found.append(
            f"{texts.counted(len(pairs), 'pair')} of classes cannot be told apart"
        )
    clusters = [merge for merge in figures["merges"] if merge["pairs"] > 1]
    if clusters:
        found.append(
            f"among them a cluster of {len(clusters[0]['from']) + 1} classes"
            if len(clusters) == 1
            else f"among them {len(clusters)} clusters of classes"
        )
    first = alarms(figures)
    if first:
        found.append(shortcut(first[0]))
    return "; ".join(found) + "."


def alarms(figures):
    """Returns the rows of the shortcuts, the strongest first."""
    return _of(figures, shortcuts.SHORTCUT)


def followed(figures):
    """Returns the rows of attributes that errors follow without being shortcuts."""
    return _of(figures, shortcuts.FOLLOWS)


def _of(figures, verdict):
    rows = figures["shortcuts"].get("rows", [])
    return [row for row in rows if row["verdict"] == verdict]


_WORDS = {
    "brightness": ("darker", "brighter"),
    "contrast": ("lower in contrast", "higher in contrast"),
    "texture": ("smoother", "more textured"),
    "scale": ("smaller", "larger"),
}


def shortcut(row):
    """Returns what an alarm says, such as "Dress is given falsely where images are
    darker"."""
    name = texts.name(row["name"])
    if row["error"] == shortcuts.APART:
        which = _which(row["attribute"], row["training"] > 0.5)
        missed = f"{row['n']:,} of {row['of']:,}"
        return (
            f"{name} is missed ({missed}); in training it was {which}, more than here"
        )
    which = _which(row["attribute"], row["effect"]["value"] > 0.5)
    return f"{name} is {row['error']} where images are {which}"


def _which(attribute, higher):
    if attribute in _WORDS:
        return _WORDS[attribute][higher]
    kind, _, value = attribute.partition(" ")
    return f"{'' if higher else 'not '}of {kind} {texts.name(value)}"


def text(figures, rows, most=10):
    """Returns what a terminal shows.

    Args:
        figures: of `auditing.audit`.
        rows: its `suspects.Suspect`s.
        most: lines of each kind, at most.
    """
    doubts = figures["doubts"]
    kinds = ", ".join(
        f"{count:,} {kind}" for kind, count in sorted(doubts["kinds"].items())
    )
    lines = [
        f"labels ({figures['way']['way'].replace('_', ' ')}): {doubts['rows']:,} "
        f"suspicions about {doubts['images']:,} of {figures['images']:,} images"
        + (f" ({kinds})" if kinds else "")
    ]
    lines += [
        f"  {one.score:.3f} {one.kind} {oneline.short(one.id, 40)}: "
        f"{oneline.short(one.detail)}"
        for one in rows[:most]
    ]
    if figures["judged"]["clusters"]:
        lines.append(
            f"note: {figures['judged']['images']:,} images of "
            f"{figures['judged']['clusters']:,} clusters are judged; only merges allow "
            "for that"
        )
    for pair in [pair for pair in figures["pairs"] if not pair["apart"]][:most]:
        lines.append(
            f"cannot be told apart: {oneline.short(pair['a']['name'])} and "
            f"{oneline.short(pair['b']['name'])} ({_share(pair['as_b'])} and "
            f"{_share(pair['as_a'])} confused, in order {_share(pair['in_order'])})"
        )
    lines += [
        f"a cluster of {len(merge['from']) + 1} classes, {merge['not_apart']} of "
        f"{merge['pairs']} pairs not told apart: {_merge(merge)}"
        for merge in figures["merges"]
        if merge["pairs"] > 1
    ]
    if figures["unread"]["images"]:
        lines.append(
            f"note: {texts.counted(figures['unread']['images'], 'training image')} "
            "could not be read, the first is "
            f"{oneline.short(figures['unread']['first'])}"
        )
    if "missing" in figures["shortcuts"]:
        lines.append(f"shortcuts: none looked for, {figures['shortcuts']['missing']}")
    else:
        found, others = alarms(figures), followed(figures)
        lines.append(
            f"shortcuts: {len(found)} in {figures['shortcuts']['tests']:,} looks, and "
            f"{len(others)} attributes that errors follow"
        )
        lines += [
            f"  {row['verdict']}: {shortcut(row)} ({_share(row['effect'])})"
            for row in [*found, *others][:most]
        ]
    lines += [
        f"collect for {row['for']}: {oneline.short(row['name'])} in "
        f"{oneline.short(row['group'])}: {row['reason']}"
        for row in figures["collect"][:most]
    ]
    return "\n".join(lines)


def _merge(merge):
    names = ", ".join(oneline.short(one["name"]) for one in merge["from"])
    one = merge["macro_f2"]
    interval = ""
    if one["low"] is not None:
        interval = f" ({one['low']:+.3f} to {one['high']:+.3f})"
    return (
        f"{names} into {oneline.short(merge['into']['name'])} takes macro F2 "
        f"from {one['before']:.3f} to {one['after']:.3f}, "
        f"{one['difference']:+.3f}{interval}"
    )


def _share(one):
    if one["value"] is None:
        return wording.MISSING
    return f"{one['value']:.2f}, {one['low']:.2f} to {one['high']:.2f}"
