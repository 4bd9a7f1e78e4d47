import warnings

import numpy as np
import pytest
import tensorflow as tf
from tf_keras_vis import gradcam
from tf_keras_vis.utils import scores

from data_pipelines import errors
from inclusive_tf.explain import grad_cam

LABELS = [0, 3, 1, 2, 3]


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
