"""A small flat model as the contract has it, and images for it."""

import keras
import numpy as np
import pytest

NUM_LABELS = 4


def build_model(activation=None, policy="float32"):
    keras.utils.set_random_seed(7)
    layers = keras.layers
    image = keras.Input((12, 20, 1))
    flow = layers.Normalization(mean=0.3, variance=0.1, dtype=policy)(image)
    flow = layers.Conv2D(6, 3, strides=2, padding="same", dtype=policy)(flow)
    flow = layers.BatchNormalization(dtype=policy)(flow)
    grown = layers.Conv2D(3, 3, padding="same", name="growth", dtype=policy)(flow)
    flow = layers.Concatenate(dtype=policy)([flow, grown])
    flow = layers.ReLU(name="final_map", dtype=policy)(flow)
    flow = layers.GlobalAveragePooling2D(name="features", dtype=policy)(flow)
    logits = layers.Dense(
        NUM_LABELS, activation=activation, name="logits", dtype="float32"
    )
    return keras.Model(image, logits(flow))


@pytest.fixture(scope="session")
def build():
    return build_model


@pytest.fixture(scope="session")
def model():
    return build_model()


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(1).random((5, 12, 20, 1), np.float32)


@pytest.fixture(scope="session")
def brightness():
    """A model whose label 0 is the mean brightness, label 1 its negative, 2 constant.

    So the truth about its maps is known.
    """
    layers = keras.layers
    image = keras.Input((12, 20, 1))
    flow = layers.Conv2D(1, 1, kernel_initializer="ones", name="final_map")(image)
    flow = layers.GlobalAveragePooling2D(name="features")(flow)
    model = keras.Model(image, layers.Dense(3, name="logits")(flow))
    weights = np.array([[100.0, -100.0, 0.0]], np.float32)
    model.get_layer("logits").set_weights([weights, np.zeros(3, np.float32)])
    return model
