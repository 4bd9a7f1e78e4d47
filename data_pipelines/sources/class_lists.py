"""List files of a folder of classes, such as MIT Indoor 67's `TrainImages.txt`.

A line is the path of an image below the root, `kitchen/int474.jpg`; there is no header.
"""

import os
import pathlib

import numpy as np
import pandas as pd

from data_pipelines import errors, strict_csv
from data_pipelines.sources import presence


def parse(text):
    """Parses `split:FILE` into (split, file).

    Raises:
        errors.SettingError: the text is of another form.
    """
    split, colon, file = text.partition(":")
    if not (split and colon and file):
        raise errors.SettingError(
            f"A list file cannot be read. Expected: split:FILE. Received: {text}."
        )
    return split, file


def read(list_files, folder, root, missing_images):
    """Reads list files.

    Args:
        list_files: tuple of `split:FILE`; a FILE is looked for in `folder`.
        folder: of the list files.
        root: folder of the classes.
        missing_images: `keep` to refuse entries that are no file, `drop` to leave them
            out and count them.

    Returns:
        (list of str, the entries in order; str [N], their splits; list of (file, row),
        where each stands; list of sentences).

    Raises:
        errors.DataError: an unreadable or empty list, or an entry that is no
            CLASS/FILE, climbs out, is not on disk or stands twice, with file and row.
    """
    entries, splits, places = [], [], []
    for text in list_files:
        split, file = parse(text)
        path = pathlib.Path(folder) / file
        for row, line in enumerate(_lines(path), start=1):
            _check(line, path, row)
            entries.append(line)
            splits.append(split)
            places.append((path, row))
    _refuse_repeated(entries, places)
    present = presence.on_disk([f"{root}/{entry}" for entry in entries])
    notes = []
    if not present.all():
        first = int(np.argmin(present))
        if missing_images != "drop":
            path, row = places[first]
            raise errors.DataError(
                f"{int(np.count_nonzero(~present)):,} listed image(s) are not there",
                expected=f"files below {root}, or --missing_images=drop",
                received=strict_csv.printable_name(entries[first]),
                file=path,
                row=row,
            )
        notes.append(presence.note(int(np.count_nonzero(~present))))
        kept = np.flatnonzero(present).tolist()
        entries = [entries[row] for row in kept]
        splits = [splits[row] for row in kept]
        places = [places[row] for row in kept]
    return entries, np.array(splits, dtype=str), places, notes


def _lines(path):
    try:
        text = os.fsdecode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except FileNotFoundError as error:
        raise errors.DataError("there is no such file", file=path) from error
    except IsADirectoryError as error:
        raise errors.DataError("this is a folder, not a list", file=path) from error
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise errors.DataError(
            "the list is empty", expected="a line CLASS/FILE an image", file=path
        )
    return lines


def _check(line, path, row):
    parts = line.split("/")
    if line.startswith("/") or ".." in parts or "\0" in line:
        problem = "a path leaves the image folder"
    elif len(parts) < 2:
        problem = "a line names no class and file (a list has no header)"
    elif "" in parts or "." in parts:
        problem = "a path has an empty part"
    else:
        return
    raise errors.DataError(
        problem, expected="CLASS/FILE", file=path, row=row,
        received=strict_csv.printable_name(line) or "an empty line",
    )  # fmt: skip


def _refuse_repeated(entries, places):
    repeated = pd.Series(entries, dtype=object).duplicated().to_numpy()
    if repeated.any():
        again = int(np.argmax(repeated))
        first_path, first_row = places[entries.index(entries[again])]
        path, row = places[again]
        raise errors.DataError(
            f"an image stands twice (first in {first_path}, row {first_row})",
            expected="one line an image over all lists",
            received=strict_csv.printable_name(entries[again]),
            file=path,
            row=row,
        )
