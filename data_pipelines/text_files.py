"""Text files of others: what goes wrong on reading them, said as `DataError`."""

import contextlib
import csv

import numpy as np

from data_pipelines import errors

_ARROW_BLOCK_BYTES = 1 << 20
"""What Arrow gives a thread to parse, as it comes."""


@contextlib.contextmanager
def reading(path, row=lambda: None):
    """Says what goes wrong within the block, on opening, decoding and parsing a CSV.

    Args:
        path: of the file.
        row: () → the row that was being parsed.

    Raises:
        errors.DataError: no such file, a folder, not UTF-8, or no CSV.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise errors.DataError("there is no such file", file=path) from error
    except IsADirectoryError as error:
        raise errors.DataError("this is a folder, not a CSV file", file=path) from error
    except UnicodeDecodeError as error:
        raise errors.DataError(
            "the file is not UTF-8 text", received=str(error), file=path
        ) from error
    except csv.Error as error:
        raise errors.DataError(
            "the file is no CSV", received=str(error), file=path, row=row()
        ) from error


def refuse_ragged(rows, path):
    """Raises `errors.DataError` when a row is not as long as the first, the header."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    wrong = np.flatnonzero(lengths != lengths[0])
    if len(wrong):
        raise errors.DataError(
            "a row has another number of fields than the header",
            expected=f"{lengths[0]} fields",
            received=f"{lengths[wrong[0]]}",
            file=path,
            row=int(wrong[0]) + 1,
        )


def takes_threads(size):
    """Returns whether Arrow is to read a CSV of so many bytes on several threads.

    Small ones gain nothing by it, and a process that ends soon after Arrow has begun
    its threads may abort (arrow#34314).
    """
    return size > _ARROW_BLOCK_BYTES
