"""Labels with confidences, verified absence and lists, or a message with its place."""

import csv
import json

import hypothesis
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import strategies as st

from data_pipelines import errors, labels
from data_pipelines.sources import table


def write(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def config(path, **settings):
    return table.TableConfig(
        table=str(path), **{"group_column": "", "split_column": "", **settings}
    )


def read(path, **settings):
    return table.read_with_notes(config(path, **settings))[0]


def dense(found):
    return found.labels.targets(found.unlisted_is_absent).tolist()


def test_confidences_stand_beside_the_labels(tmp_path):
    path = write(tmp_path, "path,labels,c\na,x|y,1|0.5\nb,y,0\nc,,\nd, x , .25 \n")
    found = read(path, confidence_columns=("c",), unlisted="unknown")
    assert dense(found) == [[1, 0.5], [-1, 0], [-1, -1], [0.25, -1]]
    assert found.labels.confidence.dtype == np.float32


def test_verified_absence_is_told_from_what_nobody_looked_at(tmp_path):
    path = write(tmp_path, "path,labels,not\na,x,y\nb,y,x\nc,x|y,\nd,,x|y\n")
    found = read(path, absent_columns=("not",), unlisted="unknown")
    assert found.vocabulary.ids == ("x", "y")
    assert dense(found) == [[1, 0], [0, 1], [1, 1], [0, 0]]
    assert found.labels.counts().tolist() == [2, 2]
    assert not found.unlisted_is_absent
    assert read(path, absent_columns=("not",)).unlisted_is_absent


def test_a_label_that_is_nowhere_present_is_counted_and_left_out(tmp_path):
    path = write(tmp_path, "path,labels,not\na,x,z\nb,x,z|w\n")
    found, notes = table.read_with_notes(config(path, absent_columns=("not",)))
    assert found.vocabulary.ids == ("x",)
    assert notes == ["3 statements of absence, of labels not learnt, were left out"]


def test_a_model_is_told_of_absence_only_of_labels_it_knows(tmp_path):
    path = write(tmp_path, "path,labels,not\na,x,z\n")
    settings = config(path, absent_columns=("not",))
    found, notes = table.read_with_notes(settings, labels.Vocabulary(["w", "x"]))
    assert dense(found) == [[0, 1]]
    assert notes[0].startswith("1 statements of absence")


def test_lists_as_python_and_json_write_them(tmp_path):
    path = tmp_path / "labels.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "labels", "c"])
        writer.writerow(["a", "['x', \"it's y\"]", "[1, 0.5]"])
        writer.writerow(["b", json.dumps(["x", "a|b"]), "[1.0, 1]"])
        writer.writerow(["c", "[]", ""])
        writer.writerow(["d", "", "[]"])
    found = read(path, label_form="list", confidence_columns=("c",))
    assert found.vocabulary.ids == ("a|b", "it's y", "x")
    assert dense(found) == [[0, 0.5, 1], [1, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_an_empty_separator_makes_a_field_one_label(tmp_path):
    found = read(write(tmp_path, "path,labels\na,x|y\n"), label_separator="")
    assert found.vocabulary.ids == ("x|y",)


def test_a_parquet_file_of_lists_is_read_as_it_is(tmp_path):
    path = tmp_path / "labels.parquet"
    pa.parquet.write_table(
        pa.table({
            "path": ["a", "b", "c"],
            "labels": pa.array([["x|y", "z"], [], None]),
            "c": pa.array([[1.0, 0.25], [], []], pa.list_(pa.float32())),
            "more": ["z|x", "", "x"],
        }),
        path,
    )  # fmt: skip
    found = read(path, label_columns=("labels", "more"), unseen_labels="keep")
    assert found.vocabulary.ids == ("x", "x|y", "z")
    assert dense(found) == [[1, 1, 1], [0, 0, 0], [1, 0, 0]]
    only = read(path, confidence_columns=("c",))
    assert dense(only) == [[1, 0.25], [0, 0], [0, 0]]
    assert only.locations[0] == str(tmp_path.resolve() / "a")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("b,x,nan", "row 3: column 'c' holds what is no confidence.*0 to 1.*nan"),
        ("b,x,1.7", "row 3: column 'c' holds what is no confidence.*1.7"),
        ("b,x,-0.1", "row 3: column 'c' holds what is no confidence"),
        ("b,x,inf", "row 3: column 'c' holds what is no confidence"),
        ("b,x,high", "row 3: column 'c' holds what is no confidence.*high"),
        ("b,x|y,1|", "row 3: column 'c' holds what is no confidence"),
        ("b,x|y,1", "row 3: column 'c' has not as many.*Expected: 2.*Received: 1: 1"),
        ("b,x,", "row 3: column 'c' has not as many confidences"),
        ("b,,1", "row 3: column 'c' has not as many confidences"),
        ("b,x|x,1|0.5", "row 3: a label is stated twice in a row, and differently.*x"),
    ],
)
def test_a_confidence_that_is_none_is_refused_with_its_row(tmp_path, rows, said):
    path = write(tmp_path, f"path,labels,c\na,x,0.5\n{rows}\n")
    with pytest.raises(errors.DataError, match=said) as caught:
        read(path, confidence_columns=("c",))
    assert "labels.csv" in str(caught.value)


def test_rows_of_a_parquet_file_are_counted_from_one(tmp_path):
    path = tmp_path / "labels.parquet"
    pa.parquet.write_table(
        pa.table({"path": ["a", "b"], "labels": [["x"], ["y"]], "c": [[1.0], [1.5]]}),
        path,
    )
    with pytest.raises(errors.DataError, match=r"labels\.parquet, row 2: .*1\.5"):
        read(path, confidence_columns=("c",))
    with pytest.raises(errors.DataError, match=r"column 'c' holds no labels"):
        read(path, label_columns=("c",))
    with pytest.raises(errors.DataError, match=r"labels\.parquet: there is no column"):
        read(path, label_columns=("d",))


def test_present_and_absent_at_once_is_refused(tmp_path):
    path = write(tmp_path, "path,labels,not\na,x,\nb,x|y,y\n")
    with pytest.raises(errors.DataError, match=r"row 3: a label is stated twice.*y"):
        read(path, absent_columns=("not",))


def test_one_column_of_confidences_for_each_of_labels(tmp_path):
    path = write(tmp_path, "path,labels,c\na,x,1\n")
    with pytest.raises(errors.SettingError, match="Received: 2"):
        read(path, confidence_columns=("c", "c"))


@pytest.mark.parametrize(
    "field", ["x|y", "{'x': 1}", "[['x']]", "__import__('os')", "["]
)
def test_what_is_no_list_is_refused_and_never_run(tmp_path, field):
    path = write(tmp_path, f'path,labels\na,"[\'x\']"\nb,"{field}"\n')
    with pytest.raises(errors.DataError, match="row 3: column 'labels' holds no list"):
        read(path, label_form="list")


@hypothesis.given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "NA", "x y", "é"]),
            st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        ),
        min_size=1,
        max_size=12,
    )
)
@hypothesis.settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_a_table_says_what_was_written_row_by_row(tmp_path, rows):
    known = sorted({label for row in rows for label in row if row[label] > 0})
    hypothesis.assume(known)
    lines = [f"{number},{'|'.join(row)},{'|'.join(map(str, row.values()))}"
             for number, row in enumerate(rows)]  # fmt: skip
    path = write(tmp_path, "\n".join(["path,labels,c", *lines]) + "\n")
    found = read(path, confidence_columns=("c",), unlisted="unknown")
    assert list(found.vocabulary.ids) == known
    assert dense(found) == [[row.get(label, -1) for label in known] for row in rows]
    assert found.labels.index.dtype == np.int32
    assert found.labels.offsets.dtype == np.int64


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (json.dumps(["😀", "é"]), ("é", "😀")),
        (r'["a\/b"]', ("a/b",)),
        (r"['a\d']", (r"a\d",)),
        (r"['\x41', 'b']", ("A", "b")),
    ],
)
def test_a_list_is_read_by_the_escapes_of_who_wrote_it(tmp_path, field, expected):
    path = tmp_path / "labels.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["path", "labels"], ["a", field]])
    assert read(path, label_form="list").vocabulary.ids == expected


@pytest.mark.parametrize("field", [r'["\ud83d"]', "[NaN]"])
def test_a_list_of_what_is_no_text_is_refused_with_its_row(tmp_path, field):
    path = tmp_path / "labels.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["path", "labels"], ["a", "['x']"], ["b", field]])
    with pytest.raises(errors.DataError, match=r"row 3: .* holds no list"):
        read(path, label_form="list")


def write_parquet(tmp_path, **columns):
    path = tmp_path / "labels.parquet"
    pyarrow.parquet.write_table(pa.table({"path": ["a", "b"], **columns}), path)
    return path


def test_a_parquet_column_of_nothing_but_empty_lists_states_nothing(tmp_path):
    path = write_parquet(tmp_path, labels=["x", "y"], no=pa.array([[], []]))
    assert read(path, absent_columns=("no",)).labels.counts().tolist() == [1, 1]


@pytest.mark.parametrize("element", [[1.0], {"of": 1.0}])
def test_a_parquet_column_of_what_is_no_confidence_is_refused(tmp_path, element):
    path = write_parquet(tmp_path, labels=[["x"], ["y"]], c=[[element], [element]])
    with pytest.raises(errors.DataError, match="'c' holds no confidences"):
        read(path, confidence_columns=("c",))
