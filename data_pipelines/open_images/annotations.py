"""Human, machine and box rows brought together: one entry an image and label.

An entry holds what each source says of it, so a fusion rule is a few lines of NumPy.
Everything is flat: 4 bytes an entry and source, and no object an image.
"""

import dataclasses

import numpy as np

from data_pipelines import errors
from data_pipelines.open_images import boxes as box_areas
from data_pipelines.open_images import csv_files, kinds

SOURCES = ("human", "machine", "box")
CORNERS = ("XMin", "XMax", "YMin", "YMax")
"""Columns of a box in the order of the files, which is not x, y, x, y."""

_LABELS = {
    "ImageID": kinds.IMAGE_ID,
    "LabelName": kinds.LABEL,
    "Confidence": kinds.SHARE,
}
BOX_KINDS = _LABELS | dict.fromkeys(CORNERS, kinds.SHARE)
ORDERED = (CORNERS[:2], CORNERS[2:])


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of one file.

    Args:
        path: the file.
        images: `kinds.Runs` of all rows.
        codes: `kinds.Codes` of all rows.
        confidence: float32 [rows] in [0, 1].
        boxes: float32 [4, rows], XMin, XMax, YMin, YMax as shares; None without boxes.
    """

    path: str
    images: kinds.Runs
    codes: kinds.Codes
    confidence: np.ndarray
    boxes: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Stated:
    """What one source says, each image and label once.

    Args:
        key: int64 [pairs], increasing; image times classes plus label.
        confidence: float32 [pairs]; the highest of rows that say the same.
        area: float64 [pairs], of the boxes; None without boxes.
        rows: rows of the file.
        outside: rows of labels that the vocabulary lacks.
        repeated: rows that repeat an earlier one.
        first_repeat: the first such, counted from 0 among all rows, or None.
        path: the file.
    """

    key: np.ndarray
    confidence: np.ndarray
    area: np.ndarray | None
    rows: int
    outside: int
    repeated: int
    first_repeat: int | None
    path: str


@dataclasses.dataclass(frozen=True)
class Annotations:
    """All entries, by image and label.

    Args:
        images: uint64 [N], increasing; every image of any file.
        offsets: int64 [N + 1]; image i owns entries offsets[i] to offsets[i + 1].
        label: int32 [P], increasing within an image.
        confidence: {source: float32 [P]}, NaN where the source says nothing.
        area: float32 [P], of the boxes and 0 where there is none; None without boxes.
        num_classes: size of the vocabulary.
        stated: {source: `Stated`} without its arrays.
    """

    images: np.ndarray
    offsets: np.ndarray
    label: np.ndarray
    confidence: dict
    area: np.ndarray | None
    num_classes: int
    stated: dict

    def blocks(self, images=1 << 16):
        """Yields slices of images and of their entries, so that work fits a cache."""
        for first in range(0, len(self.images), images):
            last = min(first + images, len(self.images))
            yield slice(first, last), slice(self.offsets[first], self.offsets[last])


def read_labels(path):
    """Returns `Rows` of a file of image-level labels; raises as `csv_files.read`."""
    found = csv_files.read(path, _LABELS)
    return Rows(str(path), found["ImageID"], found["LabelName"], found["Confidence"])


def read_boxes(path):
    """Returns `Rows` of a file of boxes; raises as `csv_files.read`."""
    found = csv_files.read(path, BOX_KINDS, ORDERED)
    corners = np.stack([found.pop(name) for name in CORNERS])
    return Rows(
        str(path),
        found["ImageID"],
        found["LabelName"],
        found["Confidence"],
        corners,
    )


def gather(rows, vocabulary, unite=False):
    """Brings the rows of several sources together.

    Args:
        rows: {source: `Rows`}, at least one; emptied on the way to save memory.
        vocabulary: `labels.Vocabulary`; rows of other labels are counted and left out.
        unite: whether the area of an entry's boxes is that of their union, not the sum.

    Returns:
        `Annotations`.

    Raises:
        errors.DataError: no row has a label of the vocabulary.
    """
    images = distinct([found.images.ids for found in rows.values()])
    paths = [found.path for found in rows.values()]
    stated = {
        source: _state(rows.pop(source), images, vocabulary, unite)
        for source in SOURCES
        if source in rows
    }
    keys, places = _union([said.key for said in stated.values()])
    if not len(keys):
        raise errors.DataError(
            "no row has a label that is asked for",
            expected=f"some of {len(vocabulary)} labels",
            file=", ".join(paths),
        )
    confidence, area = {}, None
    for (source, said), place in zip(stated.items(), places, strict=True):
        confidence[source] = _spread(said.confidence, place, len(keys), np.nan)
        if said.area is not None:
            area = _spread(said.area, place, len(keys), 0.0)
    nothing = np.zeros(0, np.int64)
    return Annotations(
        images=images,
        offsets=np.searchsorted(keys, np.arange(len(images) + 1) * len(vocabulary)),
        label=(keys % len(vocabulary)).astype(np.int32),
        confidence=confidence,
        area=area,
        num_classes=len(vocabulary),
        stated={
            source: dataclasses.replace(
                said, key=nothing, confidence=nothing, area=None
            )
            for source, said in stated.items()
        },
    )


def distinct(ids):
    """Returns uint64 [N], increasing: the distinct values of several arrays."""
    merged = np.concatenate([_increasing(part) for part in ids])
    # merging a few increasing runs takes linear time
    merged.sort(kind="stable")
    return merged[_is_first(merged)]


def _increasing(ids):
    if (ids[1:] > ids[:-1]).all():
        return ids
    return np.unique(ids)


def _is_first(ordered):
    """bool [N]: values that differ from the one before."""
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def _state(rows, images, vocabulary, unite):
    """`Stated` of one source's rows."""
    position = vocabulary.index()
    to_class = np.array([position.get(code, -1) for code in rows.codes.texts], np.int64)
    key = np.repeat(
        np.searchsorted(images, rows.images.ids) * len(vocabulary),
        np.diff(rows.images.starts),
    )
    label = to_class[rows.codes.index]
    key += label
    kept = np.flatnonzero(label >= 0)
    key, order = _sorted(key[kept], len(images) * len(vocabulary))
    # each row's place in the file
    order = kept[order]
    repeats = order[1:][key[1:] == key[:-1]]
    boxes = None
    if rows.boxes is not None:
        boxes = rows.boxes[:, order]
        again = box_areas.repeated(key, boxes)
        repeats = order[again]
        if len(repeats):
            key, order, boxes = key[~again], order[~again], boxes[:, ~again]
    starts = np.flatnonzero(_is_first(key))
    measure = box_areas.united if unite else box_areas.summed
    return Stated(
        key=key[starts],
        confidence=_highest(rows.confidence[order], starts),
        area=None if boxes is None else measure(boxes, starts).astype(np.float32),
        rows=len(label),
        outside=len(label) - len(kept),
        repeated=len(repeats),
        first_repeat=int(repeats.min()) if len(repeats) else None,
        path=rows.path,
    )


def _highest(confidence, starts):
    if len(starts) == len(confidence):
        return confidence
    return np.maximum.reduceat(confidence, starts)


def _sorted(key, limit):
    """Returns (key in order, its order), rows of one key as they came."""
    row_bits = max(1, len(key)).bit_length()
    if limit.bit_length() + row_bits > 63:
        order = np.argsort(key, kind="stable")
        return key[order], order
    # one sort of single words takes a fraction of the time of an argsort
    packed = key << row_bits
    packed |= np.arange(len(key))
    packed.sort()
    return packed >> row_bits, packed & ((1 << row_bits) - 1)


def _union(keys):
    """Returns (union of increasing arrays, the place of each one's values in it)."""
    bits = len(keys).bit_length()
    merged = np.concatenate([(part << bits) | turn for turn, part in enumerate(keys)])
    merged.sort(kind="stable")
    turns = (merged & ((1 << bits) - 1)).astype(np.uint8)
    merged >>= bits
    first = _is_first(merged)
    place = np.cumsum(first, dtype=np.int32)
    place -= 1
    return merged[first], [place[turns == turn] for turn in range(len(keys))]


def _spread(values, places, size, fill):
    spread = np.full(size, fill, np.float32)
    spread[places] = values
    return spread
