"""How many labels an image has, and how many images a label has."""

import numpy as np

from data_pipelines import errors
from inclusive_tf.evaluation import bands
from inclusive_tf.exploration import entries

COVERED = (0.5, 0.8, 0.95, 0.99)
"""Shares of all label assignments, for which the fewest labels are counted."""

_BARS = 60
_POINTS = 200


def labels_per_image(present):
    """Figures of the number of labels an image shows.

    Args:
        present: `labels.SparseLabels` of present labels only.

    Returns:
        {"images", "mean", "median", "min", "max", "none" (images without a label),
        "bars": [{"from", "to" (inclusive), "images"}]}; as wide as it takes for 60.

    Raises:
        errors.DataError: there is no image.
    """
    if not len(present):
        raise errors.DataError("there is no image to describe")
    numbers = np.diff(present.offsets)
    width = -(-(int(numbers.max()) + 1) // _BARS)
    counts = np.bincount(numbers // width)
    return {
        "images": len(present),
        "mean": float(numbers.mean()),
        "median": float(np.median(numbers)),
        "min": int(numbers.min()),
        "max": int(numbers.max()),
        "none": int(np.count_nonzero(numbers == 0)),
        "bars": [
            {"from": bar * width, "to": (bar + 1) * width - 1, "images": int(count)}
            for bar, count in enumerate(counts)
        ],
    }


def ranked(counts, vocabulary):
    """Returns int64 [C]: positions by falling count, equal ones by id."""
    return np.lexsort((np.array(vocabulary.ids), -np.asarray(counts)))


def frequency(counts, vocabulary, images, top):
    """The most and least common labels.

    Args:
        counts: int [C]; images that show each label.
        vocabulary: `labels.Vocabulary`.
        images: int; how many images there are.
        top: labels in either list, at most; the second takes none of the first.

    Returns:
        {"images", "labels" (C), "in_use" (shown by an image), "assignments" (sum of
        counts), "most", "least"}: lists, most frequent first, of {"id", "name",
        "images", "share"}, of labels that some image shows.
    """
    order = ranked(counts, vocabulary)
    seen = order[counts[order] > 0]

    def rows(positions):
        return [
            entries.label(vocabulary, position)
            | {
                "images": int(counts[position]),
                "share": entries.share(counts[position], images),
            }
            for position in positions
        ]

    return {
        "images": images,
        "labels": len(vocabulary),
        "in_use": len(seen),
        "assignments": int(np.sum(counts)),
        "most": rows(seen[:top]),
        "least": rows(seen[top:][-top:]),
    }


def _curve(cumulative):
    """At most `_POINTS` ranks, then evenly spaced by ratio, and what they hold."""
    ranks = np.arange(1, len(cumulative) + 1)
    if len(ranks) > _POINTS:
        ranks = np.geomspace(1, len(cumulative), _POINTS)
        ranks = np.unique(np.round(ranks).astype(np.int64))
    return {"labels": ranks.tolist(), "share": cumulative[ranks - 1].tolist()}


def long_tail(counts, vocabulary):
    """How few labels hold how much of all label assignments.

    Args:
        counts: int [C]; images that show each label.
        vocabulary: `labels.Vocabulary`.

    Returns:
        {"assignments", "in_use", "cover": [{"share", "labels", "held"}] (the fewest
        labels that hold at least this share, and what they hold), "bands": [{"band",
        "labels", "assignments", "share", "fewest", "most"}] (thirds by rank,
        `evaluation.bands`; images of a label), "curve": {"labels", "share"}} or
        {"missing"}.
    """
    counts = np.asarray(counts, np.int64)
    total = int(counts.sum())
    if not total:
        return entries.missing("no image shows a label")
    falling = np.sort(counts[counts > 0])[::-1]
    held = np.cumsum(falling) / total
    fewest = np.searchsorted(held, COVERED)
    found = []
    for band in bands.bands(counts, vocabulary):
        its = counts[band.labels]
        found.append(
            {
                "band": band.name,
                "labels": len(its),
                "assignments": int(its.sum()),
                "share": float(its.sum() / total),
                "fewest": int(its.min()) if len(its) else None,
                "most": int(its.max()) if len(its) else None,
            }
        )
    return {
        "assignments": total,
        "in_use": len(falling),
        "cover": [
            {"share": share, "labels": int(last) + 1, "held": float(held[last])}
            for share, last in zip(COVERED, fewest, strict=True)
        ],
        "bands": found,
        "curve": _curve(held),
    }
