"""Facts that a label table does not hold: agreement, confidences, boxes' attributes."""

import json

import pytest

from data_pipelines import labels
from data_pipelines.open_images import facts, fused

VOCABULARY = labels.Vocabulary(["/m/1", "/m/2"])
HALF = (0, 0.5, 0, 1)


@pytest.fixture
def found(write_labels, write_boxes):
    paths = {
        "human": write_labels([(1, "/m/1", 1), (2, "/m/9", 1)], "human.csv"),
        "machine": write_labels([(1, "/m/1", 0.7), (2, "/m/2", 0.52)], "machine.csv"),
        "box": write_boxes(
            [
                (1, "/m/1", HALF, "1,0,-1,0,0"),
                (1, "/m/1", (0.5, 1, 0, 1), "0,0,-1,0,0"),
                (2, "/m/9", HALF, "1,1,1,0,-1"),
            ]
        ),
    }
    return facts.measure(paths, fused.read_rows(paths), VOCABULARY, "human_only")


def test_all_files_are_reported_on_whatever_the_rule_looks_at(found):
    assert set(found["fusion"]["sources"]) == {"human", "machine", "box"}
    assert found["fusion"]["kept"] == 1
    assert found["fusion"]["sources"]["machine"]["lost"] == 1
    json.dumps(found, allow_nan=False)


def test_confidences_fall_into_bins_of_a_twentieth(found):
    histogram = found["confidence"]["machine"]
    assert histogram["edges"][10] == 0.5
    assert [place for place, n in enumerate(histogram["counts"]) if n] == [10, 13]
    assert sum(found["confidence"]["human"]["counts"]) == 1
    # two halves are the whole image
    assert found["confidence"]["box area"]["counts"][-1] == 1


def test_attributes_are_shares_of_what_is_known(found):
    overall = found["boxes"]["attributes"]
    assert overall["occluded"] == {"yes": 2, "no": 1, "unknown": 0}
    assert overall["group"] == {"yes": 1, "no": 0, "unknown": 2}
    assert found["boxes"]["by_label"]["/m/1"] == {
        "boxes": 2, "occluded": 0.5, "truncated": 0.0, "group": None,
        "depiction": 0.0, "inside": 0.0,
    }  # fmt: skip
    assert found["boxes"]["by_label"]["/m/9"]["inside"] is None


def test_boxes_without_attributes_are_no_reason_to_fail(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text(
        "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\n"
        "0000000000000001,/m/1,1,0,1,0,1\n"
    )
    rows = fused.read_rows({"box": path})
    assert "boxes" not in facts.measure({"box": path}, rows, VOCABULARY, "maximum")
