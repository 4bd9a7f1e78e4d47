"""Which image files are there, found by listing folders, not by asking file by file.

Published tables name images that were never delivered, or that somebody did not
download. A source asked for `missing_images=drop` leaves such rows out here and says
how many; one asked to `keep` them leaves the files to `quality.scan`, which names each.
"""

import errno
import os

import numpy as np

from data_pipelines import errors

CHOICES = ("keep", "drop")
"""What `missing_images` may be."""

_ABSENT = (
    errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL,
)  # fmt: skip


def on_disk(locations):
    """Says of each location whether it is a file; a folder or a dead link is none.

    Every folder that occurs is listed once. Only symbolic links are followed by a call
    of their own.

    Args:
        locations: str [N], paths of files.

    Returns:
        bool [N].

    Raises:
        errors.DataError: a folder is there and cannot be listed.
    """
    paths = np.asarray(locations).tolist()
    wanted = set(paths)
    present = set()
    for prefix in {path[: path.rfind("/") + 1] for path in wanted}:
        present.update(_files(prefix, wanted))
    return np.fromiter(map(present.__contains__, paths), bool, len(paths))


def _files(prefix, wanted):
    """Yields the wanted paths that are files right below `prefix`."""
    if "\0" in prefix:
        return
    try:
        with os.scandir(prefix or ".") as entries:
            for entry in entries:
                path = prefix + entry.name
                if path in wanted and _is_file(entry):
                    yield path
    except OSError as error:
        if error.errno in _ABSENT:
            return
        raise errors.DataError(
            "the folder of the images cannot be listed",
            expected="a folder that may be read",
            received=error.strerror,
            file=prefix,
        ) from error


def _is_file(entry):
    # a link that leads nowhere is an absent file, not a folder that cannot be listed
    if entry.is_symlink():
        return os.path.isfile(entry.path)
    return entry.is_file()


def note(missing):
    """Returns the sentence that counts rows left out for want of their file.

    Args:
        missing: how many rows, an int.
    """
    return f"{missing:,} rows whose image file is absent were left out"


def drop_missing(table, notes):
    """Leaves out the rows whose file is absent, and counts them.

    Args:
        table: `labels.LabelTable` whose locations are paths of files.
        notes: list of sentences.

    Returns:
        (`labels.LabelTable`, list of sentences): the rows whose file is there, and the
        notes with one more where rows were left out. The arguments are not changed.

    Raises:
        errors.DataError: no file of the table is there.
    """
    present = on_disk(table.locations)
    if present.all():
        return table, list(notes)
    if not present.any():
        raise errors.DataError(
            "no image file of the data set is there",
            expected="images at the places that it names",
            received=f"{len(table):,} rows, such as {table.locations[0]}",
        )
    missing = int(len(present) - np.count_nonzero(present))
    return table.take(np.flatnonzero(present)), [*notes, note(missing)]
