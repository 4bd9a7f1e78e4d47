"""Bars with intervals: labels, head, middle and tail, and groups, rows side by side.

Every function returns {"wide": SVG bytes, "narrow": SVG bytes}.
"""

from data_pipelines import oneline
from inclusive_tf.report import findings, panels, tables, wording


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
        panels.bars(axes, places, height * 0.9, intervals, panels.ROLE_COLOURS[role])
    panels.name_lines(axes, [name for _, name in parts], narrow, top=0.36)
    axes.set_xlim(0, 1)


def _bar_legend(figure, results, found, narrow):
    names = {role: findings.roles(results)[role]["name"] for role in found}
    entries = [
        (oneline.short(names[role], 40), (panels.ROLE_COLOURS[role], "s", True))
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
    ranked, _ = tables.ranked_classes({"classes": found["final"]}, panels.CLASSES_SHOWN)
    parts = [
        (_key(one), f"{oneline.short(one['name'], 22)} · "
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
    """Mean F2 of every group with images, by split, with n and the constant answer."""
    splits = [
        split
        for split in findings.splits(results)
        if findings.groups(results, split)[0]
    ]
    found = {split: _found(results, split, "groups") for split in splits}
    parts, said = {}, {}
    for split, rows in found.items():
        names, said[split] = findings.shown_groups(results, split, panels.GROUPS_SHOWN)
        sizes = {one["name"]: one["n"] for one in max(rows.values(), key=len)}
        parts[split] = [
            (
                name,
                f"{oneline.short(name, 26)}, n = {wording.count(sizes.get(name))}",
            )
            for name in names
        ]
    most = max(map(len, parts.values()))

    def draw(narrow):
        figure, axes_list = panels.panels(
            len(splits), most, narrow, 84 if narrow else 70
        )
        for axes, split in zip(axes_list, splits, strict=True):
            _bars(axes, found[split], parts[split], "mean_f2", narrow)
            title = [f"Mean F2, {findings.split_name(split)}", said[split]]
            axes.set_title("\n".join(filter(None, title)))
        return _bar_legend(figure, results, found[splits[-1]], narrow)

    return panels.both(draw)
