"""Views are averaged as said, and the last layer answers the mean of their features."""

import io

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from PIL import Image

from data_pipelines import batches, errors, images, labels, views
from inclusive_tf import inference, models, scores
from inclusive_tf.adaptation import adapted
from inclusive_tf.models import head

IMAGE = images.ImageConfig(12, 14, 3)
COUNTS = np.array([5, 4, 3])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """11 images of noise, of which every second shows two labels."""
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number in range(11):
        buffer = io.BytesIO()
        pixels = generator.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, "PNG")
        (folder / f"{number}.png").write_bytes(buffer.getvalue())
    return labels.LabelTable(
        ids=np.array([f"i{number}" for number in range(11)]),
        locations=np.array([str(folder / f"{number}.png") for number in range(11)]),
        labels=labels.SparseLabels.from_lists([[n % 3, 2][: 1 + n % 2] for n in
                                               range(11)], 3),
        vocabulary=labels.Vocabulary(["a", "b", "c"]),
        group=np.zeros(11, np.int32),
        group_names=("all",),
        split=np.zeros(11, np.int32),
        split_names=("test",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def model():
    """Small, and neither linear nor the same for mirror images."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 14, 3))
    tensor = keras.layers.Conv2D(6, 3, strides=2, activation="relu")(inputs * 4 - 2)
    features = keras.layers.GlobalMaxPooling2D(name="features")(tensor)
    logits = keras.layers.Dense(3, name="logits", kernel_initializer="glorot_normal")
    return keras.Model(inputs, logits(features))


def one_by_one(model, table, config):
    """(features, logits) [V, N, ...]: each view by itself, through the whole road."""
    decoded = batches.evaluation_batches(table, config.decoded(IMAGE), len(table))
    stacked = views.stack(next(iter(decoded))["image"], config, 12, 14)
    both = head.features_and_logits(model)
    found = [both(view, training=False) for view in stacked]
    return [np.stack([one[name] for one in found]) for name in ("features", "logits")]


@pytest.mark.parametrize("name", views.COUNTS)
def test_the_mean_of_logits_is_the_last_layers_answer(model, table, name):
    config = views.ViewsConfig(name)
    found = inference.predict(model, table, IMAGE, COUNTS, 7, views=config)
    features, logits = one_by_one(model, table, config)
    np.testing.assert_allclose(found.features, features.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.logits, logits.mean(axis=0), atol=1e-5)
    answer = found.features @ found.kernel + found.bias
    np.testing.assert_allclose(found.logits, answer, atol=1e-5)
    np.testing.assert_array_equal(found.ids, table.ids)
    assert found.variant == config.description


@pytest.mark.parametrize("name", ["mirror", "five_crops", "ten_crops"])
def test_the_mean_of_probabilities_is_given_as_its_logit(model, table, name):
    config = views.ViewsConfig(name, mean="probabilities")
    found = inference.predict(model, table, IMAGE, COUNTS, 30, views=config)
    features, logits = one_by_one(model, table, config)
    mean = scipy.special.expit(logits.astype(np.float64)).mean(axis=0)
    np.testing.assert_allclose(found.logits, scipy.special.logit(mean), atol=1e-5)
    np.testing.assert_allclose(found.features, features.mean(axis=0), atol=1e-5)
    assert found.kernel is None
    assert found.layer_hash == ""
    with pytest.raises(errors.DataError, match="without --view_mean=probabilities"):
        adapted.fit(found, True, False)


def test_without_views_nothing_is_averaged(model, table):
    plain = inference.predict(model, table, IMAGE, COUNTS, 4)
    config = views.ViewsConfig(mean="probabilities")
    again = inference.predict(model, table, IMAGE, COUNTS, 4, views=config)
    np.testing.assert_array_equal(plain.logits, again.logits)
    np.testing.assert_array_equal(plain.kernel, again.kernel)
    assert plain.variant == again.variant == ""


def test_the_batch_size_counts_views_and_changes_nothing(model, table):
    config = views.ViewsConfig("ten_crops")
    sizes = [len(x) for x in inference.view_batches(table, IMAGE, 25, config)]
    assert sizes == [20] * 5 + [10]
    assert len(next(iter(inference.view_batches(table, IMAGE, 3, config)))) == 10
    small, large = (
        inference.predict(model, table, IMAGE, COUNTS, size, views=config)
        for size in (3, 1000)
    )
    np.testing.assert_allclose(small.logits, large.logits, atol=1e-5)


def test_a_model_that_sees_the_left_edge_gives_a_known_answer(table):
    """Its one feature is the leftmost column's mean, its logit twice that and 1."""
    inputs = keras.Input((12, 14, 3))
    column = inputs[:, :, :1]
    features = keras.layers.GlobalAveragePooling2D(name="features")(column)
    one = keras.Model(inputs, keras.layers.Dense(3, name="logits")(features))
    one.get_layer("logits").set_weights([np.full((3, 3), 2 / 3), np.ones(3)])
    found = inference.predict(one, table, IMAGE, COUNTS, views=views.ViewsConfig(
        "mirror"))  # fmt: skip
    decoded = next(iter(batches.evaluation_batches(table, IMAGE, 11)))["image"].numpy()
    edges = (decoded[:, :, 0] + decoded[:, :, -1]).mean(axis=(1, 2)) / 2
    np.testing.assert_allclose(found.logits[:, 0], 2 * edges + 1, rtol=1e-5)


def test_the_logit_of_a_mean_probability_neither_overflows_nor_rounds_to_certainty():
    logits = np.array([[[1e4, -300.0, 40.0, 0.0]], [[1e4, -200.0, 60.0, 1.0]]])
    found = inference.logit_of_mean(tf.constant(logits, tf.float32)).numpy()[0]
    # by hand: of two tiny probabilities the larger counts half, alike near 1
    expected = [1e4, -200 - np.log(2), 40 + np.log(2), _mean_logit(0, 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def _mean_logit(*logits):
    return scipy.special.logit(scipy.special.expit(np.array(logits, float)).mean())


def test_an_adaptation_of_plain_predictions_is_refused_on_views(model, table):
    plain = inference.predict(model, table, IMAGE, COUNTS)
    config = views.ViewsConfig("mirror")
    several = inference.predict(model, table, IMAGE, COUNTS, views=config)
    fitted = adapted.fit(plain.take(np.arange(5)), False, True, folds=2)
    assert plain.layer_hash == several.layer_hash
    with pytest.raises(errors.DataError, match=r"one view by.*mirror, mean of logits"):
        adapted.apply(fitted, several.take(np.arange(5, 11)))
    adapted.apply(fitted, plain.take(np.arange(5, 11)))


def test_scores_of_a_softmax_are_stored_without_a_last_layer(model, table):
    plain = inference.predict(model, table, IMAGE, COUNTS)
    config = scores.ScoresConfig("softmax")
    found = inference.predict(model, table, IMAGE, COUNTS, scores=config)
    np.testing.assert_allclose(
        scipy.special.expit(found.logits),
        scipy.special.softmax(plain.logits.astype(np.float64), axis=1),
        rtol=1e-5,
    )
    assert found.kernel is None
    assert found.variant == "softmax"
    both = views.ViewsConfig("mirror", mean="probabilities")
    with pytest.raises(errors.SettingError, match="--view_mean=logits with softmax"):
        inference.predict(model, table, IMAGE, COUNTS, views=both, scores=config)


def test_a_compiled_model_keeps_the_weights_that_it_had():
    built, _ = models.build(
        models.ModelConfig("resnet_small", 3, 12, 14, 3, (0.5,) * 3, (0.2,) * 3,
                           filters=2, blocks=(1, 1))
    )  # fmt: skip
    generator = np.random.default_rng(0)
    weights = [
        generator.uniform(0.5, 1.5, weight.shape) for weight in built.get_weights()
    ]
    built.set_weights(weights)
    pixels = generator.random((5, 12, 14, 3), np.float32)
    expected = head.features_and_logits(built)(pixels, training=False)
    forward = inference.Forward(built)
    built.set_weights([weight + 1 for weight in weights])
    parts = [tf.constant(pixels[:3]), tf.constant(pixels[3:])]
    found = forward.over(parts, len(pixels))
    assert set(found) == {"features", "logits"}
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5)


class Watched(inference.Forward):
    """Counts the batches that it answered."""

    answered = 0

    def __call__(self, inputs):
        outputs = super().__call__(inputs)
        self.answered += 1
        return outputs


def test_batches_are_taken_as_they_are_needed_and_answered_in_order(model):
    forward, unanswered = Watched(model), []
    parts = [tf.fill((1, *model.input_shape[1:]), number / 10) for number in range(6)]

    def batches_of_views():
        for number, part in enumerate(parts):
            unanswered.append(number - forward.answered)
            yield part

    found = forward.over(batches_of_views(), len(parts))
    assert max(unanswered) <= 2
    for number, part in enumerate(parts):
        for name, values in forward(part).items():
            np.testing.assert_array_equal(found[name][number], values[0])


def test_an_error_of_the_data_ends_the_answers(model):
    def batches_of_views():
        yield tf.zeros((1, *model.input_shape[1:]))
        raise errors.DataError("the image is damaged", file="a.jpg")

    with pytest.raises(errors.DataError, match="damaged"):
        inference.Forward(model).over(batches_of_views(), 2)
