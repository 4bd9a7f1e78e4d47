"""The fused batch normalisation is Keras' own, which is its oracle."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from inclusive_tf import models
from inclusive_tf.models import batch_normalization

SHAPE = (6, 5, 4, 3)


def pair(shape=SHAPE, **settings):
    """Returns (ours, Keras' own) with the same made state."""
    layers = (
        batch_normalization.BatchNormalization(**settings),
        keras.layers.BatchNormalization(**settings),
    )
    for layer in layers:
        layer.build(shape)
        generator = np.random.default_rng(1)
        for variable in layer.variables:
            variable.assign(generator.uniform(0.5, 2, variable.shape))
    return layers


def images(shape=SHAPE, dtype="float32"):
    return tf.constant(np.random.default_rng(0).normal(3, 2, shape), dtype)


def learnt(layer, inputs):
    """Returns what a step sees: outputs, gradients, and the moving averages after."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            value = tf.reduce_sum(tf.cast(outputs, "float32") ** 3)
        return outputs, tape.gradient(value, [inputs, *layer.trainable_variables])

    outputs, gradients = step()
    return [outputs, *gradients, layer.moving_mean, layer.moving_variance]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scale": False},
        {"center": False},
        {"axis": 3, "epsilon": 1.001e-5, "momentum": 0.9},
        {"renorm": True},
        {"synchronized": True},
        {"axis": 1},
    ],
    ids=str,
)
def test_a_step_and_an_answer_are_those_of_keras(settings):
    ours, theirs = pair(**settings)
    inputs = images()
    for found, expected in zip(
        [*learnt(ours, inputs), ours(inputs)],
        [*learnt(theirs, inputs), theirs(inputs)],
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("shape", [(6, 3), (6, 7, 3), (1, 1, 1, 3), (0, 5, 4, 3)])
def test_other_shapes_are_those_of_keras(shape):
    ours, theirs = pair(shape)
    inputs = images(shape)
    np.testing.assert_allclose(ours(inputs), theirs(inputs), rtol=1e-5, atol=1e-5)
    if len(inputs):
        for found, expected in zip(
            learnt(ours, inputs), learnt(theirs, inputs), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_dtypes_are_those_of_keras(dtype):
    ours, theirs = pair(dtype=dtype)
    inputs = images(dtype=ours.compute_dtype)
    for training in (True, False):
        found, expected = (layer(inputs, training=training) for layer in (ours, theirs))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(
            *(tf.cast(outputs, "float32") for outputs in (found, expected)),
            rtol=1e-2, atol=1e-2,
        )  # fmt: skip
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-3)


def test_masked_places_are_left_out_as_by_keras():
    ours, theirs = pair()
    mask = tf.constant(np.random.default_rng(2).random(SHAPE[:3]) < 0.5)
    found, expected = (
        layer(images(), training=True, mask=mask) for layer in (ours, theirs)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_frozen_layer_answers_in_training_too():
    ours, theirs = pair()
    ours.trainable = theirs.trainable = False
    before = np.array(ours.moving_mean)
    np.testing.assert_allclose(
        ours(images(), training=True), theirs(images(), training=True), rtol=1e-5
    )
    np.testing.assert_array_equal(ours.moving_mean, before)


def test_its_config_and_its_place_in_a_file_are_those_of_keras(tmp_path):
    ours, theirs = pair(epsilon=0.01)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(ours)
    )
    assert type(again) is batch_normalization.BatchNormalization
    assert again.epsilon == 0.01
    names = []
    for number, layer in enumerate((ours, theirs)):
        inputs = keras.Input(SHAPE[1:])
        path = tmp_path / f"{number}.weights.h5"
        keras.Model(inputs, layer(inputs)).save_weights(path)
        with h5py.File(path) as file:
            names.append([])
            file.visit(names[-1].append)
    assert names[0] == names[1]


@pytest.mark.parametrize("name", ["densenet121", "resnet_small", "xception"])
def test_every_model_has_it(name):
    model = models.build(models.ModelConfig(name, 2, 71, 71))[0]
    kinds = {
        type(layer)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert kinds == {batch_normalization.BatchNormalization}
