import keras
import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import explainable


def test_a_float32_model_keeps_its_layers(model):
    twin = explainable.explainable(model)
    assert twin.get_layer("logits") is model.get_layer("logits")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_mixed_precision_model_is_rebuilt_in_float32(build, images, policy):
    mixed, full = build(policy=policy), build()
    full.set_weights(mixed.get_weights())
    twin = explainable.explainable(mixed)
    assert {layer.compute_dtype for layer in twin.layers} == {"float32"}
    np.testing.assert_array_equal(twin([images]), full(images))
    assert mixed.get_layer("growth").compute_dtype != "float32"


def test_a_compiled_mixed_model_is_rebuilt_without_its_loss(build):
    mixed = build(policy="mixed_bfloat16")
    mixed.compile(loss=lambda truth, logits: keras.ops.mean(logits - truth))
    assert not explainable.explainable(mixed).compiled


def test_a_model_inside_the_model_is_refused_with_the_reason(model):
    image = keras.Input((12, 20, 1))
    backbone = keras.Model(model.input, model.get_layer("final_map").output, name="net")
    flow = keras.layers.GlobalAveragePooling2D(name="features")(backbone(image))
    nested = keras.Model(image, keras.layers.Dense(2, name="logits")(flow))
    with pytest.raises(
        errors.DataError, match=r"no gradient connects.*inner models net"
    ):
        explainable.explainable(nested)


def test_a_model_that_gives_probabilities_is_refused(build):
    with pytest.raises(errors.DataError, match="layer logits with sigmoid"):
        explainable.explainable(build(activation="sigmoid"))


def test_a_model_without_a_graph_is_refused():
    class Subclassed(keras.Model):
        pass

    with pytest.raises(errors.DataError, match=r"functional Keras model.*Subclassed"):
        explainable.explainable(Subclassed())


def test_a_model_of_something_else_than_an_image_is_refused():
    vector = keras.Input((3,))
    dense = keras.Model(vector, keras.layers.Dense(2, name="logits")(vector))
    with pytest.raises(errors.DataError, match="not a model of one image"):
        explainable.explainable(dense)


def test_an_unknown_layer_is_refused_with_candidates(model):
    with pytest.raises(errors.DataError, match=r"no such layer.*one of final_map, "):
        explainable.require_feature_map(model, "relu")


def test_a_layer_that_is_no_map_is_refused(model):
    with pytest.raises(errors.DataError, match=r"no feature map.*Received: features"):
        explainable.require_feature_map(model, "features")


@pytest.mark.parametrize(
    ("label_index", "problem"),
    [
        ([0, 1, 2, 3, 4], "does not have"),
        ([0, 1, 2, 3, -1], "does not have"),
        ([0, 1], "one label an image"),
        ([0.0, 1.0, 2.0, 3.0, 0.0], "integers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(model, images, label_index, problem):
    with pytest.raises(errors.DataError, match=problem):
        list(explainable.batches(model, images, label_index, 2))


def test_images_that_do_not_fit_are_refused(model, images):
    with pytest.raises(errors.DataError, match="do not fit"):
        explainable.checked_images(model, images[:, :-1])
    with pytest.raises(errors.DataError, match="do not fit"):
        explainable.checked_images(model, images[0])
    with pytest.raises(errors.DataError, match="NaN"):
        explainable.checked_images(model, np.where(images > 0.5, np.nan, images))
