"""Which images stand twice: within a split, and across splits, where it is a leak."""

import numpy as np

from data_pipelines import exclusion

_SAME_PIXELS = "exact_duplicate"
_SAME_LOOK = "near_duplicate"


def rows(table, examples, pixels, look, kinds):
    """Names the images that repeat another.

    Images of the same pixels, or of the same perceptual hash, form a set. Within a
    split the first image of a set stays and the others are listed. Where a set has
    images in several splits, those of the split that comes first are listed as leaks,
    `train` before all others and the rest in the table's order: what is listed can be
    left out of training, and what is evaluated stays whole.

    Args:
        table: `labels.LabelTable`.
        examples: int64 [M], the rows of the table that were compared.
        pixels: str [M]; equal where all pixels are equal.
        look: str [M]; equal where images look alike, empty where that says nothing.
        kinds: those of `exact_duplicate`, `near_duplicate` and `leak` to look for.

    Returns:
        list of (`exclusion.Row`, id of the image that stays). The score is 0 for equal
        pixels and 0.5 for equal hashes; the detail names the other image and its split,
        and the labels of both where they differ.
    """
    order = sorted(
        range(len(table.split_names)), key=lambda s: table.split_names[s] != "train"
    )
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    by_split = rank[table.split[examples]]
    exact_of, exact_leaks = _repeats(pixels, by_split)
    near_of, near_leaks = _repeats(look, by_split)
    near_of[(exact_of >= 0) | (look == "")] = -1
    near_leaks[(exact_leaks >= 0) | (look == "")] = -1
    found = []
    for kind, first, score, what in (
        (_SAME_PIXELS, exact_of, 0.0, "same pixels as"),
        (_SAME_LOOK, near_of, 0.5, "looks like"),
        ("leak", exact_leaks, 0.0, "same pixels as"),
        ("leak", near_leaks, 0.5, "looks like"),
    ):
        if kind not in kinds:
            continue
        for place in np.flatnonzero(first >= 0).tolist():
            example, other = int(examples[place]), int(examples[first[place]])
            detail = f"{what} {_said(table, example, other)}"
            row = exclusion.Row(str(table.ids[example]), kind, score, detail)
            found.append((row, str(table.ids[other])))
    return found


def _repeats(keys, by_split):
    """Finds images of one key.

    Args:
        keys: str [M].
        by_split: int64 [M], the rank of each image's split.

    Returns:
        (int64 [M]: the first image of the same key and split, -1 for that one itself;
        int64 [M]: the first image of the same key in a later split, -1 for none).
    """
    count = len(keys)
    same, other = np.full(count, -1), np.full(count, -1)
    if not count:
        return same, other
    code = np.unique(keys, return_inverse=True)[1]
    order = np.lexsort((np.arange(count), by_split, code))
    new_key = np.append(True, code[order][1:] != code[order][:-1])
    new_part = new_key | np.append(True, by_split[order][1:] != by_split[order][:-1])
    starts = np.flatnonzero(new_part)
    part = np.cumsum(new_part) - 1
    first = order[starts[part]]
    repeated = ~new_part
    same[order[repeated]] = first[repeated]
    # the part after this one, if it has the same key, is that of a later split
    later = np.append(starts[1:], count)[part]
    inside = np.flatnonzero(later < count)
    inside = inside[~new_key[later[inside]]]
    other[order[inside]] = order[later[inside]]
    return same, other


def _said(table, example, other):
    split = table.split_names[table.split[other]]
    text = f"{table.ids[other]} of split {split}"
    mine, its = (
        set(table.labels.take([row]).present().index.tolist())
        for row in (example, other)
    )
    if mine == its:
        return text
    names = [
        "|".join(table.vocabulary.names[place] for place in sorted(shown)) or "none"
        for shown in (mine, its)
    ]
    return f"{text}; labels differ: {names[0]} and {names[1]}"
