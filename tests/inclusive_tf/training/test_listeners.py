"""Counters of Keras callbacks come back after an interruption."""

import json

import keras
import pytest

from data_pipelines import errors
from inclusive_tf.training import listeners


def model():
    built = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    built.compile("sgd", "mse")
    return built


def watch(figures, counters=(), patience=2, first=0):
    """Returns (epochs taken when it ended, listeners)."""
    built, callback = model(), keras.callbacks.EarlyStopping("loss", patience=patience)
    built.stop_training = False
    told = listeners.Listeners([callback], built)
    told.begin(counters)
    for epoch, figure in enumerate(figures, start=first):
        told.tell.on_epoch_end(epoch, {"loss": figure})
        if built.stop_training:
            return epoch + 1, told
    return first + len(figures), told


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_an_interrupted_training_is_stopped_when_a_whole_one_is(taken):
    figures = [3.0, 2.0, 2.5, 2.4, 1.0]
    assert watch(figures)[0] == 4
    _, before = watch(figures[:taken])
    counters = json.loads(json.dumps(before.counters()))
    assert watch(figures[taken:], counters, first=taken)[0] == 4


def test_what_a_callback_was_made_with_is_not_what_it_counted():
    _, before = watch([3.0, 4.0], patience=5)
    _, after = watch([5.0], before.counters(), first=2)
    assert "patience" not in before.counters()[0]["changed"]
    assert after.counters()[0]["changed"]["wait"] == 2


def test_counters_of_another_callback_are_left_out():
    _, told = watch([1.0], [{"callback": "TensorBoard", "changed": {"wait": 7}}])
    assert told.counters()[0]["changed"].get("wait", 0) == 0


def test_callbacks_that_set_the_learning_rate_are_refused():
    callback = keras.callbacks.ReduceLROnPlateau("loss")
    with pytest.raises(errors.SettingError, match="ReduceLROnPlateau"):
        listeners.Listeners([callback], model())
