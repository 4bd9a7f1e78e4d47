"""Boxes that say where images show their labels, from CSV files with a row a box.

The columns are those of Open Images' and the challenge's files of boxes, or others by
name; corners are shares of the sides of the upright image.
"""

import dataclasses

import numpy as np

from data_pipelines import errors
from data_pipelines.open_images import csv_files, kinds

COLUMNS = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
"""Columns of an image, a label, and the corners, in the order of Open Images."""


@dataclasses.dataclass(frozen=True)
class BoxConfig:
    """Where boxes stand.

    Args:
        files: paths of CSV files; empty: no box is known.
        columns: names of the six columns that `COLUMNS` names, in its order.

    Raises:
        errors.SettingError: not six different columns.
    """

    files: tuple = ()
    columns: tuple = COLUMNS

    def __post_init__(self):
        if len(set(self.columns)) != len(COLUMNS) or len(self.columns) != len(COLUMNS):
            raise errors.SettingError(
                "Boxes cannot be read from these columns. Expected: six different "
                f"ones, for {', '.join(COLUMNS)}. Received: {', '.join(self.columns)}."
            )


@dataclasses.dataclass(frozen=True)
class Boxes:
    """Boxes of the images of a label table.

    Args:
        row: int64 [B], the image's row in the table, increasing.
        label: int64 [B], the label's place in the vocabulary.
        corners: float32 [B, 4]; top, left, bottom, right as shares of the sides.
    """

    row: np.ndarray
    label: np.ndarray
    corners: np.ndarray


def read(config, table):
    """Reads the boxes of the images of a table.

    Args:
        config: `BoxConfig`.
        table: `labels.LabelTable`.

    Returns:
        (`Boxes`, sentences that count boxes of other images and of other labels, which
        are left out).

    Raises:
        errors.DataError: whatever is wrong with a file, with its row; or no box is of
            an image and a label of the table.
    """
    parts, notes = [], []
    for path in config.files:
        part, read_rows, of_image = _read_one(path, config.columns, table)
        parts.append(part)
        if len(part.row) < read_rows:
            notes.append(
                f"{path}: of {read_rows:,} boxes {read_rows - of_image:,} are of other "
                f"images and {of_image - len(part.row):,} of other labels"
            )
    if config.files and not any(len(part.row) for part in parts):
        raise errors.DataError(
            "no box is of an image and a label that are looked at",
            expected=f"images such as {table.ids[0]}, labels such as "
            f"{table.vocabulary.ids[0]}",
            file=", ".join(config.files),
        )
    row, label = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(one, name) for one in parts)])
        for name in ("row", "label")
    )
    corners = np.concatenate(
        [np.zeros((0, 4), np.float32), *(one.corners for one in parts)]
    )
    order = np.argsort(row, kind="stable")
    return Boxes(row[order], label[order], corners[order]), notes


def _read_one(path, columns, table):
    """Returns (`Boxes` of one file, its rows, those of an image of the table)."""
    image, label, *corners = columns
    found = csv_files.read(
        path,
        {image: kinds.TEXT, label: kinds.TEXT} | dict.fromkeys(corners, kinds.SHARE),
        (tuple(corners[:2]), tuple(corners[2:])),
    )
    rows = _places(
        found[image], {name: row for row, name in enumerate(table.ids.tolist())}
    )
    labels = _places(found[label], table.vocabulary.index())
    kept = (rows >= 0) & (labels >= 0)
    left, right, top, bottom = (found[name][kept] for name in corners)
    return (
        Boxes(rows[kept], labels[kept], np.stack([top, left, bottom, right], axis=1)),
        len(rows),
        int(np.count_nonzero(rows >= 0)),
    )


def _places(codes, position):
    """Returns int64 [rows]: the place of each row's text; -1 where it has none."""
    place = np.array([position.get(text, -1) for text in codes.texts], np.int64)
    return place[codes.index]
