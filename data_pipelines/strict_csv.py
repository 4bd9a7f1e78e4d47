"""CSV files with a fixed header, read without guessing and refused with their row."""

import csv
import io

import numpy as np

from data_pipelines import errors, text_files

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def read(path, header):
    """Reads every row as strings ("NA" is a name like any other).

    Args:
        path: a UTF-8 CSV, with or without a byte order mark.
        header: the names of its columns, in order.

    Returns:
        list of lists of str, a row each, without the header; the first is row 2 of the
        file. A file that holds the header only has no rows.

    Raises:
        errors.DataError: no such file, not UTF-8, not CSV, empty, other columns, a row
            of another length, or a last line without an end: whoever wrote it may have
            been cut off within a name.
    """
    with (
        text_files.reading(path),
        open(path, newline="", encoding="utf-8-sig") as file,
    ):
        text = file.read()
    if not text.strip():
        raise errors.DataError(
            "the file is empty", expected=f"the header {','.join(header)}", file=path
        )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    with text_files.reading(path, lambda: reader.line_num):
        rows = list(reader)
    if not text.endswith("\n"):
        raise errors.DataError(
            "the last line has no end, as if writing it was cut off",
            expected="a line end after each row; add it if the row is whole",
            received=",".join(rows[-1]),
            file=path,
            row=len(rows),
        )
    _check(rows, header, path)
    return rows[1:]


def _check(rows, header, path):
    if tuple(rows[0]) != tuple(header):
        raise errors.DataError(
            "the columns are others",
            expected=",".join(header),
            received=",".join(rows[0]),
            file=path,
            row=1,
        )
    text_files.refuse_ragged(rows, path)


def for_people(text):
    """Returns a field that a spreadsheet shows as it is, and never calculates.

    For files that people open and nothing reads back: what a spreadsheet would take for
    a formula gets a quote before it (OWASP, CSV injection).
    """
    return f"'{text}" if text.startswith(_FORMULAS) else text


def text(header, rows):
    """Returns a header and rows, quoted where needed, for `read` to read back."""
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    # the module does not quote a lone carriage return, at which readers end a row
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (header, *rows):
        returns = any(isinstance(field, str) and "\r" in field for field in row)
        (quoted if returns else plain).writerow(row)
    return buffer.getvalue()


def printable_name(name):
    """Returns a name as UTF-8 can hold it; see `printable`."""
    return name.encode("utf-8", "backslashreplace").decode()


def printable(values):
    r"""Returns str [N] that UTF-8 can hold: a byte that is no text becomes `\udcff`.

    Args:
        values: str [N], such as ids that are names of files.
    """
    values = np.asarray(values, dtype=str)
    points = np.ascontiguousarray(values).view(np.uint32)
    if not ((points >= 0xD800) & (points <= 0xDFFF)).any():
        return values
    return np.array([printable_name(value) for value in values])
