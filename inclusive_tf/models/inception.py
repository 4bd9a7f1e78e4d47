"""Inception-v3 (Szegedy et al. 2016, arXiv 1512.00567), from scratch."""

from keras import applications, layers

from inclusive_tf.models import convolution, sizes


def inception_v3(inputs, config):
    """InceptionV3 of `keras.applications`, without weights, at least 75 pixels.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, h, w, 2048], from layer "mixed10".

    Raises:
        errors.SettingError: the images are smaller than 75 pixels.
    """
    sizes.require(config, 75, "inception_small")
    backbone = applications.InceptionV3(
        include_top=False, weights=None, input_tensor=inputs
    )
    return backbone.output


def branches(tensor, filters, name):
    """Returns the branches that see 1, 3 and 5 pixels, `filters` channels each."""
    convolve = convolution.convolve_normalise_activate
    point = convolve(tensor, filters, 1, f"{name}_point")
    near = convolve(tensor, filters, 1, f"{name}_near_reduce")
    near = convolve(near, filters, 3, f"{name}_near")
    far = convolve(tensor, filters, 1, f"{name}_far_reduce")
    far = convolve(far, filters, 3, f"{name}_far_first")
    far = convolve(far, filters, 3, f"{name}_far")
    return [point, near, far]


def _module(tensor, filters, name):
    """Four branches beside each other, `filters` channels each (figure 5)."""
    convolve = convolution.convolve_normalise_activate
    beside = branches(tensor, filters, name)
    pooled = layers.AveragePooling2D(3, 1, padding="same", name=f"{name}_pool")(tensor)
    pooled = convolve(pooled, filters, 1, f"{name}_pooled")
    return layers.Concatenate(name=f"{name}_join")([*beside, pooled])


def halve(tensor, filters, name):
    """A striding convolution beside a pooling, joined (figure 10).

    Returns:
        [B, H/2, W/2, D + filters].
    """
    convolved = convolution.convolve_normalise_activate(
        tensor, filters, 3, f"{name}_stride", 2
    )
    pooled = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(tensor)
    return layers.Concatenate(name=f"{name}_join")([convolved, pooled])


def inception_small(inputs, config):
    """Inception modules for images of about 28 to 64 pixels.

    A 3x3 stem, then a stage for each of `config.blocks` of so many modules. A module's
    four branches give half of `config.filters` each, twice that in the next stage;
    between stages the map is halved by convolution and pooling beside each other.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, D], D = 4 * (filters * 2^(stages - 1) // 2).
    """
    tensor = convolution.convolve_normalise_activate(
        inputs, config.filters, 3, "stem", config.stem_stride
    )
    for stage, depth in enumerate(config.blocks):
        filters = config.filters * 2**stage
        if stage:
            tensor = halve(tensor, filters, f"halve{stage}")
        for unit in range(depth):
            tensor = _module(tensor, max(1, filters // 2), f"stage{stage}_unit{unit}")
    return tensor
