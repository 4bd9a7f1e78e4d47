import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from tf_keras_vis import gradcam, gradcam_plus_plus, layercam
from tf_keras_vis import saliency as oracle
from tf_keras_vis.utils import scores

from data_pipelines import errors
from inclusive_tf import models
from inclusive_tf.explain import grad_cam, saliency

LABELS = [0, 3, 1, 2, 3]
ALL = (grad_cam.GradCam, grad_cam.LayerCam, grad_cam.GradCamPlusPlus)


def test_it_equals_tf_keras_vis_on_the_final_map(model, images):
    expected = gradcam.Gradcam(model)(
        scores.CategoricalScore(LABELS),
        images,
        penultimate_layer="final_map",
        seek_penultimate_conv_layer=False,
        normalize_cam=False,
    )
    found = grad_cam.GradCam(model, "final_map")(images, LABELS)
    assert found.shape == (5, 12, 20)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def _oracle(engine, model, images, layer, label_index):
    return engine(model)(
        scores.CategoricalScore(label_index),
        images,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        normalize_cam=False,
    )


def test_layer_cam_equals_tf_keras_vis(model, images):
    expected = _oracle(layercam.Layercam, model, images, "final_map", LABELS)
    found = grad_cam.LayerCam(model, "final_map")(images, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_grad_cam_plus_plus_equals_tf_keras_vis_less_its_factor(model, images):
    expected = _oracle(
        gradcam_plus_plus.GradcamPlusPlus, model, images, "final_map", LABELS
    )
    found = grad_cam.GradCamPlusPlus(model, "final_map")(images, LABELS)
    logits = np.asarray(model([images]))[np.arange(5), LABELS]
    factor = np.exp(logits)[:, None, None]
    assert found.max() > 0
    np.testing.assert_allclose(found * factor, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module", params=["densenet_small", "resnet_small"])
def grown(request):
    """A model of the house with weights as if trained: no map is all zero."""
    config = models.ModelConfig(
        name=request.param, num_classes=5, blocks=(1, 2), growth=4
    )
    model, layer = models.build(config)
    random = np.random.default_rng(4)
    model.set_weights([
        w + np.abs(random.normal(0, 0.1, w.shape)) if "variance" in v.path
        else w + random.normal(0, 0.1, w.shape)
        for w, v in zip(model.get_weights(), model.weights, strict=True)
    ])  # fmt: skip
    return model, layer, random.random((6, 28, 56, 1), np.float32)


@pytest.mark.parametrize("label_index", [[0] * 6, [4, 3, 2, 1, 0, 4]])
def test_models_of_the_house_have_the_maps_of_tf_keras_vis(grown, label_index):
    model, layer, images = grown
    expected = _oracle(gradcam.Gradcam, model, images, layer, label_index)
    found = grad_cam.GradCam(model, layer, batch_size=4)(images, label_index)
    assert expected.max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)
    expected = oracle.Saliency(model)(
        scores.CategoricalScore(label_index), images, normalize_map=False
    )
    found = saliency.Saliency(model, batch_size=4)(images, label_index)
    assert expected.max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("engine", [*ALL, saliency.Saliency, saliency.SmoothGrad])
def test_it_is_traced_once_whatever_images_and_labels(engine, images):
    traces = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            traces.append(1)
            return inputs * 1.0

    image = keras.Input((12, 20, 1))
    flow = Counted(name="final_map")(image)
    flow = keras.layers.GlobalAveragePooling2D(name="features")(flow)
    model = keras.Model(image, keras.layers.Dense(3, name="logits")(flow))
    layer = ["final_map"] if engine in ALL else []
    maps = engine(model, *layer, batch_size=2)
    before = len(traces)
    for count, label in ((1, 0), (5, 2), (2, 1)):
        maps(images[:count], [label] * count)
    assert len(traces) == before + 1


def test_it_does_not_seek_the_last_convolution(model, images):
    sought = gradcam.Gradcam(model)(
        scores.CategoricalScore(LABELS), images, normalize_cam=False
    )
    found = grad_cam.GradCam(model, "final_map")(images, LABELS)
    assert np.abs(found - sought).max() > 0.1 * sought.max()


def test_it_equals_the_formula_where_nothing_is_upsampled(brightness, images):
    weight = 100 / (12 * 20)
    found = grad_cam.GradCam(brightness, "final_map")(images, np.zeros(5, int))
    np.testing.assert_allclose(found, weight * images[..., 0], rtol=1e-5)


def test_a_label_nothing_speaks_for_has_an_all_zero_map(brightness, images):
    found = grad_cam.GradCam(brightness, "final_map")(images, np.ones(5, int))
    np.testing.assert_array_equal(found, 0)


def test_batches_do_not_change_maps(model, images):
    whole = grad_cam.GradCam(model, "final_map")(images, LABELS)
    parts = grad_cam.GradCam(model, "final_map", batch_size=2)(images, LABELS)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_other_weights_give_other_maps(build, images):
    model = build()
    before = grad_cam.GradCam(model, "final_map")(images, LABELS)
    random = np.random.default_rng(2)
    growth = model.get_layer("growth")
    growth.set_weights([random.normal(size=w.shape) for w in growth.get_weights()])
    after = grad_cam.GradCam(model, "final_map")(images, LABELS)
    assert np.abs(after - before).max() > 0.1 * before.max()


def test_a_mixed_precision_model_is_explained_in_float32(build, images):
    mixed, full = build(policy="mixed_bfloat16"), build()
    full.set_weights(mixed.get_weights())
    found = grad_cam.GradCam(mixed, "final_map")(images, LABELS)
    expected = grad_cam.GradCam(full, "final_map")(images, LABELS)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_raises_no_warning_and_leaves_the_model_alone(model, images):
    before = [weight.copy() for weight in model.get_weights()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad_cam.GradCam(model, "final_map")(images, LABELS)
    tf.nest.map_structure(np.testing.assert_array_equal, model.get_weights(), before)


def test_no_images_give_no_maps(model, images):
    assert grad_cam.GradCam(model, "final_map")(images[:0], []).shape == (0, 12, 20)


def test_an_unknown_layer_is_refused_when_built(model):
    with pytest.raises(errors.DataError, match="no such layer"):
        grad_cam.GradCam(model, "relu")
