import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import cases, checks, faithfulness

CONFIG = faithfulness.CurveConfig(cell=4, steps=5, orders=4)


def test_areas_equal_a_plain_loop(model, images):
    """The mean logit over steps, where the squares named first go first."""
    maps = np.random.default_rng(0).random((1, 12, 20))
    curves = faithfulness.Curves(model, CONFIG)
    found = curves.gains(images[:1], [2], {"map": maps, "same": maps})
    np.testing.assert_allclose(
        found["map"]["deletion"], found["same"]["deletion"], atol=1e-6
    )
    squares = [(top, left) for top in (0, 4, 8) for left in (0, 4, 8, 12, 16)]
    mean = images[0].mean()

    def area(order, start, end):
        logits = []
        for step in range(6):
            image = start.copy()
            for top, left in order[: round(15 * step / 5)]:
                image[top : top + 4, left : left + 4] = end[
                    top : top + 4, left : left + 4
                ]
            logits.append(float(model([image[None]])[0, 2]))
        return np.mean(logits)

    whole, covered = images[0], np.full_like(images[0], mean)
    energy = {
        (top, left): maps[0, top : top + 4, left : left + 4].mean()
        for top, left in squares
    }
    named = sorted(squares, key=energy.get, reverse=True)
    generator = np.random.default_rng([0, 0])
    randoms = [[squares[i] for i in generator.permutation(15)] for _ in range(4)]
    for curve, start, end, sign in (
        ("deletion", whole, covered, -1),
        ("insertion", covered, whole, 1),
    ):
        chance = np.mean([area(order, start, end) for order in randoms])
        expected = sign * (area(named, start, end) - chance)
        assert found["map"][curve][0] == pytest.approx(expected, abs=1e-5)


def test_a_map_of_what_the_model_uses_beats_random_and_its_opposite_loses(brightness):
    random = np.random.default_rng(3)
    images = random.random((6, 12, 20, 1)).astype(np.float32) * 0.2
    images[:, 4:8, 8:12] = 1
    maps = {"right": images[..., 0], "opposite": -images[..., 0]}
    config = faithfulness.CurveConfig(cell=4, fill=0.0)
    found = faithfulness.Curves(brightness, config).gains(images, [0] * 6, maps)
    for curve in ("deletion", "insertion"):
        assert found["right"][curve].min() > 0
        assert found["opposite"][curve].max() < 0


def test_the_seed_decides_the_random_orders(model, images):
    maps = {"map": images[..., 0]}

    def gains(seed):
        config = faithfulness.CurveConfig(steps=3, orders=2, seed=seed)
        found = faithfulness.Curves(model, config).gains(images, [1] * 5, maps)
        return found["map"]["deletion"]

    np.testing.assert_array_equal(gains(1), gains(1))
    assert (gains(1) != gains(2)).any()


def test_an_unknown_fill_is_refused(model):
    with pytest.raises(errors.DataError, match="no such fill"):
        faithfulness.Curves(model, faithfulness.CurveConfig(fill="black"))


def test_drawn_weights_are_the_same_values_elsewhere(model):
    twin = faithfulness.with_drawn_weights(model, seed=1)
    moved = False
    for before, after in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(np.sort(before.ravel()), np.sort(after.ravel()))
        moved |= (before != after).any()
    assert moved


def test_maps_of_another_model_are_unlike_and_of_the_same_are_alike(model, images):
    config = cases.ExplainConfig(patch=4, stride=4)
    label = np.array([0, 1, 2, 3, 0])
    taken = cases.maps_of(model, "final_map", images, np.arange(5), label, config)
    same = faithfulness.rank_correlations(taken["saliency"], taken["saliency"])
    np.testing.assert_allclose(same, 1)
    found = checks.check_redrawn(model, "final_map", images, label, taken, config)
    for row in found["redrawn"]:
        assert row["baseline"] == 0
        assert row["hits"]["value"] < 0.9


def test_a_flat_map_has_no_correlation():
    found = faithfulness.rank_correlations(np.ones((1, 2, 3)), np.eye(3)[None, :2])
    assert np.isnan(found).all()


def test_flat_maps_are_counted_and_left_out_of_the_curves(model, images):
    taken = {"grad_cam": np.array(images[..., 0])}
    taken["grad_cam"][1:3] = 0
    found = checks.check_curves(model, images, [0] * 5, taken, CONFIG)
    for curve in ("deletion", "insertion"):
        (row,) = found[curve]
        assert (row["method"], row["degenerate"]) == ("Grad-CAM", 2)
        assert row["hits"]["n"] == 3


def test_places_are_checked_for_each_method():
    taken = {"grad_cam": np.zeros((12, 6, 8)), "saliency": np.zeros((12, 6, 8))}
    taken["grad_cam"][:, 2, 1] = 1
    masks = np.zeros((12, 6, 8), bool)
    masks[:, :, :4] = True
    found = checks.check_places(taken, masks)
    assert [row["method"] for row in found["pointing"]] == ["Grad-CAM", "saliency"]
    assert [row["hits"]["value"] for row in found["pointing"]] == [1.0, 0.0]
    assert found["energy"][0]["hits"]["value"] == 1.0
    assert found["energy"][1]["degenerate"] == 12
    assert {row["baseline"] for row in found["energy"]} == {0.5}
    boxes = np.tile([0, 0, 6, 4], (12, 1))
    assert checks.check_places(taken, boxes) == found
