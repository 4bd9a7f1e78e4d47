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
    convolve = tf.function(lambda given: tf.nn.conv2d(given, kernel, 1, "SAME"))

    def run():
        return convolve(images)

    return run


def share(way, work, seconds, limit, limit_work, limit_seconds):
    """Returns a sentence: how much of a limit's rate a way reaches.

    Args:
        way: name.
        work: operations of a call of it.
        seconds: of its rounds.
        limit: what sets the limit, such as "one large convolution".
        limit_work: operations of a call of that.
        limit_seconds: of its rounds.
    """
    reached = work / statistics.median(seconds)
    most = limit_work / statistics.median(limit_seconds)
    return (
        f"{way}: {reached / 1e9:,.3g} GFLOP/s, **{reached / most:.1%}** of the "
        f"{most / 1e9:,.3g} of {limit}.\n"
    )
