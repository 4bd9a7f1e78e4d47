"""Folders gone through so that nothing in them is lost unsaid."""

import os

from data_pipelines import errors, strict_csv

_NAMED = 5


def refuse_unlisted(error):
    """Raises for a folder that cannot be listed: its images would be lost unsaid.

    Args:
        error: OSError of `os.walk` or `os.scandir`.

    Raises:
        errors.DataError: always.
    """
    raise errors.DataError(
        "a folder cannot be listed",
        expected="a folder that may be read",
        received=error.strerror,
        file=strict_csv.printable_name(os.fspath(error.filename)),
    ) from error


def links(root, parent, folders):
    """Returns which folders in `parent` are links, as paths from `root`.

    Args:
        root: path that the walk began at.
        parent: path below it.
        folders: names of folders in `parent`.
    """
    below = os.path.relpath(parent, root)
    return [
        os.path.normpath(os.path.join(below, name))
        for name in folders
        if os.path.islink(os.path.join(parent, name))
    ]


def some(names):
    """Returns the first few of some names of files, as text."""
    shown = ", ".join(strict_csv.printable_name(name) for name in names[:_NAMED])
    return shown + (", ..." if len(names) > _NAMED else "")


def notes(said):
    """Returns a sentence for each (names, what of them) that has names."""
    return [f"{len(names):,} {text}: {some(names)}" for names, text in said if names]
