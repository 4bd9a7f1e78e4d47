"""Files of rows (CSV or Parquet) in memory, each row with its place in its file."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_pipelines import errors
from data_pipelines.sources import table_files


@dataclasses.dataclass(frozen=True)
class Part:
    """The rows that one file gave.

    Args:
        file: its path.
        start: the sheet's first row from this file, counted from 0.
        first: the number of that row in the file, counted from 1: 2 under a CSV's
            header, 1 in a Parquet file, which has none.
        split: the split of all its rows; empty where something else decides.
    """

    file: str
    start: int
    first: int
    split: str = ""


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Rows and columns, and where each row stands.

    Args:
        table: `pyarrow.Table`; of a CSV all columns are strings without nulls.
        parts: `Part` of each file, in the order of the rows.
    """

    table: pa.Table
    parts: tuple

    def __len__(self):
        return self.table.num_rows

    @property
    def file(self):
        """The first file, for what concerns no row."""
        return self.parts[0].file

    @property
    def header(self):
        """The row of the first file's header; None where it has none."""
        return self.parts[0].first - 1 or None

    @property
    def columns(self):
        """Names of the columns."""
        return self.table.column_names

    def place(self, row):
        """Returns {"file", "row"} of a row counted from 0, for an error."""
        part = [part for part in self.parts if part.start <= row][-1]
        return {"file": part.file, "row": int(row) - part.start + part.first}

    def require(self, columns, why=""):
        """Refuses a sheet that lacks a column.

        Raises:
            errors.DataError: a column is not there, with those that are.
        """
        for column in columns:
            if column not in self.columns:
                raise errors.DataError(
                    f"there is no column '{column}'{why}",
                    expected=f"one of {', '.join(self.columns)}",
                    file=self.file,
                    row=self.header,
                )

    def text(self, column):
        """Returns a column as `pyarrow.StringArray` [N] without nulls (missing is "").

        Raises:
            errors.DataError: a Parquet column holds neither text nor plain values.
        """
        array = _flat(self.table.column(column))
        if not pa.types.is_string(array.type):
            if pa.types.is_nested(array.type) or _is_bytes(array.type):
                raise errors.DataError(
                    f"column '{column}' is of a type that cannot be used here",
                    expected="text, numbers or dates",
                    received=str(array.type),
                    file=self.file,
                )
            array = array.cast(pa.string())
        return array.fill_null("")

    def strings(self, column):
        """Returns a column as str [N]."""
        return as_strings(self.text(column))

    def lists(self, column):
        """Returns a column as a `pyarrow.ListArray`, or None where it is none."""
        array = _flat(self.table.column(column))
        if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
            return None
        return array

    def with_column(self, name, values):
        """Returns the sheet with one more column.

        Args:
            name: its name.
            values: `pyarrow.StringArray` [N].

        Raises:
            errors.DataError: there is such a column already.
        """
        if name in self.columns:
            raise errors.DataError(
                f"there is a column '{name}' already",
                expected="a new name for the derived column",
                file=self.file,
                row=self.header,
            )
        return dataclasses.replace(self, table=self.table.append_column(name, values))


def _is_bytes(kind):
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )


def _flat(column):
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def as_texts(array):
    """Returns object [N] of str of a `pyarrow.StringArray` without nulls.

    Unlike of `as_strings`, a long one costs its own length only.
    """
    return array.to_numpy(zero_copy_only=False)


def as_strings(array):
    """Returns str [N] of a `pyarrow.StringArray` without nulls."""
    return np.array(array.to_pylist(), dtype=str)


def coded(array):
    """Returns (str [K] distinct values in order, int32 [N] index of each value).

    Args:
        array: `pyarrow.StringArray` [N] without nulls.
    """
    encoded = array.dictionary_encode()
    names = as_strings(encoded.dictionary)
    order = np.argsort(names)
    rank = np.empty(len(names), np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return names[order], rank[encoded.indices.to_numpy()]


def group_fields(values, count):
    """Returns the fields `group` and `group_names` of a label table.

    Args:
        values: `pyarrow.StringArray` [N] or NumPy's of str; None means one group.
        count: N.
    """
    if values is None:
        return {"group": np.zeros(count, np.int32), "group_names": ("all",)}
    names, group = coded(pa.array(values))
    return {"group": group, "group_names": tuple(names.tolist())}


def read(path):
    """Reads one CSV or Parquet file, told apart by content.

    Returns:
        `Sheet`.

    Raises:
        errors.DataError: unreadable, empty, two columns of one name, or a row with too
            many or too few fields.
    """
    table, is_parquet = table_files.read(path)
    return Sheet(table, (Part(str(path), 0, 1 if is_parquet else 2),))


def read_parts(files):
    """Reads several files of the same columns, each of which is a split.

    Args:
        files: list of (split, path).

    Returns:
        `Sheet` of all rows; the order of the columns is that of the first file.

    Raises:
        errors.DataError: as of `read`, or a file has other columns than the first.
    """
    tables, parts, start = [], [], 0
    for split, path in files:
        sheet = read(path)
        if tables:
            sheet.require(tables[0].column_names, f", which {files[0][1]} has")
            sheet = dataclasses.replace(
                sheet, table=sheet.table.select(tables[0].column_names)
            )
            if sheet.table.schema.types != tables[0].schema.types:
                raise errors.DataError(
                    f"the columns have other types than in {files[0][1]}",
                    expected=", ".join(map(str, tables[0].schema.types)),
                    received=", ".join(map(str, sheet.table.schema.types)),
                    file=path,
                )
        tables.append(sheet.table)
        parts.append(Part(str(path), start, sheet.parts[0].first, split))
        start += len(sheet)
    # what pandas describes in the schema, and whether nulls may be, differs by file
    schema = pa.schema([(field.name, field.type) for field in tables[0].schema])
    return Sheet(pa.concat_tables([one.cast(schema) for one in tables]), tuple(parts))


def is_blank(array):
    """Returns bool [N]: the strings that hold nothing but white space."""
    return pc.equal(pc.utf8_trim_whitespace(array), "").to_numpy(zero_copy_only=False)
