"""DenseNet (Huang et al. 2017, arXiv 1608.06993), from scratch."""

from keras import applications, layers

from data_pipelines import errors
from inclusive_tf.models import convolution, sizes


def _normalise_activate(tensor, name):
    tensor = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_norm")(tensor)
    return layers.Activation("relu", name=f"{name}_relu")(tensor)


def _dense_layer(tensor, growth, name):
    """Bottleneck of 4 × growth, then growth channels joined to the input."""
    new = _normalise_activate(tensor, f"{name}_in")
    new = convolution.convolve(new, 4 * growth, 1, f"{name}_bottleneck")
    new = _normalise_activate(new, f"{name}_mid")
    new = convolution.convolve(new, growth, 3, f"{name}_grow")
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

    Raises:
        errors.SettingError: there are more blocks than the images can be halved for.
    """
    tensor = convolution.convolve(
        inputs, 2 * config.growth, 3, "stem", strides=config.stem_stride
    )
    for block, depth in enumerate(config.blocks):
        if block:
            name = f"transition{block}"
            channels = tensor.shape[-1] // 2
            if min(tensor.shape[1:3]) < 2:
                raise errors.SettingError(
                    "Each block but the first halves the image. Expected: at most "
                    f"{block} block(s) at {config.height}x{config.width} pixels. "
                    f"Received: {len(config.blocks)}."
                )
            tensor = _normalise_activate(tensor, name)
            tensor = convolution.convolve(tensor, channels, 1, f"{name}_compress")
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
    return _from_application(applications.DenseNet121, inputs, config)


def densenet169(inputs, config):
    """DenseNet169 of `keras.applications`, 1,664 channels; as `densenet121`."""
    return _from_application(applications.DenseNet169, inputs, config)


def densenet201(inputs, config):
    """DenseNet201 of `keras.applications`, 1,920 channels; as `densenet121`."""
    return _from_application(applications.DenseNet201, inputs, config)


def _from_application(application, inputs, config):
    sizes.require(config, 32, "densenet_small")
    backbone = application(include_top=False, weights=None, input_tensor=inputs)
    return backbone.output
