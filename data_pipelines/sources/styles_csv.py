"""`styles.csv` of Fashion Product Images, whose product names may hold bare commas."""

import csv
import re

import numpy as np
import pyarrow as pa

from data_pipelines import errors, text_files
from data_pipelines.sources import sheets

COLUMNS = ("id", "gender", "masterCategory", "subCategory", "articleType",
           "baseColour", "season", "year", "usage", "productDisplayName")  # fmt: skip
"""The header; the name comes last, so what a bare comma cut apart can be rejoined."""

_ID = re.compile(r"[0-9]+", re.ASCII)


def read(path, malformed):
    """Reads the file.

    Args:
        path: of `styles.csv`.
        malformed: `read` rows with bare commas in the name, or `skip` them.

    Returns:
        ({column: object [N] of str}, int [N] their rows in the file, list of sentences
        that count the rows with bare commas).

    Raises:
        errors.DataError: whatever is wrong, with file and row.
    """
    rows, numbers, longer, reader = [], [], 0, None
    with (
        text_files.reading(path, lambda: reader.line_num),
        open(path, newline="", encoding="utf-8-sig") as file,
    ):
        reader = csv.reader(file, strict=True)
        header = next(reader, None)
        _check_header(header, path)
        for number, row in enumerate(reader, start=2):
            if len(row) > len(COLUMNS):
                longer += 1
                if malformed == "skip":
                    continue
                row = [*row[: len(COLUMNS) - 1], ",".join(row[len(COLUMNS) - 1 :])]
            _check_row(row, number, path)
            rows.append(row)
            numbers.append(number)
    if not rows:
        raise errors.DataError("the table has a header but no rows", file=path)
    done = "were left out" if malformed == "skip" else "had them put back into the name"
    notes = [f"{longer:,} rows with bare commas in {COLUMNS[-1]} {done}"]
    fields = {
        name: np.array(values, object)
        for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)
    }
    _refuse_repeated(fields["id"], numbers, path)
    return fields, np.array(numbers), notes if longer else []


def _check_header(header, path):
    if header != list(COLUMNS):
        raise errors.DataError(
            "this is not the header of styles.csv",
            expected=",".join(COLUMNS),
            received="an empty file" if header is None else ",".join(header),
            file=path,
            row=1,
        )


def _check_row(row, number, path):
    if len(row) < len(COLUMNS):
        raise errors.DataError(
            "a row has fewer fields than the header",
            expected=f"{len(COLUMNS)} fields",
            received=f"{len(row)}",
            file=path,
            row=number,
        )
    if not _ID.fullmatch(row[0]):
        raise errors.DataError(
            "an id is no number", expected="digits only", received=row[0], file=path,
            row=number,
        )  # fmt: skip
    if not row[COLUMNS.index("articleType")].strip():
        raise errors.DataError("the article type is empty", file=path, row=number)


def even_years(years, numbers, path):
    """Says which years are even; a missing one is not.

    Args:
        years: object [N] of str.
        numbers: int [N], rows of the file.
        path: of the file.

    Returns:
        bool [N].

    Raises:
        errors.DataError: a year is no number, with file and row.
    """
    distinct, code = sheets.coded(pa.array(years))
    even = np.zeros(len(distinct), bool)
    for position, year in enumerate(distinct.tolist()):
        if year.strip():
            try:
                even[position] = int(year) % 2 == 0
            except ValueError as error:
                raise errors.DataError(
                    "the year is no number",
                    received=year,
                    file=path,
                    row=int(numbers[np.argmax(code == position)]),
                ) from error
    return even[code]


def _refuse_repeated(ids, numbers, path):
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[inverse] != np.arange(len(ids)))
    if len(repeated):
        row = repeated[0]
        raise errors.DataError(
            f"an id stands twice (first in row {numbers[first[inverse[row]]]})",
            expected="one row an image",
            received=str(ids[row]),
            file=path,
            row=int(numbers[row]),
        )
