"""A text stands beside the pooled image, or alone; padding changes nothing."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf import models
from inclusive_tf.models import head

BOTH = models.ModelConfig(
    num_classes=4, height=8, width=8, blocks=(1, 1), growth=2, inputs="image_and_text",
    text_vocabulary=9, text_length=5, text_units=3,
)  # fmt: skip
TEXT = dataclasses.replace(BOTH, inputs="text")


def some_inputs(rows=6):
    generator = np.random.default_rng(0)
    text = generator.integers(1, 9, (rows, 5)).astype(np.int32)
    text[0] = 0
    text[1, 2:] = 0
    return {
        "image": generator.random((rows, 8, 8, 1)).astype(np.float32),
        "text": text,
        "target": np.zeros((rows, 4), np.float32),
    }


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def plain_gru(model, tokens):
    """The unit's equations (Cho et al. 2014, reset after the product) in NumPy."""
    words = model.get_layer("words").get_weights()[0]
    name = "features" if "features" in [x.name for x in model.layers] else "read"
    unit = next(x for x in model.layers if isinstance(x, keras.layers.GRU))
    assert unit.name in (name, "read")
    kernel, recurrent, bias = unit.get_weights()
    states = np.zeros((len(tokens), recurrent.shape[0]))
    for row, text in enumerate(tokens):
        for token in text[text > 0]:
            x = np.split(words[token] @ kernel + bias[0], 3)
            h = np.split(states[row] @ recurrent + bias[1], 3)
            keep, reset = sigmoid(x[0] + h[0]), sigmoid(x[1] + h[1])
            new = np.tanh(x[2] + reset * h[2])
            states[row] = keep * states[row] + (1 - keep) * new
    return states


def test_text_alone_is_a_gru_over_the_words_there_are():
    model, feature_map = models.build(TEXT)
    assert feature_map == ""
    assert model.name == "text"
    batch = some_inputs()
    found = head.features_and_logits(model)(head.inputs_of(model, batch))
    expected = plain_gru(model, batch["text"])
    np.testing.assert_allclose(found["features"], expected, atol=1e-6)
    np.testing.assert_array_equal(found["features"][0], 0)


def test_text_stands_beside_the_pooled_image():
    model, feature_map = models.build(BOTH)
    assert feature_map == "final_relu"
    batch = some_inputs()
    found = head.features_and_logits(model)(head.inputs_of(model, batch))
    image = keras.Model(model.input, model.get_layer("pooled").output)
    expected = np.concatenate(
        [image(head.inputs_of(model, batch)), plain_gru(model, batch["text"])], axis=1
    )
    np.testing.assert_allclose(found["features"], expected, atol=1e-6)
    kernel, bias = head.last_layer(model)
    np.testing.assert_allclose(
        found["features"] @ kernel + bias, found["logits"], atol=1e-5
    )


@pytest.mark.parametrize("config", [BOTH, TEXT], ids=["both", "text"])
def test_hidden_layers_come_after_the_join(config):
    model, _ = models.build(dataclasses.replace(config, hidden=(7, 6), dropout=0.1))
    names = [layer.name for layer in model.layers]
    assert names[-5:] == ["hidden1", "dropout1", "features", "dropout", "logits"]
    assert model.get_layer("features").output.shape == (None, 6)


@pytest.mark.parametrize("config", [BOTH, TEXT], ids=["both", "text"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_it_is_flat_answers_in_float32_and_learns_everywhere(config, dtype):
    model, _ = models.build(dataclasses.replace(config, dtype=dtype))
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    with tf.GradientTape() as tape:
        logits = model(head.inputs_of(model, some_inputs()), training=False)
        value = tf.reduce_sum(tf.square(logits - 1.0))
    assert logits.dtype == "float32"
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(value, variables),
                                  strict=True):  # fmt: skip
        gradient = tf.convert_to_tensor(gradient)
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient), variable.path


@pytest.mark.parametrize("config", [BOTH, TEXT], ids=["both", "text"])
def test_one_signature_takes_batches_of_any_size(config):
    model, _ = models.build(config)
    forward = tf.function(model, input_signature=[head.inputs_signature(model)])
    batch = {name: tf.constant(values) for name, values in some_inputs().items()}
    whole = forward(head.inputs_of(model, batch))
    part = {name: values[:2] for name, values in batch.items()}
    np.testing.assert_allclose(
        forward(head.inputs_of(model, part)), whole[:2], atol=1e-6
    )


def test_a_model_of_images_takes_the_image_of_a_batch():
    model, _ = models.build(dataclasses.replace(BOTH, inputs="image"))
    batch = some_inputs()
    assert head.inputs_of(model, batch) is batch["image"]
    assert head.inputs_signature(model) == tf.TensorSpec((None, 8, 8, 1), tf.float32)
    assert (head.sees_images(model), head.reads_text(model)) == (True, False)
    # the layers of a model without text are named as they always were
    assert "pooled" not in [layer.name for layer in model.layers]


def test_a_model_with_text_is_saved_cloned_and_loaded(tmp_path):
    model, _ = models.build(BOTH)
    inputs = head.inputs_of(model, some_inputs())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for other in (loaded, copy):
        assert type(other) is type(model)
        np.testing.assert_allclose(other(inputs), model(inputs), atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{"inputs": "sound"}, {"text_vocabulary": 2}, {"text_length": 0},
     {"text_units": 0}],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(changes):
    with pytest.raises(errors.SettingError, match=f"this {next(iter(changes))}"):
        dataclasses.replace(BOTH, **changes)
