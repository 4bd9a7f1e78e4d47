"""Columns are read as they stand; what is wrong is said with its row."""

import numpy as np
import pytest

from data_pipelines import errors
from data_pipelines.open_images import annotations, csv_files, facts, kinds

LABELS = {
    "ImageID": kinds.IMAGE_ID,
    "LabelName": kinds.LABEL,
    "Confidence": kinds.SHARE,
}
HEADER = "ImageID,Source,LabelName,Confidence\n"
A, B = "000000000000000a", "000000000000000b"
GOOD = f"{HEADER}{A},machine,/m/1,0.5\n{A},machine,/m/2,1\n{B},machine,/m/1,0.7\n"
BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)


def write(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_ids_come_in_runs_and_codes_once_each(tmp_path):
    found = csv_files.read(write(tmp_path, GOOD), LABELS)
    assert found["ImageID"].ids.tolist() == [10, 11]
    assert found["ImageID"].starts.tolist() == [0, 2, 3]
    codes = found["LabelName"]
    assert [codes.texts[place] for place in codes.index] == ["/m/1", "/m/2", "/m/1"]
    np.testing.assert_array_equal(found["Confidence"], np.float32([0.5, 1, 0.7]))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("machine", '"a, machine"'),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace("LabelName", "LabelName "),
        lambda text: text.replace("/m/1", '"/m/1"'),
    ],
)
def test_bom_crlf_quotes_empty_lines_and_spaced_titles_change_nothing(tmp_path, change):
    expected = csv_files.read(write(tmp_path, GOOD), LABELS)
    found = csv_files.read(write(tmp_path, change(GOOD)), LABELS)
    assert found["LabelName"].texts == expected["LabelName"].texts
    for name in ("ids", "starts"):
        np.testing.assert_array_equal(
            getattr(found["ImageID"], name), getattr(expected["ImageID"], name)
        )
    np.testing.assert_array_equal(found["Confidence"], expected["Confidence"])


def test_na_is_a_label_like_any_other(tmp_path):
    found = csv_files.read(write(tmp_path, GOOD.replace("/m/1", "NA")), LABELS)
    assert found["LabelName"].texts == ("NA", "/m/2")


def test_runs_and_codes_go_on_across_blocks(tmp_path, monkeypatch):
    rows = [f"{row // 7:016x},machine,/m/{row % 13},0.5" for row in range(5000)]
    path = write(tmp_path, HEADER + "\n".join(rows) + "\n")
    whole = csv_files.read(path, LABELS)
    monkeypatch.setattr(csv_files, "_BLOCK_BYTES", 1000)
    blocks = csv_files.read(path, LABELS)
    assert blocks["ImageID"].ids.tolist() == list(range(715))
    assert blocks["ImageID"].starts.tolist() == whole["ImageID"].starts.tolist()
    for row in (0, 12, 4999):
        codes = blocks["LabelName"]
        assert codes.texts[codes.index[row]] == f"/m/{row % 13}"


def row(image=A, label="/m/1", confidence="1"):
    return f"{image},machine,{label},{confidence}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        (HEADER, "a header but no rows"),
        (GOOD.removeprefix(HEADER), "row 1: there is no header"),
        (
            GOOD.replace("LabelName", "Label", 1),
            "row 1: there is no column 'LabelName'",
        ),
        (GOOD.replace("Source", "ImageID", 1), "row 1: two columns have the same name"),
        (GOOD + row(confidence="nan"), "row 5: Confidence cannot be used"),
        (GOOD + row(confidence="1.7"), "row 5: Confidence cannot be used"),
        (GOOD + row(confidence="-0.1"), "row 5: Confidence cannot be used"),
        (GOOD + row(confidence="inf"), "row 5: Confidence cannot be used"),
        (GOOD + row(confidence="high"), "row 5: Confidence cannot be used"),
        (GOOD + row(confidence=""), "row 5: Confidence cannot be used"),
        (GOOD + row(image="000000000000000A"), "row 5: ImageID cannot be used"),
        (GOOD + row(image="../../etc/passwd"), "row 5: ImageID cannot be used"),
        (GOOD + row(image="../../../pass/wd"), "row 5: ImageID cannot be used"),
        (GOOD + row(image="a"), "row 5: ImageID cannot be used"),
        (GOOD + row(label=""), "row 5: LabelName cannot be used"),
        (GOOD + row(label="/m/1 /m/2"), "row 5: LabelName cannot be used"),
        (GOOD + "\n\n" + row(confidence="2"), "row 7: Confidence cannot be used"),
        (GOOD + f"{A},machine,/m/1\n", "row 5: a row has another number of fields"),
        (GOOD + f"{A},m,/m/1,1,1\n", "row 5: a row has another number of fields"),
        (
            GOOD + f'{A},"m,/m/1,1\n' + row(),
            "row 5: a row has another number of fields",
        ),
        (
            (GOOD + row(label="@")).encode().replace(b"@", b"\xff"),
            "row 5: LabelName is",
        ),
        (HEADER.encode().replace(b"S", b"\xff"), "the file is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(errors.DataError) as caught:
        csv_files.read(path, LABELS)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_first_of_several_faults_is_the_one_named(tmp_path):
    rows = "".join(row(confidence="0.5") for _ in range(50))
    text = GOOD + rows + row(confidence="7") + row(image="x") + row(label="")
    with pytest.raises(errors.DataError, match=r"row 55: Confidence.*Received: '7'"):
        csv_files.read(write(tmp_path, text), LABELS)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(errors.DataError, match=r"absent\.csv: there is no such file"):
        csv_files.read(tmp_path / "absent.csv", LABELS)
    with pytest.raises(errors.DataError, match="this is a folder"):
        csv_files.read(tmp_path, LABELS)


def box(corners="0.1,0.2,0.3,0.4", states="0,0,0,0,0"):
    return f"{A},xclick,/m/1,1,{corners},{states}\n"


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        ("0.2,0.1,0.3,0.4", r"row 3: XMin is larger than XMax.*XMin ≤ XMax"),
        ("0.1,0.2,0.4,0.3", "row 3: YMin is larger than YMax"),
        ("0.1,1.2,0.3,0.4", "row 3: XMax cannot be used"),
        ("-1,0.2,0.3,0.4", "row 3: XMin cannot be used"),
        ("0.1,nan,0.3,0.4", "row 3: XMax cannot be used"),
    ],
)
def test_a_box_that_is_none_is_named(tmp_path, corners, said):
    with pytest.raises(errors.DataError, match=said):
        annotations.read_boxes(write(tmp_path, BOXES + box() + box(corners)))


def test_the_corners_are_in_the_order_of_the_file(tmp_path):
    text = BOXES.replace("XMin,XMax,YMin,YMax", "YMin,XMax,YMax,XMin")
    rows = annotations.read_boxes(write(tmp_path, text + box("0.3,0.2,0.4,0.1")))
    np.testing.assert_allclose(rows.boxes[:, 0], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)


def test_a_state_beyond_yes_no_and_unknown_is_named(tmp_path):
    with pytest.raises(errors.DataError, match="row 2: IsGroupOf cannot be used"):
        facts.attributes(write(tmp_path, BOXES + box(states="0,0,2,0,0")))


def test_a_row_is_found_again_beyond_empty_lines(tmp_path):
    path = write(tmp_path, "h\n\na\nb\r\n\r\nc\n")
    assert [csv_files.file_row(path, index) for index in range(3)] == [3, 4, 6]
    with pytest.raises(IndexError):
        csv_files.file_row(path, 3)
