"""The sections on labels: their plots, and the same numbers as tables."""

from data_pipelines import oneline
from inclusive_tf.exploration import label_plots, sections, texts
from inclusive_tf.report import tables, wording

_MATRIX_AS_TABLE = 15


def labels_per_image(figures):
    """Returns what `sections.Section` takes on the number of labels an image."""
    found = figures["labels_per_image"]
    rows = [
        tables.Row(
            f"{bar['from']:,}" if bar["from"] == bar["to"]
            else f"{bar['from']:,} to {bar['to']:,}",
            [wording.count(bar["images"]),
             texts.percent(bar["images"] / found["images"])],
        )
        for bar in found["bars"]
    ]  # fmt: skip
    table = tables.Table(
        "Images by number of labels", "labels", ["images", "share"], rows
    )
    if found["min"] == found["max"]:
        return {}
    verb = "has" if found["none"] == 1 else "have"
    bare = (f"{texts.counted(found['none'], 'image')} of {found['images']:,} {verb} no "
            "label.")  # fmt: skip
    return {
        "text": [bare if found["none"] else "Every image has a label."],
        "plots": [
            sections.Plot(
                "labels_per_image",
                f"Images by how many labels they show; {sections.described(figures)}",
                label_plots.labels_per_image(found), [table],
            )
        ],
    }  # fmt: skip


def _label_table(rows, caption):
    return tables.Table(
        caption, "label", ["id", "images", "share of images"],
        [tables.Row(row["name"], [oneline.short(row["id"]),
                                  wording.count(row["images"]),
                                  texts.percent(row["share"])]) for row in rows],
    )  # fmt: skip


def frequency(figures):
    """Returns what `sections.Section` takes on common and rare labels."""
    found = figures["frequency"]
    if not found["most"]:
        return {"missing": "no image shows a label"}
    number = len(found["most"]) + len(found["least"])
    text = [sections.shown(number, found["labels"])]
    never = found["labels"] - found["in_use"]
    if never:
        verb = "is" if never == 1 else "are"
        text[0] += f" {texts.counted(never, 'label')} {verb} on no image."
    plots = []
    for key in ("most", "least"):
        if found[key]:
            caption = (
                f"The {len(found[key]):,} {key} common labels in use; "
                f"{sections.described(figures)}"
            )
            plots.append(
                sections.Plot(
                    f"frequency_{key}",
                    caption,
                    label_plots.label_bars(found[key], bool(found["least"])),
                    [_label_table(found[key], caption)],
                    half=bool(found["least"]),
                )
            )
    return {"text": text, "plots": plots}


def _band_range(band):
    if not band["labels"]:
        return wording.MISSING
    if band["fewest"] == band["most"]:
        return wording.count(band["most"])
    return f"{band['fewest']:,} to {band['most']:,}"


def long_tail(figures):
    """Returns what `sections.Section` takes on the long tail."""
    found = figures["long_tail"]
    cover = tables.Table(
        f"The fewest labels that hold so much of {found['assignments']:,} labels given",
        "share of all labels given", ["labels", "of the labels in use"],
        [tables.Row(texts.percent(one["share"]),
                    [wording.count(one["labels"]),
                     texts.percent(one["labels"] / found["in_use"])])
         for one in found["cover"]],
    )  # fmt: skip
    bands = tables.Table(
        "Thirds of the labels, by how many images show them", "band",
        ["labels", "images of a label", "labels given", "share of all given"],
        [tables.Row(band["band"], [wording.count(band["labels"]), _band_range(band),
                                   wording.count(band["assignments"]),
                                   texts.percent(band["share"])])
         for band in found["bands"]],
    )  # fmt: skip
    caption = (
        "Share of all labels given that the most common ones hold together; "
        f"{found['assignments']:,} labels given, {sections.described(figures)}"
    )
    drawn = label_plots.long_tail(found)
    return {
        "plots": [sections.Plot("long_tail", caption, drawn, [cover])],
        "tables": [bands],
    }


def _histogram_table(found, caption):
    edges = found["edges"]
    return tables.Table(
        caption, "confidence", ["labels"],
        [tables.Row(f"{low:g} to {high:g}", [wording.count(count)])
         for low, high, count in zip(edges, edges[1:], found["counts"], strict=False)],
    )  # fmt: skip


def confidence(figures):
    """Returns what `sections.Section` takes on confidences."""
    found = figures["confidence"]
    own = found["table"]
    soft = own["stated"] - own["certain"] - own["absent"]
    text = f"{texts.counted(own['stated'], 'label')} stated in all splits: "
    if soft or own["absent"]:
        text += (
            f"{own['certain']:,} with confidence 1, {own['absent']:,} verified absent "
            f"(confidence 0), {soft:,} between. From 0.5 on a label counts as present: "
            f"{own['present']:,} do."
        )
    else:
        text += "each has confidence 1."
    parts = [(f"source {texts.name(name)}, {sections.source(figures)}, before labels "
              "were brought together", one)
             for name, one in found["sources"].items()]  # fmt: skip
    if own["certain"] != own["stated"]:
        parts.insert(0, ("the label table, all splits", own))
    plots = [
        sections.Plot(
            f"confidence_{number}",
            f"Labels by confidence; {said}, n = {sum(one['counts']):,} labels",
            label_plots.histogram(one),
            [_histogram_table(one, f"Labels by confidence; {said}")],
            half=len(parts) > 1,
        )
        for number, (said, one) in enumerate(parts)
    ]
    return {"text": [text], "plots": plots}


def _boxes_by_label(found, figures):
    by_label = found.get("by_label") or {}
    if not by_label:
        return []
    attributes = list(found["attributes"])
    top = sorted(by_label, key=lambda label: (-by_label[label]["boxes"], label))
    top = top[: max(len(figures["frequency"]["most"]), 10)]
    rows = [
        tables.Row(
            found["names"].get(label, label),
            [oneline.short(label), wording.count(by_label[label]["boxes"]),
             *(texts.percent(by_label[label].get(name)) for name in attributes)],
        )
        for label in top
    ]  # fmt: skip
    caption = (
        f"Labels with the most boxes in {sections.source(figures)}, and the share of "
        "their boxes with each attribute, among those where it is known. "
        f"{sections.shown(len(top), len(by_label))}"
    )
    return [tables.Table(caption, "label", ["id", "boxes", *attributes], rows)]


def boxes(figures):
    """Returns what `sections.Section` takes on the attributes of boxes."""
    found = figures["boxes"]
    attributes = found["attributes"]
    rows = [
        tables.Row(name, [wording.count(counts[key])
                          for key in ("yes", "no", "unknown")])
        for name, counts in attributes.items()
    ]  # fmt: skip
    table = tables.Table("Boxes by attribute", "attribute", ["yes", "no", "unknown"],
                         rows)  # fmt: skip
    most = max((sum(counts.values()) for counts in attributes.values()), default=0)
    caption = (
        f"What is known of each attribute; {sections.source(figures)}, "
        f"n = {texts.counted(most, 'box', 'boxes')}"
    )
    plots = []
    if attributes:
        drawn = label_plots.box_attributes(attributes)
        plots = [sections.Plot("boxes", caption, drawn, [table])]
    return {"plots": plots, "tables": _boxes_by_label(found, figures)}


def _pair_table(found):
    rows = [
        tables.Row(
            pair["a"]["name"],
            [oneline.short(pair["b"]["name"]), wording.count(pair["together"]),
             f"{pair['expected']:,.1f}",
             texts.decimal(pair["lift"]), wording.number(pair["pmi"], digits=2),
             wording.count(pair["a"]["images"]), wording.count(pair["b"]["images"])],
        )
        for pair in found["pairs"]
    ]  # fmt: skip
    caption = (
        "Pairs that come together most beyond chance: "
        f"{len(found['pairs']):,} of {found['beyond']:,} such pairs that share at "
        f"least {texts.counted(found['pair_images'], 'image')}"
    )
    columns = ["with", "images with both", "by chance", "lift", "PMI, bits",
               "images of the first", "of the second"]  # fmt: skip
    return tables.Table(caption, "label", columns, rows)


def co_occurrence(figures):
    """Returns what `sections.Section` takes on labels that come together."""
    found = figures["co_occurrence"]
    labels = found["labels"]
    folded = []
    if len(labels) <= _MATRIX_AS_TABLE:
        folded = [tables.Table(
            "Images with both labels", "label", [label["name"] for label in labels],
            [tables.Row(label["name"], [wording.count(one) for one in counts])
             for label, counts in zip(labels, found["together"], strict=True)],
        )]  # fmt: skip
    in_use = figures["frequency"]["in_use"]
    caption = (
        "Of the images with the row's label, the share that shows the column's too; "
        "rows and columns stand in the same order, the most common first; "
        f"{sections.described(figures)}"
    )
    text = [
        f"{texts.counted(found['several'], 'image')} of {found['images']:,} have more "
        f"than one label. {sections.shown(len(labels), in_use, 'labels in use')}"
    ]
    plot = sections.Plot("co_occurrence", caption, label_plots.matrix(found), folded)
    pairs = [_pair_table(found)] if found["pairs"] else []
    return {"text": text, "plots": [plot], "tables": pairs}
