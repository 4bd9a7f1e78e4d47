"""The small files are read with or without a header, and refused with their row."""

import pytest

from data_pipelines import errors
from data_pipelines.open_images import lists

ID, OTHER = "2b2f44594449326f4e52553d", "2b333057383432514454593d"


def write(tmp_path, text):
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("header", ["", "label_code\n", "LabelName\n"])
def test_class_lists_come_with_and_without_a_header(tmp_path, header):
    for before in ("", "\n"):
        path = write(tmp_path, before + header + "/m/2\n/m/1\nNA\n")
        assert lists.read_codes(path) == ["/m/2", "/m/1", "NA"]


@pytest.mark.parametrize(
    "header", ["", "label_code,description\n", "\ufeffLabelName,DisplayName \r\n"]
)
def test_names_are_no_keys_and_may_hold_commas(tmp_path, header):
    path = write(tmp_path, header + '/m/2,Trunk\n/m/1,Trunk\n/m/3,"Salt, Pepper"\n')
    assert lists.read_descriptions(path) == {
        "/m/2": "Trunk", "/m/1": "Trunk", "/m/3": "Salt, Pepper",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("label_code\n", "a header but no rows"),
        ("code\n/m/1\n", "row 1: the first row is neither a header nor"),
        (
            "label_code\n/m/1\n/m/2\n/m/1\n",
            r"row 4: .* stands twice \(first in row 2\)",
        ),
        ("label_code\n/m/1,x\n", "row 2: a row has another number of fields"),
        ("label_code\n/m/1 \n", "row 2: a label's code is empty or holds white space"),
        (b"label_code\n/m/\xff\n", "not UTF-8"),
        ('label_code\n"/m/1\n', "row 2: the file is no CSV"),
    ],
)
def test_a_class_list_that_cannot_be_used_is_refused(tmp_path, text, said):
    with pytest.raises(errors.DataError, match=said):
        lists.read_codes(write(tmp_path, text))


def test_truth_has_rows_and_distinct_codes(tmp_path):
    path = write(tmp_path, f"{ID},/m/1 /m/2 /m/1\n\n{OTHER},/m/2\n")
    assert lists.read_truth(path) == {ID: (1, ("/m/1", "/m/2")), OTHER: (3, ("/m/2",))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"image_id,labels\n{ID},/m/1\n",
            "row 1: there is a header, and this file has",
        ),
        (f"{ID},/m/1\n{ID},/m/2\n", r"row 2: .* stands twice \(first in row 1\)"),
        (f"{ID},/m/1\n{OTHER.upper()},/m/1\n", "row 2: an image id cannot be used"),
        (f"{ID},/m/1\n../../../../../etc/passwd,/m/1\n", "row 2: an image id cannot"),
        (f"{ID},/m/1\n{OTHER}, \n", "row 2: an image has no label"),
        (f"{ID},/m/1,/m/2\n", "row 1: a row has another number of fields"),
        ("", "the file is empty"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused(tmp_path, text, said):
    with pytest.raises(errors.DataError, match=said):
        lists.read_truth(write(tmp_path, text))


def test_a_sample_submission_needs_its_header(tmp_path):
    path = write(tmp_path, f"image_id,labels\n{ID},/m/1\n{OTHER},\n")
    assert lists.read_answered_ids(path) == [ID, OTHER]
    with pytest.raises(errors.DataError, match="row 1: there is no header"):
        lists.read_answered_ids(write(tmp_path, f"{ID},/m/1\n"))
    with pytest.raises(errors.DataError, match="row 3: an image id stands twice"):
        lists.read_answered_ids(write(tmp_path, f"image_id,labels\n{ID},a\n{ID},a\n"))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(errors.DataError, match="there is no such file"):
        lists.read_codes(tmp_path / "absent.csv")
    with pytest.raises(errors.DataError, match="this is a folder"):
        lists.read_truth(tmp_path)
