"""What follows from figures that get no better, against Keras' own callbacks."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inclusive_tf.training import plateaus

FIGURES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=12)


def history_of(figures, name="validation_mean_f2"):
    return [{"loss": 1.0, name: figure} for figure in figures]


@settings(deadline=None, max_examples=50)
@given(FIGURES, st.integers(1, 3))
def test_the_learning_rate_falls_as_keras_lets_it(figures, patience):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 1.0
    listener = keras.callbacks.ReduceLROnPlateau(
        "watched", factor=0.5, patience=patience, min_delta=0, mode="max"
    )
    listener.set_model(model)
    listener.on_train_begin()
    for epoch, figure in enumerate(figures):
        listener.on_epoch_end(epoch, {"watched": figure})
    found = plateaus.learning_rate_factor(history_of(figures), "mean_f2", patience, 0.5)
    assert found == pytest.approx(float(model.optimizer.learning_rate))


@settings(deadline=None, max_examples=50)
@given(FIGURES, st.integers(1, 3))
def test_a_training_ends_as_keras_ends_it(figures, patience):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.stop_training = False
    listener = keras.callbacks.EarlyStopping("watched", patience=patience, mode="min")
    listener.set_model(model)
    listener.on_train_begin()
    ended = []
    for epoch, figure in enumerate(figures):
        listener.on_epoch_end(epoch, {"watched": figure})
        history = history_of(figures[: epoch + 1], "validation_loss")
        ended.append(plateaus.epochs_without_gain(history, "loss") >= patience)
        if model.stop_training:
            break
    assert ended[-1] == model.stop_training
    assert not any(ended[:-1])


def test_without_a_validation_split_the_training_loss_is_watched():
    history = [{"loss": 2.0}, {"loss": 1.0}, {"loss": 1.5}]
    assert plateaus.values(history, "worst_group_f2") == ("loss", [2.0, 1.0, 1.5])
    assert plateaus.epochs_without_gain(history, "worst_group_f2") == 1


def test_before_the_first_epoch_nothing_has_fallen():
    assert plateaus.learning_rate_factor((), "mean_f2", 1, 0.1) == 1
    assert plateaus.epochs_without_gain((), "mean_f2") == 0
    assert np.isfinite(plateaus.learning_rate_factor((), "loss", 1, 0.1))
