"""What lies before and behind every family: normalisation, features, last layer."""

import dataclasses

import keras
import numpy as np
import pytest

from inclusive_tf import models
from inclusive_tf.models import head

SMALL = models.ModelConfig(num_classes=5, blocks=(1, 2), growth=4)


def some_images():
    return np.random.default_rng(0).random((3, 28, 56, 1)).astype(np.float32)


def test_the_input_is_normalised_by_mean_and_deviation():
    model, _ = models.build(dataclasses.replace(SMALL, mean=(0.4,), deviation=(0.2,)))
    layer = model.get_layer("normalise")
    values = np.full((1, 28, 56, 1), 0.8, np.float32)
    np.testing.assert_allclose(layer(values), 2.0, rtol=1e-5)


def test_the_bias_can_start_at_the_log_odds():
    model, _ = models.build(
        dataclasses.replace(SMALL, initial_bias=(-4, -3, -2, -1, 0))
    )
    np.testing.assert_array_equal(head.last_layer(model)[1], [-4, -3, -2, -1, 0])


@pytest.mark.parametrize("name", ["densenet_small", "resnet50"])
def test_running_statistics_settle_as_fast_as_they_are_told(name):
    """Of an application as well, and also where a clone is explained or exported."""
    config = dataclasses.replace(
        SMALL, name=name, height=32, width=32, batch_norm_momentum=0.5
    )
    model, _ = models.build(config)
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert {layer.get_config()["momentum"] for layer in layers} == {0.5}
    first = layers[0]
    values = np.full((2, 1, 1, first.gamma.shape[0]), 8.0, np.float32)
    first(values, training=True)
    np.testing.assert_allclose(first.moving_mean, 4.0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dropout": 0.5},
        {"hidden": (6,)},
        {"hidden": (7, 6), "dropout": 0.5, "pooling": "flatten"},
    ],
)
def test_features_and_logits_come_from_one_pass(changes):
    config = dataclasses.replace(SMALL, **changes)
    model, _ = models.build(config)
    both = head.features_and_logits(model)(some_images())
    kernel, bias = head.last_layer(model)
    if config.hidden:
        assert both["features"].shape == (3, config.hidden[-1])
        assert np.min(both["features"]) >= 0
    np.testing.assert_allclose(
        both["features"] @ kernel + bias, both["logits"], rtol=1e-5, atol=1e-6
    )


def test_hidden_layers_lie_between_pooling_and_features_each_with_its_dropout():
    config = dataclasses.replace(SMALL, hidden=(9, 9, 9), dropout=0.5)
    names = [layer.name for layer in models.build(config)[0].layers]
    assert names[names.index("final_relu") + 1 :] == [
        "pooled", "hidden1", "dropout1", "hidden2", "dropout2", "features", "dropout",
        "logits",
    ]  # fmt: skip


def test_dropout_of_layers_of_one_width_falls_on_different_units():
    config = dataclasses.replace(SMALL, hidden=(400, 400), dropout=0.5)
    model, _ = models.build(config)
    ones = np.ones((1, 400), np.float32)
    first, last = (
        np.asarray(model.get_layer(name)(ones, training=True))
        for name in ("dropout1", "dropout")
    )
    assert (first != last).any()
