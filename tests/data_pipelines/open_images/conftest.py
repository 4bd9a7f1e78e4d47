"""Annotation files of the challenge's form, written from short rows."""

import pytest

HEADER = "ImageID,Source,LabelName,Confidence"
BOX_HEADER = (
    f"{HEADER},XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)


@pytest.fixture
def write_labels(tmp_path):
    """Returns a function: rows of (image number, code, confidence) → path."""

    def write(rows, name="labels.csv"):
        lines = [f"{image:016x},s,{code},{given}" for image, code, given in rows]
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        return path

    return write


@pytest.fixture
def write_boxes(tmp_path):
    """Returns a function: rows of (image number, code, corners, flags) → path."""

    def write(rows, name="boxes.csv"):
        lines = [
            ",".join([f"{image:016x}", "xclick", code, "1", *map(str, corners), flags])
            for image, code, corners, flags in rows
        ]
        path = tmp_path / name
        path.write_text("\n".join([BOX_HEADER, *lines]) + "\n")
        return path

    return write
