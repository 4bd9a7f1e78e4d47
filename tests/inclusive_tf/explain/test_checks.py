"""Maps are checked on rightly given labels, where boxes say where these are."""

import types

import numpy as np
import pytest

from data_pipelines import label_boxes, labels
from inclusive_tf.explain import checks

SIDE = 8


@pytest.fixture
def subject():
    """Draws images of 8 pixels twice as wide as 8; its maps peak at the top left."""

    def maps_of(pixels, owner, label_index):
        maps = np.zeros((len(owner), SIDE, SIDE), np.float32)
        maps[:, 0, 0], maps[:, 7, 7] = 3, 1
        return {"grad_cam": maps}

    return types.SimpleNamespace(
        image_config=types.SimpleNamespace(height=SIDE, width=SIDE),
        pixels=lambda part, rows: np.zeros((len(rows), SIDE, SIDE, 1), np.float32),
        extents=lambda part, rows: np.tile(np.float32([0, -4, 8, 12]), (len(rows), 1)),
        maps_of=maps_of,
    )


def boxes(*rows):
    rows = sorted(rows, key=lambda one: one[0])
    row, label, *corners = map(np.array, zip(*rows, strict=True))
    return label_boxes.Boxes(row, label, np.stack(corners, axis=1).astype(np.float32))


@pytest.fixture
def predicted():
    """Five images, that show 0, 0 and 1, 0, 1, and nothing."""
    shown = labels.SparseLabels(
        np.array([0, 1, 3, 4, 5, 5]), np.array([0, 0, 1, 0, 1], np.int32),
        np.ones(5, np.float32), 2,
    )  # fmt: skip
    logits = np.array([[1, 1], [1, 1], [-1, -1], [-1, 1], [1, 1]], np.float32)
    return types.SimpleNamespace(
        vocabulary=labels.Vocabulary(("a", "b")), truth=shown, logits=logits
    )


def test_a_map_is_held_against_the_boxes_of_its_label(subject, predicted):
    found = checks.check_boxes(
        subject, None, predicted, 0.0,
        boxes(
            # in two boxes, of which one holds the peak: half of the image is shown
            (0, 0, 0, 0.25, 0.5, 0.5), (0, 0, 0.5, 0.5, 1, 0.75),
            (1, 1, 0.5, 0.5, 1, 0.75),  # not at the peak
            (2, 0, 0, 0, 1, 1),  # shown, not given
            (3, 1, 0, 0, 1, 0.125),  # cut away on the way to 8 pixels
            (4, 0, 0, 0, 1, 1),  # given, not shown
        ),
        10,
    )  # fmt: skip
    (pointing,), (energy,) = found["box_pointing"], found["box_energy"]
    assert (pointing["hits"]["value"], pointing["hits"]["n"]) == (0.5, 2)
    assert energy["hits"]["value"] == pytest.approx((1.0 + 0.25) / 2)
    assert pointing["baseline"] == pytest.approx((0.5 + 0.25) / 2)


def test_labels_come_in_turn_and_an_image_once(subject, predicted):
    whole = [(0, 0, 0, 0, 1, 1), (1, 0, 0, 0, 1, 1), (3, 1, 0, 0.4, 1, 0.5)]
    found = checks.check_boxes(subject, None, predicted, 0.0, boxes(*whole), 2)
    # one of either label, though two of the first come first
    assert found["box_pointing"][0]["baseline"] < 1
    both = [(1, 0, 0, 0, 1, 1), (1, 1, 0, 0, 1, 1)]
    found = checks.check_boxes(subject, None, predicted, 0.0, boxes(*both), 9)
    assert found["box_pointing"][0]["hits"]["n"] == 1


def test_nothing_is_said_where_no_box_is_of_use(subject, predicted):
    for row in ((2, 0, 0, 0, 1, 1), (3, 1, 0, 0, 1, 0.125)):
        assert checks.check_boxes(subject, None, predicted, 0.0, boxes(row), 9) == {}
