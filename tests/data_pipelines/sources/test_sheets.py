"""Rows of files, read fast where they are plain and strictly where they are not."""

import csv
import io

import hypothesis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import strategies as st

from data_pipelines import errors
from data_pipelines.sources import sheets, table, table_files


def write(tmp_path, data, name="rows.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def strictly(text):
    """Python's own strict reader: rows of fields, or None where it refuses."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) < 2 or len(set(rows[0])) < len(rows[0]):
        return None
    return rows if len({len(row) for row in rows}) == 1 else None


@hypothesis.given(
    st.lists(st.sampled_from(["a", "b c", ",", '"', '""', "\n", "\r\n", "\r", "é"]),
             max_size=24),
    st.sampled_from(["a,b\n", "a,b\r\n", "\ufeffa,b\n", "a\n", '"a","b"\n']),
)  # fmt: skip
@hypothesis.settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_the_fast_way_reads_what_the_strict_reader_reads(tmp_path, pieces, header):
    text = header + "".join(pieces)
    expected = strictly(text.removeprefix("\ufeff"))
    path = write(tmp_path, text)
    try:
        sheet = sheets.read(path)
    except errors.DataError:
        assert expected is None
        return
    assert expected is not None
    found = [sheet.strings(column).tolist() for column in sheet.columns]
    assert [sheet.columns, *map(list, zip(*found, strict=True))] == expected


def test_a_regular_file_does_not_wait_for_the_strict_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "_strict_csv", None)
    path = write(tmp_path, '\ufeffa,b\r\n"x, ""y""\nz",NA\r\n1,\r\n')
    sheet = sheets.read(path)
    assert sheet.strings("a").tolist() == ['x, "y"\nz', "1"]
    assert sheet.strings("b").tolist() == ["NA", ""]


def test_a_data_frame_is_of_strings_as_pandas_makes_them(tmp_path):
    path = write(tmp_path, "a,b\n1,NA\n,x\n")
    expected = pd.DataFrame([["1", "NA"], ["", "x"]], columns=["a", "b"], dtype=str)
    pd.testing.assert_frame_equal(table.read_csv(path), expected)


def test_values_of_a_parquet_file_become_text(tmp_path):
    path = tmp_path / "rows.parquet"
    columns = {
        "text": pa.array(["a", None]),
        "long": pa.array(["a", "b"], pa.large_string()),
        "coded": pa.array(["x", "y"]).dictionary_encode(),
        "number": pa.array([3, None]),
        "truth": pa.array([True, False]),
        "bytes": pa.array([b"a", b"b"]),
    }
    pa.parquet.write_table(pa.table(columns), path)
    sheet = sheets.read(path)
    found = {name: sheet.strings(name).tolist() for name in list(columns)[:-1]}
    assert found == {
        "text": ["a", ""], "long": ["a", "b"], "coded": ["x", "y"],
        "number": ["3", ""], "truth": ["true", "false"],
    }  # fmt: skip
    with pytest.raises(errors.DataError, match=r"'bytes' is of a type.*binary"):
        sheet.text("bytes")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.parquet", b"path,labels\n1,2\n", "the file is no Parquet"),
        ("a.parquet", b"PAR1 and no more", "the file is no Parquet"),
        ("a.csv", b"", "the table is empty"),
        ("a.csv", b"\xef\xbb\xbf", "the table is empty"),
        ("a.csv", b"\n\n\n", "the table is empty"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, name, data, said):
    with pytest.raises(errors.DataError, match=said):
        sheets.read(write(tmp_path, data, name))


def test_a_folder_and_an_empty_parquet_file_are_refused(tmp_path):
    with pytest.raises(errors.DataError, match="this is a folder"):
        sheets.read(tmp_path)
    pa.parquet.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "e")
    with pytest.raises(errors.DataError, match="a header but no rows"):
        sheets.read(tmp_path / "e")


def test_rows_of_several_files_know_their_place(tmp_path):
    first = write(tmp_path, "a,b\n1,2\n3,4\n", "1.csv")
    second = write(tmp_path, "b,c,a\n6,x,5\n", "2.csv")
    sheet = sheets.read_parts([("train", first), ("test", second)])
    assert sheet.strings("a").tolist() == ["1", "3", "5"]
    assert sheet.place(1) == {"file": str(first), "row": 3}
    assert sheet.place(2) == {"file": str(second), "row": 2}
    assert [part.split for part in sheet.parts] == ["train", "test"]
    third = write(tmp_path, "a\n1\n", "3.csv")
    with pytest.raises(
        errors.DataError, match=r"3\.csv, row 1: there is no column 'b'"
    ):
        sheets.read_parts([("train", first), ("test", third)])


@hypothesis.given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=9)
)
def test_codes_are_those_of_numpys_unique(values):
    names, index = sheets.coded(pa.array(values, pa.string()))
    expected, inverse = np.unique(np.array(values, dtype=object), return_inverse=True)
    assert sorted(names.tolist()) == names.tolist()
    # NumPy's fixed-width strings lose trailing NULs
    if not any("\0" in value for value in values):
        assert names.tolist() == expected.tolist()
        np.testing.assert_array_equal(index, inverse)


def test_bytes_of_a_fixed_size_are_no_text(tmp_path):
    path = tmp_path / "rows.parquet"
    column = pa.array([b"\xff\xfe", b"ab"], pa.binary(2))
    pyarrow.parquet.write_table(pa.table({"a": column}), path)
    with pytest.raises(errors.DataError, match="'a' is of a type that cannot be used"):
        sheets.read(path).text("a")


def test_parquet_files_are_joined_whether_or_not_they_may_hold_nulls(tmp_path):
    files = []
    for name, nullable in (("train", True), ("test", False)):
        schema = pa.schema([pa.field("a", pa.string(), nullable=nullable)])
        path = tmp_path / f"{name}.parquet"
        pyarrow.parquet.write_table(pa.table({"a": [name]}, schema=schema), path)
        files.append((name, path))
    assert sheets.read_parts(files).strings("a").tolist() == ["train", "test"]
