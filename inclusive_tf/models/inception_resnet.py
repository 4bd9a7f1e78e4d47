"""Inception-ResNet-v2 (Szegedy et al. 2017, arXiv 1602.07261), from scratch."""

from keras import applications, layers

from inclusive_tf.models import convolution, inception, sizes

# section 3.3: branches scaled by 0.1 to 0.3 keep the training stable
_BRANCH_SCALE = 0.17


def inception_resnet_v2(inputs, config):
    """InceptionResNetV2 of `keras.applications`, without weights, at least 75 pixels.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, h, w, 1536], from layer "conv_7b_ac".

    Raises:
        errors.SettingError: the images are smaller than 75 pixels.
    """
    sizes.require(config, 75, "inception_resnet_small")
    backbone = applications.InceptionResNetV2(
        include_top=False, weights=None, input_tensor=inputs
    )
    return backbone.output


def _unit(tensor, name):
    """Three branches, joined and brought back to the input's channels, added to it."""
    channels = tensor.shape[-1]
    filters = max(1, channels // 2)
    beside = inception.branches(tensor, filters, name)
    branch = layers.Concatenate(name=f"{name}_join")(beside)
    branch = layers.Conv2D(channels, 1, name=f"{name}_expand")(branch)
    branch = layers.Rescaling(_BRANCH_SCALE, name=f"{name}_scale")(branch)
    added = layers.Add(name=f"{name}_add")([tensor, branch])
    return convolution.activate(added, name)


def inception_resnet_small(inputs, config):
    """Residual Inception units for images of about 28 to 64 pixels.

    A 3x3 stem, then a stage for each of `config.blocks` of so many units; between
    stages a convolution and a pooling beside each other double the channels and halve
    the map.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, filters * 2^(stages - 1)].
    """
    tensor = convolution.convolve_normalise_activate(
        inputs, config.filters, 3, "stem", config.stem_stride
    )
    for stage, depth in enumerate(config.blocks):
        if stage:
            tensor = inception.halve(tensor, tensor.shape[-1], f"halve{stage}")
        for unit in range(depth):
            tensor = _unit(tensor, f"stage{stage}_unit{unit}")
    return tensor
