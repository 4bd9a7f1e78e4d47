"""Statistics are what NumPy finds in the images; nothing else of the model changes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf import models
from inclusive_tf.training import target_statistics


def pixels(count=37, seed=0):
    """Images whose light rises, so that batches differ in their means."""
    generator = np.random.default_rng(seed)
    values = generator.random((count, 8, 8, 2)) * 0.3
    return (values + np.linspace(0, 2, count)[:, None, None, None]).astype(np.float32)


def in_batches(values, size):
    return [tf.constant(values[i : i + size]) for i in range(0, len(values), size)]


def two_layers(dropout=0.0):
    """Normalise, convolve, drop, normalise; with a convolution that NumPy knows."""
    inputs = keras.Input((8, 8, 2))
    tensor = keras.layers.BatchNormalization(epsilon=1e-3, name="first")(inputs)
    tensor = keras.layers.Conv2D(3, 1, name="mix")(tensor)
    tensor = keras.layers.Dropout(dropout, seed=0)(tensor)
    tensor = keras.layers.BatchNormalization(name="second")(tensor)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(tensor))
    keras.utils.set_random_seed(1)
    for layer in ("first", "mix", "second"):
        weights = [np.random.default_rng(3).normal(size=w.shape) ** 2 + 0.1
                   for w in model.get_layer(layer).get_weights()]  # fmt: skip
        model.get_layer(layer).set_weights(weights)
    return model


def moments(values):
    return values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))


def statistics(model, layer):
    one = model.get_layer(layer)
    return one.moving_mean.numpy(), one.moving_variance.numpy()


@pytest.mark.parametrize("size", [37, 10, 7])
def test_the_first_layer_has_the_moments_of_all_images(size):
    model, values = two_layers(), pixels()
    assert target_statistics.refresh(model, in_batches(values, size)) == 37
    for found, expected in zip(
        statistics(model, "first"), moments(values.astype(np.float64)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [37, 10])
def test_a_later_layer_has_those_of_what_reached_it_in_training(size):
    model, values = two_layers(dropout=0.5), pixels().astype(np.float64)
    gamma, beta = (w.astype(np.float64) for w in
                   model.get_layer("first").get_weights()[:2])  # fmt: skip
    kernel, bias = model.get_layer("mix").get_weights()
    reached = []
    for batch in np.split(values, range(size, len(values), size)):
        mean, variance = moments(batch)
        normal = gamma * (batch - mean) / np.sqrt(variance + 1e-3) + beta
        reached.append(normal @ kernel[0, 0] + bias)
    target_statistics.refresh(model, in_batches(pixels(), size))
    for found, expected in zip(
        statistics(model, "second"), moments(np.concatenate(reached)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_only_statistics_change_and_always_in_the_same_way():
    model = two_layers(dropout=0.3)
    model.get_layer("second").trainable = False
    settings = [(layer, "momentum") for layer in ("first", "second")]
    before = [(v.path, v.numpy()) for v in model.variables]
    kept = [getattr(model.get_layer(layer), name) for layer, name in settings]
    target_statistics.refresh(model, in_batches(pixels(), 10))
    once = model.get_weights()
    for variable, (path, value) in zip(model.variables, before, strict=True):
        same = np.array_equal(variable.numpy(), value)
        assert same != ("moving" in path)
    assert kept == [getattr(model.get_layer(layer), name) for layer, name in settings]
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.3]
    assert not model.get_layer("second").trainable
    target_statistics.refresh(model, in_batches(pixels(), 10))
    for first, second in zip(once, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_old_statistics_count_as_many_inputs_as_said():
    """Schneider et al. 2020, section 2: N / (N + n) of the old ones."""
    model, values = two_layers(), pixels()
    old = statistics(model, "first")
    target_statistics.refresh(model, in_batches(values, 10), prior_strength=111)
    for found, before, new in zip(
        statistics(model, "first"), old, moments(values.astype(np.float64)), strict=True
    ):
        np.testing.assert_allclose(found, 0.75 * before + 0.25 * new, rtol=1e-5)


def test_a_failing_batch_leaves_the_model_as_it_was():
    model = two_layers()
    before = model.get_weights()

    def failing():
        yield from in_batches(pixels(), 10)
        raise OSError("no more images")

    with pytest.raises(OSError, match="no more"):
        target_statistics.refresh(model, failing())
    poisoned = pixels()
    poisoned[3] = np.nan
    with pytest.raises(errors.DataError, match="statistic of first is no finite"):
        target_statistics.refresh(model, in_batches(poisoned, 10))
    with pytest.raises(errors.DataError, match="no image"):
        target_statistics.refresh(model, [])
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert model.get_layer("first").momentum == 0.99


def test_models_it_cannot_be_done_for_are_refused_in_words():
    inputs = keras.Input((8, 8, 2))
    plain = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(errors.SettingError, match="which has none"):
        target_statistics.refresh(plain, in_batches(pixels(), 10))
    noisy = keras.layers.GaussianNoise(0.1, name="noise")(inputs)
    noisy = keras.Model(inputs, keras.layers.BatchNormalization()(noisy))
    with pytest.raises(errors.SettingError, match=r"left to chance.*Received: noise"):
        target_statistics.refresh(noisy, in_batches(pixels(), 10))


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(strength):
    with pytest.raises(errors.SettingError, match="from 0 on"):
        target_statistics.StatisticsConfig(("test",), strength)
    with pytest.raises(errors.SettingError, match="from 0 on"):
        target_statistics.refresh(two_layers(), [], strength)


def test_a_weight_of_the_old_without_new_ones_is_refused():
    with pytest.raises(errors.SettingError, match="and no split"):
        target_statistics.StatisticsConfig((), 5.0)


def test_images_in_another_light_are_answered_as_before():
    """A linear change of light is undone, but for the epsilon of the first layer."""
    model, values = two_layers(), pixels()
    answers = []
    for light in (values, 3 * values + 0.6):
        target_statistics.refresh(model, in_batches(light, 37))
        answers.append(model(light, training=False).numpy())
    np.testing.assert_allclose(*answers, atol=1e-2)
    assert np.std(answers[0]) > 0.1


def test_a_model_of_half_precision_is_refreshed_in_float32():
    config = models.ModelConfig(
        name="resnet_small", num_classes=3, height=8, width=8, blocks=(1,),
        filters=4, dtype="mixed_bfloat16",
    )  # fmt: skip
    model, _ = models.build(config)
    values = np.random.default_rng(0).random((64, 8, 8, 1)).astype(np.float32)
    before = model.get_weights()
    target_statistics.refresh(model, in_batches(values, 64))
    changed = [not np.array_equal(*pair) for pair in
               zip(before, model.get_weights(), strict=True)]  # fmt: skip
    moving = ["moving" in variable.path for variable in model.weights]
    assert changed == moving
    assert np.isfinite(model(values, training=False)).all()
