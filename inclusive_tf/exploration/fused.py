"""The section on the fusion of several sources of labels: heading, plot and tables.

The figures are those of `data_pipelines.open_images.fusion_report`, counted on the
files of the source, before any correction or exclusion.
"""

from data_pipelines import oneline
from inclusive_tf.exploration import look, sections, texts
from inclusive_tf.report import tables, wording

_PARTS = (("given", look.BLUE), ("alone", "#56b4e9"), ("lost", look.ORANGE))
_COLUMNS = {
    "rows": "rows of the file",
    "given": "labels given",
    "denied": "labels denied",
    "images": "images with a label",
    "alone": "given by it alone",
    "lost": "given, not kept",
    "contradicted": "of these, denied by a human",
    "outside": "rows outside the vocabulary",
    "repeated": "repeated rows",
}


def finding(figures):
    """Returns the sentence on what the rule kept."""
    found = figures["fusion"]
    if not found["given"]:
        return "No source gives a label"
    return (
        f"The rule “{texts.name(found['rule'])}” keeps "
        f"{texts.percent(found['kept'] / found['given'])} of the labels that "
        f"{wording.words(map(texts.name, found['sources']), 'or')} gave"
    )


def _plot(sources):
    names = list(sources)
    axis, narrow = look.rows_axis(names)
    traces = [
        look.graph_objects().Bar(
            name=key, orientation="h", marker_color=colour, y=list(range(len(names))),
            x=[source[key] for source in sources.values()],
            customdata=[[texts.hover(name), wording.count(source[key])]
                        for name, source in sources.items()],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} labels " + key
            + "<extra></extra>",
        )
        for key, colour in _PARTS
    ]  # fmt: skip
    axis |= {"range": [len(names) - 0.5, -0.5]}
    return look.plot(
        traces, narrow, height=54 * len(names) + 96, yaxis=axis, barmode="group",
        showlegend=True, xaxis=look.axis("labels", tickformat="~s", nticks=6),
    )  # fmt: skip


def _agreement(sources):
    """How many labels, and which share of its own, each source has in common."""

    def cell(name, other):
        if name == other:
            return ""
        both = sources[name]["agreed"][other]
        if not sources[name]["given"]:
            return wording.count(both)
        return f"{both:,} ({texts.percent(both / sources[name]['given'])})"

    return tables.Table(
        "Labels that both sources give, and their share of the row's own", "source",
        [f"with {texts.name(name)}" for name in sources],
        [tables.Row(name, [cell(name, other) for other in sources])
         for name in sources],
    )  # fmt: skip


def fusion(figures):
    """Returns what `sections.Section` takes on the sources of labels."""
    found = figures["fusion"]
    sources = found["sources"]
    text = (
        f"{found['kept']:,} of {found['given']:,} labels are kept, "
        f"{found['present']:,} of them with a confidence of 0.5 or more. "
        f"{found['images_without_label']:,} of "
        f"{texts.counted(found['images'], 'image')} are left with none, "
        f"{found['images_without_present']:,} with none of 0.5 or more; "
        f"{texts.counted(found['absent'], 'label')} are verified to be absent. Counted "
        f"on the source's files of {sections.source(figures)}, before any correction."
    )
    table = tables.Table(
        "What each source gave", "source", ["file", *_COLUMNS.values()],
        [tables.Row(name, [oneline.short(source["file"]),
                           *(wording.count(source[key]) for key in _COLUMNS)])
         for name, source in sources.items()],
    )  # fmt: skip
    plot = sections.Plot(
        "fusion",
        "Labels that each source gives, that it alone gives, and that the rule does "
        f"not keep; n = {texts.counted(found['images'], 'image')}",
        _plot(sources),
        [table],
    )
    return {"text": [text], "plots": [plot], "tables": [_agreement(sources)]}
