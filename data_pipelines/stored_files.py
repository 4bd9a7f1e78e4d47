"""JSON and arrays of folders of ours, read as if a stranger had written them."""

import contextlib
import json
import pathlib
import tokenize
import warnings
import zipfile
import zlib

import numpy as np

from data_pipelines import atomic, errors

_WRONG = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    # what Arrow does not read
    NotImplementedError,
    # JSON nested deep, and an array that says it is huge
    RecursionError, MemoryError,
    # NumPy parses headers with Python's own tokeniser
    EOFError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextlib.contextmanager
def reading(path, problem, expected):
    """Says what is wrong with a folder or file when its content is of another form.

    Args:
        path: of it.
        problem: what to say is wrong, such as "not a predictions folder".
        expected: what would have been right.

    Raises:
        errors.DataError: whatever stumbled within over what was read.
    """
    try:
        yield
    except errors.DataError:
        raise
    except _WRONG as error:
        raise errors.DataError(
            problem,
            expected=expected,
            received=f"{type(error).__name__}: {error}",
            file=path,
        ) from error


def require(right, problem, expected, received, file):
    """Raises `errors.DataError` of these unless what was read is right."""
    if not right:
        raise errors.DataError(problem, expected=expected, received=received, file=file)


def read_json(path):
    """Returns what a JSON file holds; to be called within `reading`."""
    return json.loads(pathlib.Path(path).read_text("utf-8"))


def read_array(path, sha256=None):
    """Returns an array of a `.npy` file; to be called within `reading`.

    It is memory-mapped and read-only: a header that claims more than the file holds
    takes no memory. Objects (pickles) are refused unread.

    Args:
        path: of the file.
        sha256: its sum as hex; None checks none.

    Raises:
        errors.DataError: the file does not match its sum.
    """
    if sha256 is not None and atomic.sha256(path) != sha256:
        raise errors.DataError("the file does not match its sum", file=path)
    with warnings.catch_warnings():
        # a header that NumPy has to mend is none that it wrote
        warnings.simplefilter("error", UserWarning)
        try:
            return np.lib.format.open_memmap(path, "r")
        except UserWarning as warning:
            raise ValueError(str(warning)) from warning


def read_archive(path):
    """Returns {name: array} of an `.npz` file; to be called within `reading`."""
    # np.load itself leaves a file open that only begins like an archive
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
