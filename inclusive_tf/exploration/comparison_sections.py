"""The sections that compare: groups, two splits, and sizes and light of the images."""

from data_pipelines import oneline
from inclusive_tf.exploration import (
    comparison_plots,
    findings,
    light_plots,
    sections,
    texts,
)
from inclusive_tf.report import tables, wording

_UNREADABLE_SHOWN, _SIZES_SHOWN = 20, 20


def group_by_label(figures):
    """Returns what `sections.Section` takes on groups."""
    found = figures["group_by_label"]
    groups, labels = found["groups"], found["labels"]
    where = f"{sections.where(found['split'])}, n = {found['images']:,} images"
    distances = tables.Table(
        "Groups and how far their mix of labels is from that of all", "group",
        ["images", "labels given", "distance", "by chance"],
        [tables.Row(one["name"],
                    [wording.count(one["images"]), wording.count(one["assignments"]),
                     wording.number(one["distance"]), wording.number(one["chance"])])
         for one in groups],
    )  # fmt: skip
    shares = tables.Table(
        "Share of each group's images that shows the label", "label",
        ["all", *(one["name"] for one in groups)],
        [tables.Row(label["name"], [texts.percent(label["share"]),
                                    *map(texts.percent, label["shares"])])
         for label in labels],
    )  # fmt: skip
    said = sections.shown(len(groups), found["groups_in_use"], "groups")
    plots = []
    if any(one["distance"] is not None for one in groups):
        plots.append(
            sections.Plot(
                "group_distance",
                "How far each group's mix of labels is from that of all groups, and "
                f"how far chance alone would put a group of its size; {where}",
                comparison_plots.distances(found), [distances],
            )
        )  # fmt: skip
    if labels:
        plots.append(
            sections.Plot(
                "group_shares",
                f"Share of each group's images that shows a label; {where}. "
                + sections.shown(len(labels), found["labels_in_use"], "labels in use"),
                comparison_plots.group_shares(found), [shares],
            )
        )  # fmt: skip
    return {"text": [said], "plots": plots}


def _side(one):
    return (
        f"{texts.percent(one['share'])} "
        f"[{texts.percent(one['low'])}, {texts.percent(one['high'])}]"
    )


def shift(figures):
    """Returns what `sections.Section` takes on two splits."""
    found = figures["shift"]
    ends = [found["from"], found["to"]]
    text = [
        f"{texts.name(one['split'])}: {texts.counted(one['images'], 'image')}, "
        f"{texts.counted(one['labels'], 'label')} in use"
        for one in ends
    ]
    text = [
        f"{'; '.join(text)}; {found['common']:,} in both. The two mixes of labels are "
        f"{wording.number(found['distance'], digits=2)} apart (total variation "
        "distance, 0 to 1). " + sections.shown(
            len(found["labels"]), found["changed"], "labels whose share changes"
        ) + " They are those that change by the most percentage points, in order of "
        "ratio."
    ]  # fmt: skip
    if not found["labels"]:
        return {"text": text}
    rows = [
        tables.Row(
            label["name"],
            [oneline.short(label["id"]), wording.count(label["from"]["images"]),
             _side(label["from"]), wording.count(label["to"]["images"]),
             _side(label["to"]),
             f"{texts.ratio(label['log2_ratio']['value'])} "
             f"[{texts.ratio(label['log2_ratio']['low'])}, "
             f"{texts.ratio(label['log2_ratio']['high'])}]"],
        )
        for label in found["labels"]
    ]  # fmt: skip
    names = [texts.name(one["split"]) for one in ends]
    table = tables.Table(
        "Shares of images and their ratio, with 95 % intervals", "label",
        ["id", f"images, {names[0]}", f"share, {names[0]}", f"images, {names[1]}",
         f"share, {names[1]}", "ratio"], rows,
    )  # fmt: skip
    n = f"n = {ends[0]['images']:,} and {ends[1]['images']:,} images"
    return {
        "text": text,
        "plots": [
            sections.Plot(
                "shift_shares",
                f"Share of images with a label, {names[0]} and {names[1]}, with 95 % "
                f"intervals; {n}",
                comparison_plots.shift_shares(found), [table], half=True,
            ),
            sections.Plot(
                "shift_ratios",
                f"Ratio of the shares, {names[1]} over {names[0]}, with 95 % "
                f"intervals; {n}",
                comparison_plots.shift_ratios(found), half=True,
            ),
        ],
    }  # fmt: skip


def _cell_table(found, measure, caption, write):
    return tables.Table(
        caption, "group, split",
        ["images", "measured", "mean", "5 %", "25 %", "median", "75 %", "95 %"],
        [tables.Row(findings.cell(one),
                    [wording.count(one["images"]), wording.count(one[measure]["n"]),
                     *(write(one[measure][key])
                       for key in ("mean", "p5", "p25", "p50", "p75", "p95"))])
         for one in found["cells"]],
    )  # fmt: skip


def _light(value):
    return wording.number(value, digits=3)


def unreadable(found):
    """Returns the table of images that could not be read, in a list; [] without."""
    faults = found.get("unreadable") or []
    if not faults:
        return []
    caption = (
        "Images of the sample that could not be read. "
        + sections.shown(min(len(faults), _UNREADABLE_SHOWN), len(faults), "images")
    )  # fmt: skip
    rows = [
        tables.Row(one["id"], [oneline.short(one["reason"], 200)])
        for one in faults[:_UNREADABLE_SHOWN]
    ]
    return [tables.Table(caption, "image", ["why"], rows)]


def _measured(found):
    return f"n = {texts.counted(found['read'], 'image')} of the sample"


def _measure_plot(found, measure, caption, title, write, **axis_settings):
    return sections.Plot(
        measure,
        f"{caption}, by group and split; {_measured(found)}",
        light_plots.boxes(found, measure, title, write, **axis_settings),
        [_cell_table(found, measure, f"{caption}, percentiles", write)],
        half=True,
    )


def _sizes_plot(found):
    shown = found["sizes"][:_SIZES_SHOWN]
    said = sections.shown(len(shown), len(found["sizes"]), "sizes")
    table = tables.Table(
        f"The most frequent sizes. {said}", "width × height", ["images"],
        [tables.Row(f"{one['width']:,} × {one['height']:,}",
                    [wording.count(one["images"])]) for one in shown],
    )  # fmt: skip
    caption = f"Width and height in pixels; {_measured(found)}"
    return sections.Plot("sizes", caption, light_plots.sizes(found), [table], half=True)


def pictures(figures):
    """Returns what `sections.Section` takes on sizes and light."""
    found = figures["pictures"]
    forms = ", ".join(f"{number:,} {form}" for form, number in found["forms"].items())
    sizes = findings.sizes(found)
    bad = found["unreadable"]
    bad = f"; {len(bad):,} more could not be read" if bad else ""
    text = [
        f"Measured on {texts.counted(found['read'], 'image')} "
        f"({forms}), drawn evenly over groups and splits, so that small ones are not "
        f"lost{bad}. " + sections.shown(len(found["cells"]), found["cells_in_use"],
                         "pairs of group and split")
    ]  # fmt: skip
    if sizes != findings.pictures(figures):
        text.insert(0, f"{sizes}.")
    plots = [
        _measure_plot(found, "brightness", "Mean brightness of an image, 0 to 1",
                      "brightness", _light),
        _measure_plot(found, "contrast", "Contrast of an image, 0 to 0.5", "contrast",
                      _light),
    ]  # fmt: skip
    if len(found["sizes"]) > 1:
        plots.append(
            _measure_plot(found, "aspect", "Width over height", "width / height",
                          texts.decimal)
        )  # fmt: skip
    plots.append(
        _measure_plot(found, "bytes", "Bytes of an image's file or record", "bytes",
                      texts.size, tickformat="~s")
    )  # fmt: skip
    # last, as it is taller than those that stand in pairs
    if len(found["sizes"]) > 1:
        plots.append(_sizes_plot(found))
    return {"text": text, "plots": plots, "tables": unreadable(found)}
