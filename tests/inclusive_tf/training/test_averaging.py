"""Averages of weights: their formulas, and that the model is left as it was."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from inclusive_tf.training import averaging, config, distribution


def build():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    )


def average_of(model, **settings):
    return averaging.build(
        dataclasses.replace(config.TrainingConfig(), **settings), model
    )


def assign(model, value):
    model.set_weights(
        [np.full(w.shape, value, np.float32) for w in model.get_weights()]
    )


def test_without_one_there_is_none():
    assert average_of(build()) is None


def test_a_moving_average_follows_its_formula():
    model = build()
    assign(model, 1.0)
    average = average_of(model, average="ema", average_decay=0.5)
    move = tf.function(lambda step: average.after_step(step, distribution.one_device()))
    expected = 1.0
    for step, value in enumerate((3.0, -2.0, 5.0, 8.0), start=1):
        assign(model, value)
        move(tf.constant(step))
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    for variable in average.variables:
        np.testing.assert_allclose(variable, expected, rtol=1e-5)


def test_the_mean_is_of_the_epochs_that_count():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    average = average_of(model, average="swa", average_from=1)
    found = []
    for epoch, value in enumerate((100.0, 1.0, 2.0, 6.0)):
        assign(model, value)
        average.after_epoch(epoch, ())
        found.append(float(np.asarray(average.variables[0])[0, 0]))
    # an epoch before the first that counts is on its own
    assert found == pytest.approx([100.0, 1.0, 1.5, 3.0])


def test_batch_normalisation_is_counted_anew_for_the_mean():
    model = build()
    average = average_of(model, average="swa")
    inputs = np.random.default_rng(0).normal(5, 2, (64, 3)).astype(np.float32)
    before = model.get_weights()
    average.after_epoch(0, [inputs[:32], inputs[32:]])
    outputs = inputs @ before[0] + before[1]
    with average.in_place():
        mean, variance = model.get_weights()[-2:]
    np.testing.assert_allclose(mean, outputs.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, outputs.var(axis=0), rtol=1e-3)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_is_in_place_for_as_long_as_the_context_lasts():
    model = build()
    average = average_of(model, average="ema")
    assign(model, 7.0)
    with average.in_place():
        assert not any((weight == 7).all() for weight in model.get_weights())
    assert all((weight == 7).all() for weight in model.get_weights())
