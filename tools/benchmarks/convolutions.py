"""The arithmetic of convolutional models, and how fast a machine does it at best.

A multiplication with its addition counts as two floating-point operations.
"""

import math
import statistics

import keras

STEP = 3
"""A step over its forward pass: beside it, gradients by input and by kernel."""

# enough channels to keep the arithmetic units fed; 19 GFLOP
LARGE = {"batch_size": 16, "side": 32, "channels": 256}


def flops(model):
    """Returns the operations that convolutions and dense layers take for an image.

    Args:
        model: functional `keras.Model` of images, without layers that are separable or
            in groups.
    """
    return sum(
        2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
    )


def large_flops(batch_size, side, channels):
    """Returns the operations of a call of `large`."""
    return 2 * 9 * channels**2 * side**2 * batch_size


def large(batch_size, side, channels):
    """Returns a function that runs one large 3x3 convolution in TensorFlow."""
    import tensorflow as tf

    images = tf.random.stateless_normal((batch_size, side, side, channels), (0, 0))
    kernel = tf.random.stateless_normal((3, 3, channels, channels), (0, 1))
    convolve = tf.function(lambda: tf.nn.conv2d(images, kernel, 1, "SAME"))

    def run():
        convolve()

    return run


def share_line(what, work_flops, seconds, large_seconds, size):
    """Returns a sentence: how much of the large convolution's rate some work reaches.

    Args:
        what: name of the way.
        work_flops: operations of a call of it.
        seconds: of its rounds.
        large_seconds: of the rounds of `large`.
        size: arguments of `large`.
    """
    limit = large_flops(**size) / statistics.median(large_seconds)
    reached = work_flops / statistics.median(seconds)
    return (
        f"{what}: {reached / 1e9:.3g} of {limit / 1e9:.3g} GFLOP/s that one large "
        f"convolution reaches, **{reached / limit:.0%}** of the limit."
    )
