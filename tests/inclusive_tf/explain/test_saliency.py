import warnings

import numpy as np
import pytest
from tf_keras_vis import saliency as oracle
from tf_keras_vis.utils import scores

from inclusive_tf.explain import saliency

LABELS = [0, 3, 1, 2, 3]


@pytest.mark.filterwarnings("ignore:The structure of `inputs`:UserWarning")
def test_it_equals_tf_keras_vis(model, images):
    expected = oracle.Saliency(model)(
        scores.CategoricalScore(LABELS), images, normalize_map=False
    )
    found = saliency.Saliency(model)(images, LABELS)
    assert found.shape == (5, 12, 20)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_it_equals_finite_differences(model, images):
    found = saliency.Saliency(model)(images[:1], [2])[0]
    row, column = np.unravel_index(found.argmax(), found.shape)
    nudged = np.concatenate([images[:1], images[:1]])
    nudged[:, row, column, 0] += [1e-2, -1e-2]
    above, below = np.asarray(model(nudged))[:, 2]
    assert found[row, column] == pytest.approx(abs(above - below) / 2e-2, rel=0.05)


def test_a_label_and_its_opposite_are_as_sensitive(brightness, images):
    engine = saliency.Saliency(brightness)
    for_label = engine(images, np.zeros(5, int))
    np.testing.assert_array_equal(for_label, engine(images, np.ones(5, int)))
    np.testing.assert_allclose(for_label, 100 / 240, rtol=1e-5)


def test_the_channel_of_the_greatest_gradient_counts(model):
    import keras

    image = keras.Input((4, 4, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(image)
    colour = keras.Model(image, keras.layers.Dense(1, name="logits")(pooled))
    kernel = np.array([[1.0], [-5.0], [2.0]], np.float32)
    colour.get_layer("logits").set_weights([kernel, np.zeros(1, np.float32)])
    found = saliency.Saliency(colour)(np.ones((2, 4, 4, 3), np.float32), [0, 0])
    np.testing.assert_allclose(found, 5 / 16)


def test_batches_do_not_change_maps_and_nothing_warns(model, images):
    whole = saliency.Saliency(model)(images, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = saliency.Saliency(model, batch_size=2)(images, LABELS)
    np.testing.assert_allclose(parts, whole, atol=1e-6)
