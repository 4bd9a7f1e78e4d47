"""The page of an audit: one HTML file that needs nothing from outside, no script."""

import base64

from inclusive_tf.audit import inputs, looks, summary
from inclusive_tf.exploration import texts
from inclusive_tf.report import templating

_MOST_ROWS = 40


def pictured(rows, shown):
    """Returns the ids of the images that the page shows, the surest suspects first."""
    return list(dict.fromkeys(row.id for row in rows))[:shown]


def render(figures, rows, predictions, title, shown=24, thumbnails=None):
    """Returns the page as text.

    Args:
        figures: of `auditing.audit`.
        rows: its `suspects.Suspect`s, the surest first.
        predictions: `predictions.Predictions` whose labels are doubted.
        title: heading of the page.
        shown: images shown of the suspects, at most.
        thumbnails: {id: `pictures.Picture`}, or None.
    """
    names = dict(zip(predictions.vocabulary.ids, predictions.vocabulary.names,
                     strict=True))  # fmt: skip
    found = figures["shortcuts"]
    alarms = summary.alarms(figures)
    environment = templating.environment(percent=texts.percent)
    return environment.get_template("audit.html").render(
        title=title,
        headline=summary.headline(figures),
        figures=figures,
        way=_WAYS[figures["way"]["way"]],
        cards=_cards(rows, predictions, names, shown, thumbnails or {}),
        doubted=_doubted(figures),
        pairs=figures["pairs"][:_MOST_ROWS],
        inseparable=[pair for pair in figures["pairs"] if not pair["apart"]],
        alarms=_said(alarms),
        alarm_count=len(alarms),
        followed=_said(summary.followed(figures)),
        followed_count=len(summary.followed(figures)),
        untested=found.get("missing", ""),
        tests=found.get("tests", 0),
        method=looks.METHOD,
        cells=_cells(figures),
        groups=list(dict.fromkeys(cell["group"] for cell in figures["cells"])),
        share=_share,
    )


_WAYS = {
    "held_out": "The network was not trained on these images.",
    "refit": "The network was trained on these images, so its own logits would repeat "
    "wrong labels: a last layer was refitted on its features by cross-validation.",
    "neighbours": "Each image is judged by the labels of the images nearest to it.",
    "agreement": "A last layer refitted by cross-validation and the nearest other "
    "images judge together.",
}


def _said(rows):
    return [row | {"said": summary.shortcut(row)} for row in rows[:_MOST_ROWS]]


def _share(one):
    """Returns {"value", "interval", "n"} as the report's cells show them."""
    if one["value"] is None:
        return {"value": "n/a", "interval": "", "n": f"{one['n']:,}"}
    return {
        "value": f"{one['value']:.2f}",
        "interval": f"[{one['low']:.2f}, {one['high']:.2f}]",
        "n": f"{one['n']:,}",
    }


def _cards(rows, predictions, names, shown, thumbnails):
    """One entry an image: what is given, what is suspected."""
    chosen = pictured(rows, shown)
    by_image = {name: [] for name in chosen}
    for row in rows:
        if row.id in by_image:
            by_image[row.id].append(row)
    place = inputs.places(predictions.ids, chosen)
    given = predictions.truth.take(place).present() if chosen else None
    return [
        {
            "id": name,
            "picture": _picture(thumbnails.get(name)),
            "given": [
                predictions.vocabulary.names[label]
                for label in given.index[given.offsets[at] : given.offsets[at + 1]]
            ],
            "doubts": [
                {
                    "kind": row.kind.replace("_", " "),
                    "label": names.get(row.label, ""),
                    "new": names.get(row.new_label, ""),
                    "score": f"{row.score:.3f}",
                    "detail": row.detail,
                }
                for row in by_image[name]
            ],
        }
        for at, name in enumerate(chosen)
    ]


def _picture(found):
    if found is None:
        return None
    data = base64.b64encode(found.thumbnail).decode("ascii")
    return {
        "uri": f"data:{found.thumbnail_type};base64,{data}",
        "tiny": max(found.width, found.height) <= 64,
    }


def _doubted(figures):
    """Classes by the share of their given labels that is doubted."""
    classes = [one for one in figures["doubts"]["classes"] if one["judged"]]
    classes.sort(key=lambda one: -one["wrong"] / max(1, one["given"]))
    return [
        one | {"share": one["wrong"] / max(1, one["given"])}
        for one in classes
        if one["wrong"] or one["missing"]
    ][:_MOST_ROWS]


def _cells(figures):
    """[(class, {group: cell})], the classes with the fewest training images first."""
    by_class = {}
    for cell in figures["cells"]:
        by_class.setdefault(cell["label"], {})[cell["group"]] = cell
    classes = sorted(figures["classes"], key=lambda one: one["training"])
    return [(one, by_class.get(one["id"], {})) for one in classes[:_MOST_ROWS]]
