"""All figures of a data set in one dict, ready for JSON; the page shows nothing else.

    {"title", "images", "splits", "groups", "notes", "caveats", "described": {"split" or
    None for all, "images"}, and one part each: "labels_per_image", "frequency",
    "long_tail", "fusion", "confidence", "boxes", "co_occurrence", "group_by_label",
    "shift", "pictures", "sheets"}

A part that cannot be had is {"missing": why}.
"""

import numpy as np

from inclusive_tf.exploration import (
    co_occurrence,
    confidence,
    entries,
    frequency,
    groups,
    light,
    pictures,
    sheets,
    shift,
)

_SIDE = 192
"""Pixels of a thumbnail's longer side: twice what a page shows, for fine screens."""


def described_split(table, config):
    """Returns the split that the label figures are of, or None for all images.

    Raises:
        errors.DataError: a split other than the usual one was asked for and is not
            there, or has no rows.
    """
    if config.from_split == "train" and not table.split_counts().get("train"):
        return None
    table.split_index(config.from_split)
    return config.from_split


def _splits(table, present):
    """Returns {"name", "images", "assignments", "mean_labels"} of each split."""
    lengths = np.diff(present.offsets)
    images = np.bincount(table.split, minlength=len(table.split_names))
    assigned = np.bincount(table.split, lengths, minlength=len(table.split_names))
    return [
        {
            "name": str(name),
            "images": int(size),
            "assignments": int(number),
            "mean_labels": entries.share(number, size),
        }
        for name, size, number in zip(table.split_names, images, assigned, strict=True)
    ]


def _groups(table, top):
    """Returns the largest groups as [{"name", "images", "splits": {split: images}}]."""
    splits = len(table.split_names)
    keys = table.group.astype(np.int64) * splits + table.split
    counts = np.bincount(keys, minlength=len(table.group_names) * splits)
    counts = counts.reshape(-1, splits)
    order = np.lexsort((np.array(table.group_names), -counts.sum(axis=1)))[:top]
    return [
        {
            "name": str(table.group_names[group]),
            "images": int(counts[group].sum()),
            "splits": dict(
                zip(map(str, table.split_names), counts[group].tolist(), strict=True)
            ),
        }
        for group in order
        if counts[group].sum()
    ]


def _caveats(table):
    """What a reader must know to read the figures rightly."""
    found = []
    if not table.unlisted_is_absent:
        found.append(
            "A label that is not stated is unknown here, not absent, so the shares "
            "count only images on which it is stated"
        )
    if table.cluster is not None:
        found.append(
            f"The images come from {len(np.unique(table.cluster)):,} clusters (such as "
            "scenes) and are not independent; intervals treat them as if they were, "
            "and are too narrow"
        )
    return found


def _group_part(table, present, rows, split, config):
    """Groups within the described split, or over all images if it has but one."""
    images, group = present.take(rows), table.group[rows]
    if len(np.unique(group)) < 2:
        images, group, split = present, table.group, None
    found = groups.group_by_label(
        images, group, table.group_names, table.vocabulary, config.top
    )
    return found if entries.MISSING in found else {"split": split} | found


def compared_split(table, split, config):
    """Returns the split to compare `split` with, or None where none suggests itself.

    Raises:
        errors.DataError: the one that was asked for is not there, or has no rows.
    """
    if config.to_split is not None:
        table.split_index(config.to_split)
        return config.to_split
    others = [name for name, images in table.split_counts().items()
              if images and name != split]  # fmt: skip
    if "tuning" in others:
        return "tuning"
    return others[0] if len(others) == 1 else None


def _shift_part(table, present, split, config):
    if split is None:
        return entries.missing("there is no split 'train' to compare with another")
    to = compared_split(table, split, config)
    if to is None:
        others = [name for name in table.split_names if name != split]
        hint = f"; --to_split can name {', '.join(others)}" if others else ""
        return entries.missing(f"there is no split 'tuning'{hint}")
    sides = []
    for name in (split, to):
        its = present.take(table.split == table.split_index(name))
        sides.append((name, its.counts(), len(its)))
    return shift.label_shift(*sides, table.vocabulary, config.top)


def _boxes(known, vocabulary):
    """What is known of boxes, with the names of their labels."""
    if not known:
        return entries.missing("the data have no boxes")
    position = vocabulary.index()
    names = {
        label: str(vocabulary.names[position[label]])
        for label in known.get("by_label", {})
        if label in position
    }
    return known | {"names": names}


def gather(table, config, notes=(), facts=None, progress=False):
    """Computes the figures.

    Args:
        table: `labels.LabelTable`.
        config: `config.ExplorationConfig`.
        notes: sentences of the source on what it left out.
        facts: what only the source knows: {"fusion", "confidence", "boxes"}, any.
        progress: whether to show bars where images are read.

    Returns:
        (figures, thumbnails): the dict above, and {row: `pictures.Picture`} of the
        images on the sheets.

    Raises:
        errors.DataError: a split that was asked for is not there or is empty.
    """
    facts = facts or {}
    split = described_split(table, config)
    rows = np.arange(len(table))
    if split is not None:
        rows = np.flatnonzero(table.split == table.split_index(split))
    present = table.labels.present()
    shown = present if len(rows) == len(table) else present.take(rows)
    counts = shown.counts()
    sample, chosen = light.choose(table, config), sheets.choose(table, rows, config)
    needed = np.union1d(sample, sheets.rows_of(chosen))
    read, faults = pictures.read(table, needed, _SIDE, progress)
    vocabulary = table.vocabulary
    found = {
        "title": config.title,
        "images": len(table),
        "splits": _splits(table, present),
        "groups": _groups(table, config.top),
        "groups_in_use": len(np.unique(table.group)),
        "notes": [str(note) for note in notes],
        "caveats": _caveats(table),
        "described": {"split": split, "images": len(rows)},
        "labels_per_image": frequency.labels_per_image(shown),
        "frequency": frequency.frequency(counts, vocabulary, len(rows), config.top),
        "long_tail": frequency.long_tail(counts, vocabulary),
        "source_split": facts.get("split"),
        "fusion": facts.get("fusion")
        or entries.missing("the data come from one source of labels"),
        "confidence": confidence.confidence(table.labels, facts.get("confidence")),
        "boxes": _boxes(facts.get("boxes"), vocabulary),
        "co_occurrence": co_occurrence.co_occurrence(shown, counts, vocabulary, config),
        "group_by_label": _group_part(table, present, rows, split, config),
        "shift": _shift_part(table, present, split, config),
        "pictures": light.images(table, sample, read, faults, config.top),
        "sheets": sheets.sheets(table, rows, chosen, read, faults),
    }
    shown_rows = sheets.rows_of(chosen).tolist()
    return found, {row: read[row] for row in shown_rows if row in read}
