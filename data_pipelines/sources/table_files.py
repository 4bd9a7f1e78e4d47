"""One CSV or Parquet file as an Arrow table, told apart by content.

A CSV is read as text, where nothing is taken for missing ("NA" is a name). Arrow reads
what is plainly regular, which takes a second where Python takes ten; whatever is not
goes through Python's own strict reader, which knows what is wrong and in which row. The
two agree on every file that both accept.
"""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from data_pipelines import errors, text_files

_BOM = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"


def read(path):
    """Reads one file.

    Args:
        path: of a CSV (UTF-8, with a header) or a Parquet file.

    Returns:
        (`pyarrow.Table`, whether it was Parquet). Columns of a CSV are strings without
        nulls, in one or more chunks.

    Raises:
        errors.DataError: unreadable, empty, two columns of one name, or a row with too
            many or too few fields.
    """
    data = _content(path)
    if data.startswith(_PARQUET):
        return _parquet(data, path), True
    if str(path).endswith(".parquet"):
        raise errors.DataError(
            "the file is no Parquet", expected="a file that begins with PAR1", file=path
        )
    table = _regular_csv(data)
    return (_strict_csv(data, path) if table is None else table), False


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise errors.DataError("there is no such file", file=path) from error
    except IsADirectoryError as error:
        raise errors.DataError(
            "this is a folder, not a CSV or Parquet file", file=path
        ) from error


def _parquet(data, path):
    try:
        table = pyarrow.parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise errors.DataError(
            "the file is no Parquet", received=str(error), file=path
        ) from error
    _check_header(table.column_names, table.num_rows, path)
    return table


def _check_header(names, rows, path):
    if len(set(names)) < len(names):
        raise errors.DataError(
            "two columns have the same name", received=",".join(names), file=path,
            row=1,
        )  # fmt: skip
    if not rows:
        raise errors.DataError(
            "the table has a header but no rows", expected="a row an image", file=path
        )


def _regular_csv(data):
    """Returns a `pyarrow.Table` of strings, or None when the strict reader must look.

    Quotes are left to Arrow only where each one opens or closes a whole field, and
    blank lines not at all: it would make rows of them.
    """
    body = data.removeprefix(_BOM)
    quoted = b'"' in body
    blank = body.startswith((b"\n", b"\r")) or any(
        ends in body for ends in (b"\n\n", b"\n\r", b"\r\r")
    )
    if blank or (quoted and not _quotes_enclose_fields(body)):
        return None
    try:
        header = next(
            csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8", newline=""))
        )
        table = pyarrow.csv.read_csv(
            pa.BufferReader(body),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=text_files.takes_threads(len(body))
            ),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=quoted, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string())
            ),
        )
    except (StopIteration, UnicodeDecodeError, csv.Error, pa.ArrowInvalid):
        return None
    # a single column hides blank lines, and the rest is for the strict reader to say
    distinct = len(set(table.column_names)) == len(table.column_names) > 1
    return table if distinct and table.num_rows else None


def _quotes_enclose_fields(body):
    """Says whether every quote opens or closes a field, or is one of a pair within."""
    text = np.frombuffer(body, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    ends = np.zeros(256, bool)
    ends[list(b",\r\n")] = True
    # a pair within a field closes it and opens it again at once
    paired = closing[:-1] + 1 == opening[1:]
    starts_field = (opening == 0) | ends[text[opening - 1]]
    starts_field[1:] |= paired
    ends_field = (closing == len(text) - 1) | ends[text[(closing + 1) % len(text)]]
    ends_field[:-1] |= paired
    return bool(starts_field.all() and ends_field.all())


def _strict_csv(data, path):
    reader = None
    with text_files.reading(path, lambda: reader.line_num):
        text = data.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise errors.DataError(
            "the table is empty", expected="a header and a row an image", file=path
        )
    header = rows[0]
    _check_header(header, len(rows) - 1, path)
    text_files.refuse_ragged(rows, path)
    columns = zip(*rows[1:], strict=True)
    return pa.table({
        name: pa.array(values, pa.string())
        for name, values in zip(header, columns, strict=True)
    })  # fmt: skip
