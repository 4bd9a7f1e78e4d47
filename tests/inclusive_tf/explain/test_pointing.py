import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import pointing


def _halves(count, height=6, width=8):
    masks = np.zeros((count, height, width), bool)
    masks[:, :, : width // 2] = True
    return masks


def test_boxes_and_masks_are_the_same():
    boxes = [[0, 0, 6, 4], [1, 2, 3, 8]]
    masks = pointing.masks_from_boxes(boxes, (6, 8))
    np.testing.assert_array_equal(masks[0], _halves(1)[0])
    assert masks[1].sum() == 2 * 6
    maps = np.random.default_rng(0).random((2, 6, 8))
    np.testing.assert_array_equal(
        pointing.pointing(maps, boxes), pointing.pointing(maps, masks)
    )
    np.testing.assert_array_equal(
        pointing.energy_inside(maps, boxes), pointing.energy_inside(maps, masks)
    )
    np.testing.assert_array_equal(pointing.area(boxes, (6, 8)), pointing.area(masks))


def test_a_map_points_where_its_maximum_is():
    maps = np.zeros((2, 6, 8))
    maps[0, 3, 1] = maps[1, 3, 6] = 1
    assert pointing.pointing(maps, _halves(2)).tolist() == [True, False]


def test_a_map_that_says_nothing_is_no_hit():
    assert not pointing.pointing(np.ones((1, 6, 8)), _halves(1)).any()


def test_a_maximum_reached_on_both_sides_is_no_hit():
    maps = np.zeros((1, 6, 8))
    maps[0, 3, [1, 6]] = 1
    assert not pointing.pointing(maps, _halves(1)).any()


def test_energy_is_the_share_of_positive_values_inside():
    maps = np.full((3, 6, 8), -5.0)
    maps[0, 0, 0], maps[0, 0, 7] = 3, 1
    maps[1, 2, 2] = 1
    np.testing.assert_allclose(
        pointing.energy_inside(maps, _halves(3)), [0.75, 1.0, np.nan]
    )


@pytest.mark.parametrize("value", [0.0, 2.0, -1.0])
def test_a_map_the_same_everywhere_has_no_energy(value):
    assert np.isnan(pointing.energy_inside(np.full((1, 6, 8), value), _halves(1)))


def test_random_maps_score_the_area():
    maps = np.random.default_rng(5).random((4000, 6, 8))
    masks = np.zeros((4000, 6, 8), bool)
    masks[:, :2, :3] = True
    np.testing.assert_allclose(pointing.area(masks), 6 / 48)
    five_sigma = 5 * np.sqrt(6 / 48 * 42 / 48 / 4000)
    for found in (pointing.pointing(maps, masks), pointing.energy_inside(maps, masks)):
        assert found.mean() == pytest.approx(6 / 48, abs=five_sigma)


@pytest.mark.parametrize(
    ("maps", "places", "problem"),
    [
        (np.zeros((2, 6, 8)), np.zeros((2, 3)), "top, left, bottom, right"),
        (np.zeros((2, 6, 8)), np.zeros((2, 6, 7), bool), "disagree in shape"),
        (np.zeros((6, 8)), np.zeros((6, 8), bool), "three axes"),
        (np.full((1, 6, 8), np.inf), np.zeros((1, 6, 8), bool), "NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_refused(maps, places, problem):
    with pytest.raises(errors.DataError, match=problem):
        pointing.pointing(maps, places)
