"""SE-ResNet (Hu, Shen and Sun 2018, arXiv 1709.01507), from scratch.

Squeeze and excitation: each channel of a residual branch is multiplied by a gate in
0..1 that two small layers compute from the means of all channels, before the branch is
added to its shortcut.
"""

import functools

from keras import layers

from inclusive_tf.models import convolution, resnet, sizes

REDUCTION = 16
_SMALL_REDUCTION = 4


def gate_channels(branch, name, reduction=REDUCTION):
    """Returns branch * sigmoid(W2 relu(W1 mean over places)), equations 2 to 4.

    Args:
        branch: [B, H, W, D].
        name: prefix of the layers' names.
        reduction: D over the units of the inner layer.
    """
    channels = branch.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(branch)
    gate = layers.Dense(
        max(1, channels // reduction),
        activation="relu",
        kernel_initializer="he_normal",
        name=f"{name}_reduce",
    )(gate)
    gate = layers.Dense(channels, activation="sigmoid", name=f"{name}_excite")(gate)
    return layers.Multiply(name=f"{name}_gate")([branch, gate])


def _bottleneck(tensor, filters, strides, name):
    """1x1, 3x3 and 1x1 convolutions to 4 * filters; the first one strides."""
    branch = convolution.convolve_normalise_activate(
        tensor, filters, 1, f"{name}_first", strides
    )
    branch = convolution.convolve_normalise_activate(
        branch, filters, 3, f"{name}_second"
    )
    branch = convolution.convolve(branch, 4 * filters, 1, f"{name}_third")
    branch = convolution.normalise(branch, f"{name}_third")
    branch = gate_channels(branch, name)
    return resnet.add_shortcut(branch, tensor, strides, name)


def se_resnet101(inputs, config):
    """SE-ResNet-101, reduction 16, the model of the challenge's 4th place.

    Without head 47.3 million trainable parameters, with 1,000 labels 49,326,872.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`.

    Returns:
        Final feature map [B, H/32, W/32, 2048], from layer "stage3_unit2_relu".

    Raises:
        errors.SettingError: the images are smaller than 32 pixels.
    """
    sizes.require(config, 32, "se_resnet_small")
    tensor = convolution.convolve_normalise_activate(inputs, 64, 7, "stem", 2)
    tensor = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(tensor)
    for stage, depth in enumerate((3, 4, 23, 3)):
        for unit in range(depth):
            strides = 2 if stage and not unit else 1
            name = f"stage{stage}_unit{unit}"
            tensor = _bottleneck(tensor, 64 * 2**stage, strides, name)
    return tensor


def se_resnet_small(inputs, config):
    """`resnet.resnet_small` with gated branches, for images of about 28 to 64 pixels.

    The reduction is 4: of 16 channels a reduction of 16 would leave one unit.

    Args:
        inputs: normalised images [B, H, W, channels].
        config: `models.ModelConfig`; filters, blocks and stem_stride are used.

    Returns:
        Final feature map [B, h, w, filters * 2^(stages - 1)].
    """
    attend = functools.partial(gate_channels, reduction=_SMALL_REDUCTION)
    return resnet.small(inputs, config, attend)
