"""Label tables put together of parts, each of one split and one group."""

import dataclasses

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.open_images import image_ids


@dataclasses.dataclass(frozen=True)
class Part:
    """Images of one split and group.

    Args:
        split: its name.
        group: its name.
        ids: str [N].
        locations: str [N], paths.
        labels: `labels.SparseLabels` of N rows.
    """

    split: str
    group: str
    ids: np.ndarray
    locations: np.ndarray
    labels: labels.SparseLabels


def of_fused(fused, split, group, folder, unlabelled, notes):
    """Returns the `Part` of fused labels.

    Args:
        fused: `fused.Fused`.
        split: name of the split.
        group: name of the group.
        folder: of the images, `<folder>/<id>.jpg`.
        unlabelled: `drop` leaves out images without a label, `keep` does not.
        notes: list; gets a sentence when images were left out.
    """
    images, its_labels = fused.images, fused.labels
    if unlabelled == "drop":
        shown = np.zeros(len(images), bool)
        shown[its_labels.rows()[its_labels.confidence > 0]] = True
        if not shown.all():
            notes.append(
                f"{np.count_nonzero(~shown):,} images of {split} without a label were "
                "left out"
            )
            images, its_labels = images[shown], its_labels.take(shown)
    return Part(
        split,
        group,
        image_ids.text(images),
        image_ids.paths(images, folder),
        its_labels,
    )


def hold_out(part, fraction, seed):
    """Splits a `Part` of Open Images' ids in two: [the rest, split `validation`]."""
    if not fraction:
        return [part]
    digits = part.ids.astype("S16").view(np.uint8).reshape(-1, image_ids.DIGITS)
    out = image_ids.held_out(image_ids.parse(digits), fraction, seed)
    return [
        _taken(part, ~out),
        dataclasses.replace(_taken(part, out), split="validation"),
    ]


def _taken(part, rows):
    return dataclasses.replace(
        part,
        ids=part.ids[rows],
        locations=part.locations[rows],
        labels=part.labels.take(rows),
    )


def joined(parts, vocabulary, unlisted_is_absent):
    """Returns the `labels.LabelTable` of parts; splits and groups in order of parts.

    Args:
        parts: list of `Part`; empty ones are left out.
        vocabulary: `labels.Vocabulary` of all parts.
        unlisted_is_absent: as in `labels.LabelTable`.

    Raises:
        errors.DataError: no part has an image.
    """
    parts = [part for part in parts if len(part.ids)]
    if not parts:
        raise errors.DataError("no image is left to use")
    sizes = [len(part.ids) for part in parts]
    split_names = tuple(dict.fromkeys(part.split for part in parts))
    group_names = tuple(dict.fromkeys(part.group for part in parts))
    before = np.cumsum([0] + [len(part.labels.index) for part in parts])
    return labels.LabelTable(
        ids=np.concatenate([part.ids for part in parts]),
        locations=np.concatenate([part.locations for part in parts]),
        labels=labels.SparseLabels(
            np.concatenate(
                [np.zeros(1, np.int64)]
                + [
                    part.labels.offsets[1:] + first
                    for part, first in zip(parts, before, strict=False)
                ]
            ),
            np.concatenate([part.labels.index for part in parts]),
            np.concatenate([part.labels.confidence for part in parts]),
            len(vocabulary),
        ),
        vocabulary=vocabulary,
        group=np.repeat(
            np.array([group_names.index(part.group) for part in parts], np.int32), sizes
        ),
        group_names=group_names,
        split=np.repeat(
            np.array([split_names.index(part.split) for part in parts], np.int32), sizes
        ),
        split_names=split_names,
        unlisted_is_absent=unlisted_is_absent,
    )
