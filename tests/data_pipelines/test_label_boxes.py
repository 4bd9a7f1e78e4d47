"""Boxes of a CSV become rows and labels of a table."""

import numpy as np
import pytest

from data_pipelines import errors, label_boxes, labels

HEADER = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"


@pytest.fixture
def table():
    return labels.LabelTable(
        ids=np.array(["a", "images/ü.png", "c"]),
        locations=np.array(["a", "b", "c"]),
        labels=labels.SparseLabels(
            np.array([0, 1, 2, 2]), np.array([0, 1]), np.ones(2, np.float32), 2
        ),
        vocabulary=labels.Vocabulary(("/m/1", "book store")),
        group=np.zeros(3, np.int32),
        group_names=("g",),
        split=np.zeros(3, np.int32),
        split_names=("test",),
        unlisted_is_absent=True,
    )


def read(tmp_path, table, text, **settings):
    path = tmp_path / "boxes.csv"
    path.write_text(text, "utf-8")
    return label_boxes.read(label_boxes.BoxConfig((str(path),), **settings), table)


def test_boxes_of_open_images_are_top_left_bottom_right_by_row(tmp_path, table):
    found, notes = read(
        tmp_path,
        table,
        f"{HEADER}\nc,x,/m/1,1,0.1,0.2,0.3,0.4\na,x,/m/1,1,0,1,0.5,0.75\n"
        "d,x,/m/1,1,0,1,0,1\na,x,/m/2,1,0,1,0,1\n",
    )
    assert (found.row.tolist(), found.label.tolist()) == ([0, 2], [0, 0])
    np.testing.assert_allclose(found.corners, [[0.5, 0, 0.75, 1], [0.3, 0.1, 0.4, 0.2]])
    (note,) = notes
    assert note.endswith("of 4 boxes 1 are of other images and 1 of other labels")


def test_the_columns_of_other_files_are_named(tmp_path, table):
    found, notes = read(
        tmp_path,
        table,
        "path,label,left,right,top,bottom\nimages/ü.png,book store,0,0.5,0,1\n",
        columns=("path", "label", "left", "right", "top", "bottom"),
    )
    assert (found.row.tolist(), found.label.tolist(), notes) == ([1], [1], [])
    assert found.corners.tolist() == [[0, 0, 1, 0.5]]


def test_without_files_no_box_is_known(table):
    found, notes = label_boxes.read(label_boxes.BoxConfig(), table)
    assert (len(found.row), found.corners.shape, notes) == (0, (0, 4), [])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,x,/m/1,1,0.5,0.2,0,1", "row 2: XMin is larger than XMax"),
        ("a,x,/m/1,1,12,200,0,1", "row 2: XMin cannot be used"),
        (",x,/m/1,1,0,1,0,1", "row 2: ImageID cannot be used"),
        ("z,x,/m/1,1,0,1,0,1", "no box is of an image and a label"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_row(tmp_path, table, row, said):
    with pytest.raises(errors.DataError, match=said):
        read(tmp_path, table, f"{HEADER}\n{row}\n")


def test_six_columns_are_needed():
    with pytest.raises(errors.SettingError, match="six different ones"):
        label_boxes.BoxConfig(columns=("a", "b"))
