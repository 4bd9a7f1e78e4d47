"""Everything the page shows, gathered from the figures into plain values."""

from inclusive_tf.exploration import (
    comparison_sections,
    entries,
    findings,
    fused,
    glossary,
    label_sections,
    sections,
    texts,
)
from inclusive_tf.report import tables, wording

_LABELS, _COMPARED = label_sections, comparison_sections
PARTS = {
    "labels_per_image": ("Labels an image", findings.labels_per_image,
                         _LABELS.labels_per_image),
    "frequency": ("Common and rare", findings.frequency, _LABELS.frequency),
    "long_tail": ("The long tail", findings.long_tail, _LABELS.long_tail),
    "fusion": ("Sources of labels", fused.finding, fused.fusion),
    "confidence": ("Confidence", findings.confidence, _LABELS.confidence),
    "boxes": ("Boxes", findings.boxes, _LABELS.boxes),
    "co_occurrence": ("Labels together", findings.co_occurrence,
                      _LABELS.co_occurrence),
    "group_by_label": ("Groups", findings.group_by_label, _COMPARED.group_by_label),
    "shift": ("Label shift", findings.shift, _COMPARED.shift),
    "pictures": ("Sizes and light", findings.pictures, _COMPARED.pictures),
}  # fmt: skip
"""Part of the figures → (its name in the contents, its heading, what it shows)."""


def _section(part, figures):
    topic, finding, fill = PARTS[part]
    found = figures[part]
    if entries.MISSING in found:
        return sections.Section(
            part,
            topic,
            missing=found[entries.MISSING],
            tables=comparison_sections.unreadable(found),
        )
    return sections.Section(part, topic, finding(figures), **fill(figures))


def _cards(figures):
    numbers, described = figures["frequency"], figures["described"]
    splits = [one for one in figures["splits"] if one["images"]]
    found = [
        ("Images", wording.count(figures["images"]),
         texts.counted(len(splits), "split")),
        ("Labels", wording.count(numbers["labels"]),
         f"{numbers['in_use']:,} in use, {sections.where(described['split'])}"),
        ("Labels an image", texts.decimal(figures["labels_per_image"]["mean"]), "mean"),
        ("Groups", wording.count(figures["groups_in_use"]), "with images"),
    ]  # fmt: skip
    return [dict(zip(("name", "value", "note"), card, strict=True)) for card in found]


def _split_table(figures):
    return tables.Table(
        "Images and labels by split", "split",
        ["images", "labels given", "labels an image, mean"],
        [tables.Row(one["name"], [wording.count(one["images"]),
                                  wording.count(one["assignments"]),
                                  texts.decimal(one["mean_labels"])])
         for one in figures["splits"]],
    )  # fmt: skip


def _group_table(figures):
    splits = [one["name"] for one in figures["splits"]]
    said = sections.shown(len(figures["groups"]), figures["groups_in_use"], "groups")
    return tables.Table(
        f"Images by group and split. {said}", "group", ["all", *splits],
        [tables.Row(one["name"], [wording.count(one["images"]),
                                  *(wording.count(one["splits"][split])
                                    for split in splits)])
         for one in figures["groups"]],
    )  # fmt: skip


def gather(figures):
    """Returns everything the template needs but pictures and scripts.

    Args:
        figures: of `figures.gather`.
    """
    described = figures["described"]
    return {
        "title": figures["title"],
        "sentence": findings.headline(figures),
        "scope": f"Figures on labels are of {sections.where(described['split'])}, "
        f"{texts.counted(described['images'], 'image')}, where nothing else is said.",
        "cards": _cards(figures),
        "notes": [*figures["caveats"], *figures["notes"]],
        "split_table": _split_table(figures),
        "group_table": _group_table(figures),
        "sections": [_section(part, figures) for part in PARTS],
        "sheets": figures["sheets"],
        "glossary": glossary.TERMS,
    }
