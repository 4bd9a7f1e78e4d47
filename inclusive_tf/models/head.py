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
        features = keras.layers.GlobalAveragePooling2D(name=FEATURES)(feature_map)
        if config.dropout:
            features = keras.layers.Dropout(
                config.dropout, seed=config.seed, name="dropout"
            )(features)
        last = keras.layers.Dense(config.num_classes, dtype="float32", name=LOGITS)
        model = keras.Model(inputs, last(features), name=config.name)
        if config.initial_bias:
            last.bias.assign(config.initial_bias)
    finally:
        keras.config.set_dtype_policy(previous_policy)
    return model, feature_map._keras_history.operation.name


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
