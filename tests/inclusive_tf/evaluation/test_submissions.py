"""Submission files are read strictly, written checked and scored exactly."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics

from data_pipelines import errors
from inclusive_tf.evaluation import submissions

_CODES = [f"/m/{number}" for number in range(6)]


def _write(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"image_id,labels\na,/m/1 /m/2\nb,\n",
        b"a,/m/1 /m/2\nb,\n",
        b"\xef\xbb\xbfimage_id,labels\r\na,/m/1 /m/2\r\nb,\r\n",
        b'"a","/m/1 /m/2"\nb,""',
        b"a,/m/2 /m/1  /m/1\nb,\n\n\n",
    ],
    ids=["header", "no header", "mark and CRLF", "quoted", "blanks"],
)
def test_files_of_either_form_say_the_same(tmp_path, content):
    found = submissions.read(_write(tmp_path, content))
    assert found == {"a": {"/m/1", "/m/2"}, "b": frozenset()}
    assert list(found) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"no rows"),
        (b"image_id,labels\n", r"no rows"),
        (b"image_id,labels\na,x\nb,y\na,z\n", r"row 4.*twice.*Received: a"),
        (b"a,x\n ,y\n", r"row 2.*empty image id"),
        (b"a,x\nb\n", r"row 2.*number of fields"),
        (b"a,x,y\n", r"row 1.*number of fields.*3"),
        (b"a,x\n\nb,y\n", r"row 2.*empty line"),
        (b"ImageID,LabelName\na,x\n", r"row 1.*unknown header"),
        (b"a,\xff\n", r"cannot be read.*UnicodeDecodeError"),
        (b'a,"x\n', r"cannot be read"),
    ],
)
def test_each_fault_is_named_with_file_and_row(tmp_path, content, message):
    with pytest.raises(errors.DataError, match=message) as caught:
        submissions.read(_write(tmp_path, content))
    assert "file.csv" in str(caught.value)


def test_rows_that_must_be_mistakes_are_counted_with_the_first(tmp_path):
    content = b"image_id,labels\na,x y\nb,\nc,x x\nd,\ne,x x y\n"
    found, notes = submissions.read_checked(_write(tmp_path, content))
    assert found == submissions.read(tmp_path / "file.csv")
    assert notes == [
        "2 rows have no label, which always scores 0, first row 3 (b)",
        "2 rows name a label twice, which counts once, first row 4 (c)",
    ]
    assert submissions.read_checked(_write(tmp_path, b"a,x\n"))[1] == []


def test_a_code_that_is_not_trainable_is_refused_with_its_row(tmp_path):
    path = _write(tmp_path, b"image_id,labels\na,x\nb,y z\n")
    with pytest.raises(errors.DataError, match=r"file.csv, row 3: label 'z' is not"):
        submissions.read_checked(path, frozenset("xy"))
    assert submissions.read_checked(path, frozenset("xyz"))[1] == []


@pytest.mark.parametrize("content", [b"label_code\nx\ny\n", b"x\r\ny\r\n\r\n"])
def test_codes_are_read_with_and_without_a_header(tmp_path, content):
    assert submissions.read_codes(_write(tmp_path, content)) == {"x", "y"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"label_code\n", "no rows"),
        (b"label_code\nx\nx\n", "row 3: not a list of label codes"),
        (b"label_code,name\nx,y\n", "row 1: not a list of label codes"),
        (b"x y\n", "row 1: not a list"),
    ],
)
def test_what_is_no_list_of_codes_is_refused(tmp_path, content, message):
    with pytest.raises(errors.DataError, match=message):
        submissions.read_codes(_write(tmp_path, content))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(errors.DataError, match=path.name):
            submissions.read(path)


_SETS = st.lists(
    st.tuples(st.sets(st.sampled_from(_CODES)), st.sets(st.sampled_from(_CODES))),
    min_size=1,
    max_size=20,
)


@hypothesis.given(_SETS)
@hypothesis.settings(deadline=None, max_examples=50)
def test_the_score_agrees_with_scikit_learn(pairs):
    truth = {f"{row}": one for row, (one, _) in enumerate(pairs)}
    given = {f"{row}": one for row, (_, one) in enumerate(pairs)}
    dense = [
        np.array([[code in one for code in _CODES] for one in side.values()])
        for side in (truth, given)
    ]
    expected = sklearn.metrics.fbeta_score(
        *dense, beta=2, average="samples", zero_division=0
    )
    assert abs(submissions.score(given, truth).mean_f2 - expected) < 1e-12


def test_excluded_and_extra_images_are_not_scored_but_told():
    truth = {"a": {"x"}, "b": {"y"}, "c": {"z"}}
    found = submissions.score({"d": {"x"}, "b": {"y"}, "c": set()}, truth, ["a"])
    assert found.per_image == {"b": 1.0, "c": 0.0}
    assert (found.extra, found.excluded) == (("d",), 1)


def test_images_without_an_answer_are_counted_and_named():
    truth = {f"image{number}": {"x"} for number in range(5)}
    with pytest.raises(errors.DataError, match=r"4 missing, first image1, image2"):
        submissions.score({"image0": {"x"}}, truth)
    with pytest.raises(errors.DataError, match="all excluded"):
        submissions.score(truth, truth, truth)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "answer.csv"
    answers = [("b", ["/m/1", "/m/0"]), ("a", []), ("c", ["/m/5"])]
    filled = submissions.write(path, answers, _CODES, ["a", "b", "c"], ["/m/3"])
    assert filled == 1
    assert path.read_text() == "image_id,labels\nb,/m/1 /m/0\na,/m/3\nc,/m/5\n"
    assert submissions.read(path)["a"] == {"/m/3"}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "no image to write"),
        ([("a", ["/m/0"]), ("a", ["/m/1"])], r"row 3.*twice"),
        ([("", ["/m/0"])], "empty image id"),
        ([("z", ["/m/0"])], "not among the expected"),
        ([("a", [])], "without any label"),
        ([("a", ["/m/0", "/m/0"])], "label stands twice"),
        ([("a", ["/m/9"])], "not in the vocabulary"),
        ([("a", ["/m/0"])], r"1 missing, first b"),
    ],
)
def test_a_faulty_answer_writes_nothing(tmp_path, answers, message):
    expected = ["a", "b"] if answers else None
    with pytest.raises(errors.DataError, match=message):
        submissions.write(tmp_path / "answer.csv", answers, _CODES, expected)
    assert not list(tmp_path.iterdir())


def test_codes_that_are_not_trainable_are_not_written(tmp_path):
    answers = [("a", ["/m/0"]), ("b", ["/m/1"])]
    path = tmp_path / "answer.csv"
    with pytest.raises(errors.DataError, match=r"row 3: label '/m/1' is not trainable"):
        submissions.write(path, answers, _CODES, trainable=frozenset(["/m/0"]))
    assert not list(tmp_path.iterdir())
    submissions.write(path, answers, _CODES, trainable=frozenset(_CODES))


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (["/m/9"], "filled: label '/m/9' is not in the vocabulary"),
        (["/m/1"], "filled: label '/m/1' is not trainable"),
        (["/m/0", "/m/0"], "filled: a label stands twice"),
    ],
)
def test_what_rows_would_be_filled_with_is_checked_though_none_is_empty(
    tmp_path, fill, message
):
    with pytest.raises(errors.DataError, match=message):
        submissions.write(
            tmp_path / "answer.csv", [("a", ["/m/0"])], _CODES, fill=fill,
            trainable=frozenset(["/m/0"]),
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_stems_are_ids_without_folder_and_extension():
    paths = ["a/0b.jpg", "c.d.png", "plain"]
    assert submissions.stems(paths) == ["0b", "c.d", "plain"]
    with pytest.raises(errors.DataError, match=r"stem '0b'.*a/0b.jpg and b/0b.png"):
        submissions.stems(["a/0b.jpg", "b/0b.png"])
