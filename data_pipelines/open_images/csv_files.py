"""Annotation CSVs, read a column at a time by Arrow, and checked.

Arrow's conversions and checks of whole columns notice that something is wrong. Only
then is the file read once more, row by row, to say what is wrong and where.
"""

import csv
import os

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from data_pipelines import errors, text_files

_BLOCK_BYTES = 1 << 23


def header(path):
    """Returns the names of the first row, as they stand there.

    Raises:
        errors.DataError: there is no such file, or it is empty or no UTF-8 text.
    """
    with text_files.reading(path, lambda: 1), _open(path) as file:
        names = next(csv.reader(file), None)
    if names is None:
        raise errors.DataError(
            "the file is empty", expected="a header and rows", file=path
        )
    for name in names:
        if not _is_text(name):
            raise errors.DataError(
                "the file is not UTF-8 text", received=ascii(name), file=path, row=1
            )
    return names


def _open(path):
    """Opens a file whose faulty bytes show only where they are looked at."""
    return open(path, newline="", encoding="utf-8-sig", errors="surrogateescape")


def _is_text(field):
    return not any("\udc80" <= letter <= "\udcff" for letter in field)


def read(path, kinds, ordered=()):
    """Reads and checks columns of a CSV file with a header.

    A byte order mark, CRLF line ends, quoted fields and empty lines do no harm; no text
    is taken for a missing value.

    Args:
        path: of a UTF-8 file.
        kinds: {column: `kinds.Kind`}; other columns are not converted.
        ordered: pairs of columns of kind SHARE of which the first is never larger.

    Returns:
        {column: what its kind's `take` gives}.

    Raises:
        errors.DataError: whatever is wrong, with file and row.
    """
    stands_as = _columns(path, kinds)
    try:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(
                use_threads=text_files.takes_threads(os.path.getsize(path)),
                block_size=_BLOCK_BYTES,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(stands_as.values()),
                column_types={
                    stands_as[name]: kind.arrow_type for name, kind in kinds.items()
                },
                null_values=[],
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise explain(path, kinds, ordered, error) from error
    if not table.num_rows:
        raise errors.DataError("the file has a header but no rows", file=path)
    found = {}
    try:
        for name, kind in kinds.items():
            found[name] = kind.take(table.column(stands_as[name]))
            # the largest file's columns would otherwise be held twice
            table = table.drop_columns([stands_as[name]])
        for low, high in ordered:
            if (found[low] > found[high]).any():
                raise ValueError
    except ValueError as error:
        raise explain(path, kinds, ordered, "a value out of bounds") from error
    return found


def _columns(path, kinds):
    """{column: its name as it stands in the header, which may have spaces around}."""
    names = header(path)
    stands_as = {name.strip(): name for name in names}
    if len(stands_as) < len(names):
        raise errors.DataError(
            "two columns have the same name", received=",".join(names), file=path, row=1
        )
    absent = [name for name in kinds if name not in stands_as]
    if len(absent) == len(kinds):
        raise errors.DataError(
            "there is no header",
            expected=f"a first row that names {', '.join(kinds)}",
            received=",".join(names),
            file=path,
            row=1,
        )
    if absent:
        raise errors.DataError(
            f"there is no column '{absent[0]}'",
            expected=f"columns {', '.join(kinds)}",
            received=",".join(names),
            file=path,
            row=1,
        )
    return {name: stands_as[name] for name in kinds}


def explain(path, kinds, ordered, noticed):
    """Returns the `errors.DataError` of the first faulty row of a file.

    Args:
        path: of the file.
        kinds: as `read`.
        ordered: as `read`.
        noticed: what made the caller ask; said when no single row is at fault.
    """
    with _open(path) as file:
        reader = csv.reader(file)
        names = [name.strip() for name in next(reader)]
        places = {name: names.index(name) for name in kinds}
        row = reader.line_num + 1
        try:
            for fields in reader:
                fault = fields and _fault(fields, len(names), places, kinds, ordered)
                if fault:
                    problem, expected, received = fault
                    return errors.DataError(
                        problem,
                        expected=expected,
                        received=received,
                        file=path,
                        row=row,
                    )
                row = reader.line_num + 1
        except csv.Error as error:
            return errors.DataError(
                "the file is no CSV", received=str(error), file=path, row=row
            )
    return errors.DataError("the file cannot be read", received=str(noticed), file=path)


def _fault(fields, count, places, kinds, ordered):
    """(problem, expected, received) of one row, or None."""
    if len(fields) != count:
        return (
            "a row has another number of fields than the header",
            f"{count} fields",
            f"{len(fields)}: {','.join(fields)}",
        )
    for name, kind in kinds.items():
        field = fields[places[name]]
        if not _is_text(field):
            return f"{name} is not UTF-8 text", kind.expected, ascii(field)
        if not kind.is_valid(field):
            return f"{name} cannot be used", kind.expected, repr(field)
    for low, high in ordered:
        given = fields[places[low]], fields[places[high]]
        if np.float32(given[0]) > np.float32(given[1]):
            return f"{low} is larger than {high}", f"{low} ≤ {high}", ", ".join(given)
    return None


def file_row(path, index):
    """Returns the row of the file, counted from 1, of the data row `index` from 0.

    Empty lines count here, where a person looks for a row, and nowhere else.
    """
    with open(path, "rb") as file:
        next(file)
        left = index
        for number, line in enumerate(file, start=2):
            if line.strip(b"\r\n"):
                if not left:
                    return number
                left -= 1
    raise IndexError(index)
