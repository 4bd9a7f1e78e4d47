"""Listed images leave the training split, and whatever else happens is counted."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import errors, exclusion, labels


def table_of(ids, split, names=("train", "test")):
    count = len(ids)
    return labels.LabelTable(
        ids=np.array(ids),
        locations=np.array([f"/{name}" for name in ids]),
        labels=labels.SparseLabels.from_lists([[0]] * count, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.array(split, np.int32),
        split_names=names,
    )


ROWS = [
    exclusion.Row("a", "blurry", 0.125, "soft"),
    exclusion.Row("a", "dark", 0.25),
    exclusion.Row("b", "dark", 0.5),
    exclusion.Row("d", "dark", 0.75),
]
TABLE = table_of(["a", "b", "c", "d"], [0, 0, 0, 1])


@pytest.fixture
def listed(tmp_path):
    exclusion.write(tmp_path / "issues.csv", ROWS)
    return tmp_path / "issues.csv"


def test_what_is_written_is_read_back_and_pandas_reads_the_same(listed):
    frame = exclusion.read(listed)
    assert [exclusion.Row(*row) for row in frame.itertuples(index=False)] == ROWS
    pd.testing.assert_frame_equal(frame, pd.read_csv(listed, keep_default_na=False))


def test_only_training_images_leave_and_both_sides_are_counted(listed):
    left, notes = exclusion.apply(TABLE, listed)
    assert left.ids.tolist() == ["c", "d"]
    assert notes == [
        "2 images were left out (blurry 1, dark 2)",
        "1 listed images of other splits than train stay",
    ]


def test_only_the_kinds_asked_for_count(listed):
    left, notes = exclusion.apply(TABLE, listed, issues=("blurry",))
    assert left.ids.tolist() == ["b", "c", "d"]
    assert notes == ["1 images were left out (blurry 1)"]


def test_a_known_kind_that_no_image_has_is_said_and_does_nothing(listed):
    left, notes = exclusion.apply(TABLE, listed, issues=("light",))
    assert left is TABLE
    assert notes == [f"{listed} lists no image as light"]


def test_an_unknown_kind_is_refused_with_the_list_of_kinds(listed):
    with pytest.raises(errors.DataError, match=r"one of blurry, dark.*blurred"):
        exclusion.apply(TABLE, listed, issues=("blurred",))


def test_other_splits_lose_images_when_named(listed):
    table = table_of(["a", "b", "c", "d", "e"], [0, 0, 0, 1, 1])
    left, _ = exclusion.apply(table, listed, splits=("train", "test"))
    assert left.ids.tolist() == ["c", "e"]
    with pytest.raises(errors.DataError, match=r"no such split.*stage"):
        exclusion.apply(table, listed, splits=("stage",))


def test_data_without_a_training_split_lose_nothing(listed):
    table = table_of(["a", "d"], [0, 0], ("new",))
    left, notes = exclusion.apply(table, listed)
    assert left is table
    assert "2 listed images of other splits than train stay" in notes


def test_a_split_that_would_be_empty_is_refused_by_name(listed):
    table = table_of(["a", "b", "d"], [0, 0, 1])
    with pytest.raises(
        errors.DataError, match=r"no image of split 'train'.*than its 2"
    ):
        exclusion.apply(table, listed)


def test_ids_that_the_data_lack_and_repeated_rows_are_counted(tmp_path):
    path = tmp_path / "issues.csv"
    path.write_text(
        "id,issue,score,detail\nz,dark,0,\na,dark,0,\na,dark,0,\ny,dark,0,\n"
    )
    left, notes = exclusion.apply(TABLE, path)
    assert left.ids.tolist() == ["b", "c", "d"]
    assert f"1 rows of {path} repeat an id and issue" in notes
    assert f"2 ids of {path} are not in the data, such as z" in notes


def test_a_file_without_issues_leaves_the_table_as_it_is(tmp_path):
    exclusion.write(tmp_path / "none.csv", [])
    assert exclusion.apply(TABLE, tmp_path / "none.csv") == (TABLE, [])


def test_ids_with_commas_quotes_and_bytes_that_are_no_text_are_found_again(tmp_path):
    ids = ['a,"b".jpg', os.fsdecode(b"\xff.jpg"), "NA", "née", "line\nend", "line\rend",
           "other"]  # fmt: skip
    path = tmp_path / "issues.csv"
    exclusion.write(path, [exclusion.Row(name, "dark", 0, name) for name in ids[:-1]])
    left, _ = exclusion.apply(table_of(ids, [0] * 7), path)
    assert left.ids.tolist() == ["other"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty. Expected: the header id,issue,score,detail"),
        ("id,issue,score\n", "row 1: the columns are others"),
        ("id;issue;score;detail\n", "row 1: the columns are others"),
        ("id,issue,score,detail\na,dark,0\n", "row 2: a row has another number of"),
        ("id,issue,score,detail\na,dark,low,\n", "row 2: the score is not a finite"),
        ("id,issue,score,detail\na,dark,nan,\n", "row 2: the score is not a finite"),
        ("id,issue,score,detail\na,dark,,\n", "row 2: the score is not a finite"),
        ("id,issue,score,detail\na,,1,\n", "row 2: the issue is empty"),
        ("id,issue,score,detail\n,dark,1,\n", "row 2: the id is empty"),
        ('id,issue,score,detail\n"a,dark,1,\n', "row 2: the file is no CSV"),
        ("id,issue,score,detail\na,dark,1,cut", "row 2: the last line has no end"),
        (b"id,issue,score,detail\n\xff,dark,1,\n", "not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path, text, said):
    path = tmp_path / "issues.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(errors.DataError) as caught:
        exclusion.apply(TABLE, path)
    assert said in str(caught.value)
    assert "issues.csv" in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [exclusion.Row("", "dark", 0)],
        [exclusion.Row("a", "", 0)],
        [exclusion.Row("a", "dark", float("nan"))],
        [exclusion.Row("a", "dark", 0), exclusion.Row("a", "dark", 1)],
    ],
)
def test_a_row_that_could_not_be_read_back_is_not_written(tmp_path, rows):
    with pytest.raises(errors.DataError):
        exclusion.write(tmp_path / "issues.csv", rows)
    assert not (tmp_path / "issues.csv").exists()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_exclusion_agrees_with_sets(tmp_path_factory, data):
    kinds = ("dark", "blurry", "similar:k_centre")
    pairs = data.draw(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(kinds)),
            unique=True,
            max_size=40,
        )
    )
    issues = data.draw(st.lists(st.sampled_from(kinds), unique=True))
    split = data.draw(st.lists(st.integers(0, 1), min_size=24, max_size=24))
    path = tmp_path_factory.getbasetemp() / "drawn.csv"
    exclusion.write(path, [exclusion.Row(f"i{one}", kind, 0.5) for one, kind in pairs])
    # image 99 is never listed, so no split is emptied
    table = table_of([*(f"i{one}" for one in range(24)), "i99", "i98"], [*split, 0, 1])
    out = {
        f"i{one}" for one, kind in pairs
        if (not issues or kind in issues) and one < 24 and split[one] == 0
    }  # fmt: skip
    if not set(issues) <= {kind for _, kind in pairs} | {"dark", "blurry"}:
        with pytest.raises(errors.DataError, match="no such kind"):
            exclusion.apply(table, path, issues)
        return
    left, _ = exclusion.apply(table, path, issues)
    assert left.ids.tolist() == [name for name in table.ids if name not in out]
