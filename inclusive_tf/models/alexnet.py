"""AlexNet (Krizhevsky, Sutskever and Hinton 2012), from scratch."""

from keras import layers

from inclusive_tf.models import sizes


def _convolve(tensor, filters, size, name, strides=1):
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(tensor)


def alexnet(inputs, config):
    """The five convolutions of AlexNet in one tower, at least 57 pixels.

    Without the two towers that two small GPUs needed and without local response
    normalisation. Images of 224 or 227 pixels leave a map of 6x6. The published head is
    `pooling="flatten", hidden=(4096, 4096), dropout=0.5`; with it and 1,000 labels the
    model has 62,378,344 parameters.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, h, w, 256], from layer "pool5".

    Raises:
        errors.SettingError: the images are smaller than 57 pixels.
    """
    # below, nothing is left for the third pooling
    sizes.require(config, 57, "alexnet_small")
    tensor = _convolve(inputs, 96, 11, "conv1", strides=4)
    tensor = layers.MaxPooling2D(3, 2, name="pool1")(tensor)
    tensor = _convolve(tensor, 256, 5, "conv2")
    tensor = layers.MaxPooling2D(3, 2, name="pool2")(tensor)
    tensor = _convolve(tensor, 384, 3, "conv3")
    tensor = _convolve(tensor, 384, 3, "conv4")
    tensor = _convolve(tensor, 256, 3, "conv5")
    return layers.MaxPooling2D(3, 2, name="pool5")(tensor)


def alexnet_small(inputs, config):
    """Plain convolutions as in AlexNet, for images of about 28 to 64 pixels.

    A 5x5 stem, then a stage for each of `config.blocks` of so many 3x3 convolutions;
    channels double and overlapping max pooling (3x3, stride 2) halves the map from
    stage to stage. No batch normalisation, as in AlexNet.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, filters * 2^(stages - 1)].
    """
    tensor = _convolve(inputs, config.filters, 5, "stem", strides=config.stem_stride)
    for stage, depth in enumerate(config.blocks):
        if stage:
            tensor = layers.MaxPooling2D(3, 2, padding="same", name=f"pool{stage}")(
                tensor
            )
        for unit in range(depth):
            name = f"stage{stage}_conv{unit}"
            tensor = _convolve(tensor, config.filters * 2**stage, 3, name)
    return tensor
