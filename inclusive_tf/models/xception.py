"""Xception (Chollet 2017, arXiv 1610.02357), from scratch."""

from keras import applications, layers

from inclusive_tf.models import convolution, sizes


def xception(inputs, config):
    """Xception of `keras.applications`, without weights, at least 71 pixels.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, h, w, 2048], from layer "block14_sepconv2_act".

    Raises:
        errors.SettingError: the images are smaller than 71 pixels.
    """
    sizes.require(config, 71, "xception_small")
    backbone = applications.Xception(
        include_top=False, weights=None, input_tensor=inputs
    )
    return backbone.output


def _separate(tensor, filters, name):
    """ReLU, then a convolution over places, one over channels, and normalisation."""
    tensor = convolution.activate(tensor, name)
    tensor = layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
        name=name,
    )(tensor)
    return convolution.normalise(tensor, name)


def _unit(tensor, filters, strides, name):
    """Two separable convolutions beside a shortcut, halved by pooling."""
    branch = _separate(tensor, filters, f"{name}_first")
    branch = _separate(branch, filters, f"{name}_second")
    if strides > 1:
        branch = layers.MaxPooling2D(3, strides, padding="same", name=f"{name}_pool")(
            branch
        )
        tensor = convolution.convolve(tensor, filters, 1, f"{name}_project", strides)
        tensor = convolution.normalise(tensor, f"{name}_project")
    return layers.Add(name=f"{name}_add")([branch, tensor])


def xception_small(inputs, config):
    """Depthwise separable units for images of about 28 to 64 pixels.

    A 3x3 stem, then a stage for each of `config.blocks` of so many units of two
    separable convolutions; channels double and the map halves from stage to stage.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, filters * 2^(stages - 1)], from layer "final_relu".
    """
    tensor = convolution.convolve(inputs, config.filters, 3, "stem", config.stem_stride)
    tensor = convolution.normalise(tensor, "stem")
    for stage, depth in enumerate(config.blocks):
        for unit in range(depth):
            strides = 2 if stage and not unit else 1
            name = f"stage{stage}_unit{unit}"
            tensor = _unit(tensor, config.filters * 2**stage, strides, name)
    return convolution.activate(tensor, "final")
