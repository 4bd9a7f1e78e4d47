"""ResNet (He, Zhang, Ren and Sun 2016, arXiv 1512.03385), from scratch."""

from keras import applications, layers

from inclusive_tf.models import convolution, sizes


def resnet50(inputs, config):
    """ResNet50 of `keras.applications`, without weights, at least 32 pixels.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, H/32, W/32, 2048], from layer "conv5_block3_out".

    Raises:
        errors.SettingError: the images are smaller than 32 pixels.
    """
    return _from_application(applications.ResNet50, inputs, config)


def resnet101(inputs, config):
    """ResNet101 of `keras.applications`; as `resnet50`."""
    return _from_application(applications.ResNet101, inputs, config)


def _from_application(application, inputs, config):
    sizes.require(config, 32, "resnet_small")
    backbone = application(include_top=False, weights=None, input_tensor=inputs)
    return backbone.output


def add_shortcut(branch, shortcut, strides, name):
    """Returns relu(branch + shortcut), the latter projected where shapes differ."""
    if strides > 1 or shortcut.shape[-1] != branch.shape[-1]:
        shortcut = convolution.convolve(
            shortcut, branch.shape[-1], 1, f"{name}_project", strides
        )
        shortcut = convolution.normalise(shortcut, f"{name}_project")
    added = layers.Add(name=f"{name}_add")([branch, shortcut])
    return convolution.activate(added, name)


def basic_unit(tensor, filters, strides, name, attend=None):
    """Two 3x3 convolutions beside a shortcut.

    Args:
        tensor: [B, H, W, D].
        filters: channels of the result.
        strides: 1 or 2.
        name: prefix of the layers' names.
        attend: (branch, name) → branch, applied before the addition; None does nothing.

    Returns:
        [B, H/strides, W/strides, filters], from layer `name`_relu.
    """
    branch = convolution.convolve_normalise_activate(
        tensor, filters, 3, f"{name}_first", strides
    )
    branch = convolution.convolve(branch, filters, 3, f"{name}_second")
    branch = convolution.normalise(branch, f"{name}_second")
    if attend is not None:
        branch = attend(branch, name)
    return add_shortcut(branch, tensor, strides, name)


def small(inputs, config, attend=None):
    """A stem and stages of basic units; see `resnet_small`."""
    tensor = convolution.convolve_normalise_activate(
        inputs, config.filters, 3, "stem", config.stem_stride
    )
    for stage, depth in enumerate(config.blocks):
        for unit in range(depth):
            strides = 2 if stage and not unit else 1
            name = f"stage{stage}_unit{unit}"
            filters = config.filters * 2**stage
            tensor = basic_unit(tensor, filters, strides, name, attend)
    return tensor


def resnet_small(inputs, config):
    """The ResNets of section 4.2 (CIFAR-10), for images of about 28 to 64 pixels.

    A 3x3 stem, then a stage for each of `config.blocks` of so many units of two 3x3
    convolutions; channels double and the map halves from stage to stage. Shortcuts are
    projected where shapes differ (the paper pads with zeros there). Three stages of
    three units from 16 channels, `stem_stride=1`, are its ResNet-20.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, filters * 2^(stages - 1)].
    """
    return small(inputs, config)
