"""What Keras would do wrongly without a word is refused; the rest works as ever."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf import losses, models
from inclusive_tf.models import classifier

CONFIG = models.ModelConfig(num_classes=3, height=8, width=8, blocks=(1,), growth=2)


def some_data(rows=8):
    generator = np.random.default_rng(0)
    images = generator.random((rows, 8, 8, 1)).astype(np.float32)
    return images, (generator.random((rows, 3)) < 0.5).astype(np.float32)


@pytest.fixture
def model():
    model, _ = models.build(CONFIG)
    model.compile("sgd", losses.build("binary_cross_entropy"))
    return model


def test_keras_weighs_several_labels_by_the_first_of_them():
    """Why this module is there: the day this fails, Keras does something else."""
    inputs = keras.Input((1,))
    plain = keras.Model(inputs, keras.layers.Dense(3, use_bias=False)(inputs))
    seen = []

    def loss(targets, logits):
        return tf.reduce_sum(targets * 0.0 + logits * 0.0, axis=-1) + 1.0

    class Seeing(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            seen.append(sample_weight)
            return tf.reduce_mean(loss(y_true, y_pred))

    plain.compile("sgd", Seeing(), run_eagerly=True)
    targets = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 1]], np.float32)
    plain.train_on_batch(np.ones((3, 1)), targets, class_weight={0: 2, 1: 3, 2: 5})
    np.testing.assert_array_equal(np.ravel(seen[-1]), [3, 2, 5])


def test_class_weight_is_refused_with_the_reason(model):
    images, targets = some_data()
    weights = {0: 1.0, 1: 2.0, 2: 3.0}
    for act in (
        lambda: model.fit(images, targets, class_weight=weights, verbose=0),
        lambda: model.fit(images, targets, 4, 1, 0, None, 0, None, True, weights),
        lambda: model.train_on_batch(images, targets, None, weights),
        lambda: model.train_on_batch(images, targets, class_weight=weights),
    ):
        with pytest.raises(errors.SettingError, match="first largest target"):
            act()


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch",
                                    "test_on_batch", "fit of a data set",
                                    "evaluate of a data set"])  # fmt: skip
def test_weights_of_labels_are_refused(model, method):
    images, targets = some_data()
    weights = np.ones((8, 3), np.float32)
    name, _, whole = method.partition(" of ")
    arguments = [images, targets]
    settings = {"sample_weight": weights}
    if whole:
        rows = tf.data.Dataset.from_tensor_slices((images, targets, weights))
        arguments, settings = [rows.batch(4)], {}
    if not name.endswith("batch"):
        settings["verbose"] = 0
    if method == "fit of a data set":
        settings["shuffle"] = False
    with pytest.raises(errors.SettingError, match="one weight an image"):
        getattr(model, name)(*arguments, **settings)


def test_weights_of_images_are_taken(model):
    images, targets = some_data()
    weights = np.arange(8, dtype=np.float32)
    before = model.get_weights()
    model.fit(images, targets, sample_weight=weights, batch_size=8, verbose=0)
    plain = keras.Model(model.inputs[0], model.outputs[0])
    after = model.get_weights()
    plain.set_weights(before)
    plain.compile("sgd", losses.build("binary_cross_entropy"))
    plain.fit(images, targets, sample_weight=weights, batch_size=8, verbose=0)
    for one, other in zip(after, plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        "categorical_crossentropy",
        keras.losses.BinaryCrossentropy(),
        keras.losses.binary_focal_crossentropy,
        ["binary_crossentropy"],
    ],
)
def test_losses_of_probabilities_are_refused(model, loss):
    with pytest.raises(errors.SettingError, match="from_logits=True"):
        model.compile("sgd", loss)


@pytest.mark.parametrize(
    "loss",
    [
        losses.build("multilabel_softmax"),
        keras.losses.BinaryCrossentropy(from_logits=True),
        "mean_squared_error",
        None,
    ],
)
def test_losses_of_logits_are_taken(model, loss):
    model.compile("sgd", loss)


def test_saved_and_cloned_models_refuse_too_and_are_compiled(model, tmp_path):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.125), loss)
    images, targets = some_data()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for other in (loaded, keras.models.clone_model(model)):
        assert isinstance(other, classifier.Classifier)
        assert float(other.optimizer.learning_rate) == 0.125
        assert np.isfinite(other.train_on_batch(images, targets))
        with pytest.raises(errors.SettingError, match="class_weight"):
            other.train_on_batch(images, targets, class_weight={0: 1.0})
