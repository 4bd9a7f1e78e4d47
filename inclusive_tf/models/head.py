"""What all models share: normalised input in front, pooled float32 logits behind."""

import keras

FEATURES = "features"
LOGITS = "logits"


def assemble(builder, config):
    """Puts input normalisation, a family's builder and the head into one flat model.

    Args:
        builder: (normalised input, config) → final feature map, a Keras tensor.
        config: `models.ModelConfig`.

    Returns:
        (model, name of the final feature map's layer).
    """
    previous_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.dtype)
    try:
        keras.utils.set_random_seed(config.seed)
        inputs = keras.Input(
            (config.height, config.width, config.channels), name="image"
        )
        normalised = keras.layers.Normalization(
            mean=config.mean,
            variance=[value**2 for value in config.deviation],
            name="normalise",
        )(inputs)
        feature_map = builder(normalised, config)
        features = _features(feature_map, config)
        last = keras.layers.Dense(config.num_classes, dtype="float32", name=LOGITS)
        model = keras.Model(inputs, last(features), name=config.name)
        if config.initial_bias:
            last.bias.assign(config.initial_bias)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = config.batch_norm_momentum
    finally:
        keras.config.set_dtype_policy(previous_policy)
    return model, feature_map._keras_history.operation.name


def _features(feature_map, config):
    """The vector the last layer takes: layer "features", dropout behind it."""
    inner = [f"hidden{number}" for number in range(1, len(config.hidden))]
    names = ["pooled", *inner, FEATURES] if config.hidden else [FEATURES]
    pool = {
        "average": keras.layers.GlobalAveragePooling2D,
        "flatten": keras.layers.Flatten,
    }[config.pooling]
    tensor = pool(name=names[0])(feature_map)
    for number, units in enumerate(config.hidden, start=1):
        tensor = keras.layers.Dense(
            units,
            activation="relu",
            kernel_initializer="he_normal",
            name=names[number],
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


def features_and_logits(model):
    """Returns a model of the same layers with outputs {"features", "logits"}."""
    return keras.Model(
        model.inputs,
        {
            FEATURES: model.get_layer(FEATURES).output,
            LOGITS: model.get_layer(LOGITS).output,
        },
    )


def last_layer(model):
    """Returns (kernel float32 [D, C], bias float32 [C]) of the last layer."""
    kernel, bias = model.get_layer(LOGITS).get_weights()
    return kernel, bias
