"""DenseNet (Huang et al. 2017, arXiv 1608.06993), from scratch."""

from keras import applications, layers

from data_pipelines import errors


def _normalise_activate(tensor, name):
    tensor = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_norm")(tensor)
    return layers.Activation("relu", name=f"{name}_relu")(tensor)


def _convolve(tensor, filters, size, name, strides=1):
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(tensor)


def _dense_layer(tensor, growth, name):
    """Bottleneck of 4 × growth, then growth channels joined to the input."""
    new = _normalise_activate(tensor, f"{name}_in")
    new = _convolve(new, 4 * growth, 1, f"{name}_bottleneck")
    new = _normalise_activate(new, f"{name}_mid")
    new = _convolve(new, growth, 3, f"{name}_grow")
    return layers.Concatenate(name=f"{name}_join")([tensor, new])


def densenet_small(inputs, config):
    """DenseNet-BC for images of about 28 to 64 pixels.

    A 3x3 stem of 2 × growth channels, `config.blocks` dense blocks with compression 0.5
    between them. Growth 8 with three blocks of three has 34 k parameters.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; growth, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, D], from layer "final_relu".
    """
    tensor = _convolve(inputs, 2 * config.growth, 3, "stem", strides=config.stem_stride)
    for block, depth in enumerate(config.blocks):
        if block:
            name = f"transition{block}"
            channels = tensor.shape[-1] // 2
            tensor = _normalise_activate(tensor, name)
            tensor = _convolve(tensor, channels, 1, f"{name}_compress")
            tensor = layers.AveragePooling2D(2, name=f"{name}_pool")(tensor)
        for layer in range(depth):
            tensor = _dense_layer(tensor, config.growth, f"block{block}_layer{layer}")
    return _normalise_activate(tensor, "final")


def densenet121(inputs, config):
    """DenseNet121 of `keras.applications`, without weights, at least 32 pixels.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, H/32, W/32, 1024], from layer "relu".

    Raises:
        errors.SettingError: the images are smaller than 32 pixels.
    """
    if min(config.height, config.width) < 32:
        raise errors.SettingError(
            "DenseNet121 needs larger images. Expected: height and width of at least "
            f"32. Received: {config.height}x{config.width}. densenet_small takes less."
        )
    backbone = applications.DenseNet121(
        include_top=False, weights=None, input_tensor=inputs
    )
    return backbone.output
