"""Attributes that predict errors: planted ones are found, chance is not."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import errors, image_attributes
from inclusive_tf.audit import shortcuts, summary

CLASSES = 4


def made(make_predictions, leans=0.0, seed=0, count=1200):
    """Errors at random, but class 1 is told by darkness as strongly as `leans`."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, CLASSES, count)
    shown = np.arange(CLASSES) == true[:, None]
    brightness = generator.random(count)
    logits = np.where(shown, 1.5, -1.5) + 1.2 * generator.normal(size=shown.shape)
    logits[:, 1] += leans * (0.5 - brightness)
    attributes = {"brightness": brightness, "texture": generator.random(count)}
    attributes["group north"] = (generator.random(count) < 0.3).astype(float)
    return make_predictions(logits, shown), attributes


def training(darkened, seed=5, count=1500):
    generator = np.random.default_rng(seed)
    shown = np.arange(CLASSES) == generator.integers(0, CLASSES, count)[:, None]
    brightness = generator.random(count)
    if darkened:
        brightness[shown[:, 1]] *= 0.3
    attributes = {"brightness": brightness, "texture": generator.random(count)}
    attributes["group north"] = (generator.random(count) < 0.3).astype(float)
    return shortcuts.Training(shown, attributes)


def test_a_planted_shortcut_comes_first(make_predictions):
    predictions, attributes = made(make_predictions, leans=4.0)
    found = shortcuts.find(predictions, 0.0, attributes, training(darkened=True))
    alarms = [row for row in found["rows"] if row["verdict"] == shortcuts.SHORTCUT]
    assert {(row["label"], row["attribute"]) for row in alarms} == {("b", "brightness")}
    assert {row["error"] for row in alarms} == {
        shortcuts.FALSE, shortcuts.MISSED, shortcuts.APART
    }  # fmt: skip
    assert found["rows"][0] in alarms
    falsely = next(row for row in alarms if row["error"] == shortcuts.FALSE)
    assert falsely["effect"]["high"] < 0.4
    assert falsely["shares"][0]["value"] > falsely["shares"][1]["value"]
    assert falsely["training"] < 0.2


@pytest.mark.parametrize("seed", range(8))
def test_an_unplanted_control_raises_no_alarm(make_predictions, seed):
    predictions, attributes = made(make_predictions, seed=seed)
    found = shortcuts.find(predictions, 0.0, attributes, training(False, seed + 100))
    assert {row["verdict"] for row in found["rows"]} == {shortcuts.NO_ALARM}
    assert found["tests"] == 3 * 3 * CLASSES


def test_a_class_that_is_missed_altogether_is_compared_with_its_training(
    make_predictions,
):
    predictions, attributes = made(make_predictions)
    logits = np.array(predictions.logits)
    logits[:, 1] = -5.0
    predictions = dataclasses.replace(predictions, logits=logits)
    found = shortcuts.find(predictions, 0.0, attributes, training(darkened=True))
    first = found["rows"][0]
    assert (first["label"], first["attribute"]) == ("b", "brightness")
    assert (first["error"], first["verdict"]) == (
        shortcuts.APART,
        shortcuts.SHORTCUT,
    )
    assert first["n"] == first["of"] == predictions.truth.counts()[1]
    assert "in training it was darker, more than here" in summary.shortcut(first)


def test_another_camera_for_all_images_is_no_shortcut(make_predictions):
    predictions, attributes = made(make_predictions)
    attributes["brightness"] = 0.4 * attributes["brightness"]
    found = shortcuts.find(predictions, 0.0, attributes, training(False))
    assert {row["verdict"] for row in found["rows"]} == {shortcuts.NO_ALARM}


def test_without_training_errors_merely_follow(make_predictions):
    predictions, attributes = made(make_predictions, leans=4.0)
    found = shortcuts.find(predictions, 0.0, attributes)
    verdicts = {row["verdict"] for row in found["rows"]}
    assert verdicts == {shortcuts.FOLLOWS, shortcuts.NO_ALARM}
    assert found["rows"][0]["attribute"] == "brightness"
    assert found["rows"][0]["training"] is None


def test_errors_against_what_training_taught_are_no_shortcut(make_predictions):
    predictions, attributes = made(make_predictions, leans=-4.0)
    found = shortcuts.find(predictions, 0.0, attributes, training(darkened=True))
    within = [row for row in found["rows"] if row["error"] != shortcuts.APART]
    assert all(row["verdict"] != shortcuts.SHORTCUT for row in within)


def test_look_alikes_do_not_count_as_brightness(make_predictions):
    # all false "a" are on bright "b" images, at random among these
    generator = np.random.default_rng(3)
    true = np.repeat([0, 1, 2], 300)
    shown = np.arange(3) == true[:, None]
    logits = np.where(shown, 3.0, -3.0)
    fooled = (true == 1) & (generator.random(900) < 0.4)
    logits[fooled, 0] = 3.0
    attributes = {"brightness": generator.normal(size=900) + 3 * (true == 1)}
    found = shortcuts.find(make_predictions(logits, shown), 0.0, attributes)
    assert [row["verdict"] for row in found["rows"]] == [shortcuts.NO_ALARM]


def test_columns_are_numbers_and_what_some_images_have():
    attributes = image_attributes.Attributes(
        {name: np.arange(4.0) for name in image_attributes.ORDERED},
        np.array([0, 0, 3, 3], np.int8),
    )
    group, names = np.array([0, 1, 2, 2]), ("x", "y", "z", "empty")
    found = shortcuts.columns(attributes, group, names)
    assert list(found) == [
        *image_attributes.ORDERED, "colour black", "group x", "group y", "group z"
    ]  # fmt: skip
    assert found["group z"].tolist() == [0, 0, 1, 1]
    assert "colour red" in shortcuts.columns(attributes, group, names, both=True)
    assert shortcuts.columns(None, np.zeros(3, int), ("only",)) == {}


def test_attributes_of_other_images_are_refused():
    attributes = image_attributes.Attributes(
        {name: np.arange(4.0) for name in image_attributes.ORDERED},
        np.zeros(4, np.int8),
    )
    with pytest.raises(errors.DataError, match="of other images"):
        shortcuts.columns(attributes, np.zeros(3, int), ("only",))


def test_a_class_that_differs_as_in_training_is_seldom_called_changed(
    make_predictions,
):
    p_values = []
    for seed in range(20):
        predictions, attributes = made(make_predictions, seed=seed, count=800)
        rows = np.random.default_rng(seed).random(800)
        dark = predictions.truth.multi_hot()[:, 1]
        attributes["brightness"] = np.where(dark, 0.3 * rows, rows)
        found = shortcuts.find(
            predictions, 0.0, attributes, training(True, seed + 500, count=500)
        )["rows"]
        p_values += [row["p_value"] for row in found if row["error"] == shortcuts.APART]
    assert len(p_values) == 20 * 3 * CLASSES
    assert np.mean(np.array(p_values) < 0.05) < 0.08
    assert np.mean(np.array(p_values) < 1e-3) < 0.01


def test_one_group_and_no_images_leave_nothing_to_look_at(make_predictions):
    predictions, _ = made(make_predictions)
    with pytest.raises(errors.DataError, match="no attribute"):
        shortcuts.find(predictions, 0.0, {})
