"""The form of a model that maps can be taken of: flat, float32, giving logits."""

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import errors


def explainable(model):
    """Returns a model of the same weights that the explanation engines can take.

    Its input is passed as a list, as tf-keras-vis does, so that Keras has no reason to
    warn. A model that already computes in float32 is wrapped and shares its layers;
    one under mixed precision is rebuilt under float32 with copied weights, since
    tf-keras-vis fails on bfloat16 and gradients lose digits in float16.

    Args:
        model: flat functional Keras model, float32 [B, H, W, C] to logits [B, L].

    Raises:
        errors.DataError: the model holds another model, has several inputs or outputs,
            is no image classifier, or ends in an activation.
    """
    _require_flat(model)
    _require_one_image_to_logits(model)
    wrapped = keras.Model(model.inputs, model.outputs[0], name=model.name)
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return wrapped
    # a clone of the wrapper, not of the model: cloning a compiled model also
    # rebuilds its loss from a config, which custom losses may not have
    rebuilt = keras.models.clone_model(wrapped, clone_function=_in_float32)
    rebuilt.set_weights(model.get_weights())
    return rebuilt


def _in_float32(layer):
    return layer.__class__.from_config({**layer.get_config(), "dtype": "float32"})


def _require_flat(model):
    if not getattr(model, "inputs", None):
        raise errors.DataError(
            "the model has no layer graph to explain",
            expected="a functional Keras model",
            received=type(model).__name__,
        )
    nested = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    if nested:
        raise errors.DataError(
            "a model inside the model hides its feature maps: their tensors belong to "
            "the inner graph and no gradient connects them to the outer input",
            expected="a flat model (build the backbone with `input_tensor=`)",
            received=f"inner models {', '.join(nested)}",
        )


def _require_one_image_to_logits(model):
    if any(tensor.name == "text" for tensor in model.inputs):
        raise errors.DataError(
            "the model reads text, and a map of the image would leave that part out",
            expected="a model of images alone (--inputs=image)",
            received=", ".join(tensor.name for tensor in model.inputs),
        )
    shapes = [tuple(tensor.shape) for tensor in [*model.inputs, *model.outputs]]
    if [len(shape) for shape in shapes] != [4, 2]:
        raise errors.DataError(
            "not a model of one image",
            expected="input [B, H, W, C] and output [B, L]",
            received=f"inputs and outputs {shapes}",
        )
    last = model.get_layer(model.output_names[0])
    activation = getattr(last, "activation", None)
    is_linear = activation is None or activation is keras.activations.linear
    if not is_linear or isinstance(last, keras.layers.Softmax):
        raise errors.DataError(
            "the model ends in an activation, whose gradient vanishes where it is sure",
            expected="logits",
            received=f"layer {last.name} with {getattr(activation, '__name__', last)}",
        )


def require_feature_map(model, name):
    """Raises `errors.DataError`, listing candidates, unless layer `name` is a map."""
    layers = {
        layer.name: layer.output
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    maps = [layer for layer, output in layers.items() if len(output.shape) == 4]
    if name in maps:
        return
    problem = "there is no such layer"
    if name in layers:
        problem = "the layer's output is no feature map [B, H, W, D]"
    raise errors.DataError(
        problem,
        expected=f"one of {', '.join(reversed(maps))}",
        received=str(name),
    )


def checked_images(model, images):
    """Returns `images` as float32 [B, H, W, C].

    Raises:
        errors.DataError: they are not finite or do not fit the model's input.
    """
    images = np.asarray(images, np.float32)
    expected = model.inputs[0].shape
    fits = images.ndim == 4 and all(
        size is None or size == received
        for size, received in zip(expected, images.shape, strict=True)
    )
    if not fits:
        raise errors.DataError(
            "images do not fit the model's input",
            expected=str(tuple(expected)),
            received=str(images.shape),
        )
    if not np.isfinite(images).all():
        raise errors.DataError("an image holds NaN or infinity", expected="0 to 1")
    return images


def signature(model):
    """Returns the `tf.TensorSpec`s of a batch of images and of a label of each.

    With them a function is traced once, whatever the number of images.
    """
    image = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32)
    return [image, tf.TensorSpec([None], tf.int32)]


def checked_labels(model, images, label_index):
    """Returns `label_index` as int32 [B].

    Raises:
        errors.DataError: there is not one label of the model an image.
    """
    label_index = np.asarray(label_index)
    num_labels = model.outputs[0].shape[-1]
    # an empty list has no integer type
    if label_index.size and label_index.dtype.kind not in "iu":
        raise errors.DataError(
            "label indices are integers", received=str(label_index.dtype)
        )
    if label_index.shape != images.shape[:1]:
        raise errors.DataError(
            "one label an image is explained",
            expected=f"shape ({len(images)},)",
            received=str(label_index.shape),
        )
    # tf.gather answers 0 for an index out of range on a GPU
    if ((label_index < 0) | (label_index >= num_labels)).any():
        raise errors.DataError(
            "a label index the model does not have",
            expected=f"0 to {num_labels - 1}",
            received=label_index.tolist(),
        )
    return label_index.astype(np.int32)


def batches(model, images, label_index, batch_size):
    """Yields checked (float32 [b, H, W, C], int32 [b]) of at most `batch_size`.

    Raises:
        errors.DataError: images do not fit the model, or there is not one label of the
            model an image.
    """
    images = checked_images(model, images)
    label_index = checked_labels(model, images, label_index)
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        yield images[part], label_index[part]
