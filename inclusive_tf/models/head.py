"""What all models share: normalised input in front, pooled float32 logits behind."""

import keras

from inclusive_tf.models import batch_normalization, classifier, text

IMAGE = "image"
FEATURES = "features"
LOGITS = "logits"


def assemble(builder, config):
    """Puts inputs, a family's builder and the head into one flat model.

    Args:
        builder: (normalised input, config) → final feature map, a Keras tensor; not
            called for a model of text alone.
        config: `models.ModelConfig`.

    Returns:
        (model, name of the final feature map's layer, "" without an image).
    """
    previous_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.dtype)
    try:
        keras.utils.set_random_seed(config.seed)
        inputs, branches, feature_map = _branches(builder, config)
        features = _features(branches, config)
        last = keras.layers.Dense(config.num_classes, dtype="float32", name=LOGITS)
        taken = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        name = config.name if IMAGE in inputs else text.TEXT
        model = classifier.Classifier(taken, last(features), name=name)
        if config.initial_bias:
            last.bias.assign(config.initial_bias)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = config.batch_norm_momentum
                batch_normalization.fuse(layer)
    finally:
        keras.config.set_dtype_policy(previous_policy)
    return model, feature_map


def _branches(builder, config):
    """Returns ({name: input}, vectors [B, D] to join, name of the final map)."""
    inputs, vectors, feature_map = {}, [], ""
    alone = config.inputs != "image_and_text" and not config.hidden
    if config.inputs != "text":
        inputs[IMAGE] = keras.Input(
            (config.height, config.width, config.channels), name=IMAGE
        )
        final = builder(_normalise(inputs[IMAGE], config), config)
        feature_map = final._keras_history.operation.name
        vectors.append(_pool(final, config, FEATURES if alone else "pooled"))
    if config.inputs != "image":
        inputs[text.TEXT] = keras.Input(
            (config.text_length,), dtype="int32", name=text.TEXT
        )
        name = FEATURES if alone else "read"
        vectors.append(text.read(inputs[text.TEXT], config, name))
    return inputs, vectors, feature_map


def _normalise(image, config):
    return keras.layers.Normalization(
        mean=config.mean,
        variance=[value**2 for value in config.deviation],
        name="normalise",
    )(image)


def _pool(feature_map, config, name):
    pool = {
        "average": keras.layers.GlobalAveragePooling2D,
        "flatten": keras.layers.Flatten,
    }[config.pooling]
    return pool(name=name)(feature_map)


def _features(branches, config):
    """The vector the last layer takes: layer "features", dropout behind it."""
    tensor = branches[0]
    if len(branches) > 1:
        name = "joined" if config.hidden else FEATURES
        tensor = keras.layers.Concatenate(name=name)(branches)
    inner = [f"hidden{number}" for number in range(1, len(config.hidden))]
    names = [*inner, FEATURES]
    for number, units in enumerate(config.hidden, start=1):
        tensor = keras.layers.Dense(
            units,
            activation="relu",
            kernel_initializer="he_normal",
            name=names[number - 1],
        )(tensor)
        if number < len(config.hidden):
            tensor = _drop(tensor, config, f"dropout{number}", number)
    return _drop(tensor, config, "dropout", 0)


def _drop(tensor, config, name, number):
    if not config.dropout:
        return tensor
    # of one seed, layers of one width would drop the same units
    return keras.layers.Dropout(config.dropout, seed=config.seed + number, name=name)(
        tensor
    )


def inputs_of(model, batch):
    """Returns what the model is called with: a tensor, or a dict of them.

    Args:
        model: `keras.Model` of `assemble`, or any of one image.
        batch: {"image": ..., "text": ...} as `data_pipelines.batches` gives it; what
            the model does not take may lack.
    """
    if isinstance(model.input, dict):
        return {name: batch[name] for name in model.input}
    return batch[text.TEXT if reads_text(model) else IMAGE]


def inputs_signature(model):
    """Returns the `tf.TensorSpec`, or dict of them, of `inputs_of` any batch."""
    # models themselves run on any backend of Keras
    import tensorflow as tf

    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    if not isinstance(model.input, dict):
        return specs[0]
    return dict(zip(model.input, specs, strict=True))


def reads_text(model):
    """Returns whether the model takes text."""
    return any(tensor.name == text.TEXT for tensor in model.inputs)


def sees_images(model):
    """Returns whether the model takes images."""
    return any(tensor.name != text.TEXT for tensor in model.inputs)


def features_and_logits(model):
    """Returns a model of the same layers with outputs {"features", "logits"}."""
    return keras.Model(
        model.input,
        {
            FEATURES: model.get_layer(FEATURES).output,
            LOGITS: model.get_layer(LOGITS).output,
        },
    )


def last_layer(model):
    """Returns (kernel float32 [D, C], bias float32 [C]) of the last layer."""
    kernel, bias = model.get_layer(LOGITS).get_weights()
    return kernel, bias
