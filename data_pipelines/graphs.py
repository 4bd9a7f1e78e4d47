"""What decoding in a graph needs: refusals in words, and work kept apart."""

import tensorflow as tf


def require(condition, value, *message):
    """Returns `value` once `condition` holds; whatever uses the result waits for it.

    Without this tie a graph may start decoding a bomb before the check has spoken.

    Args:
        condition: bool scalar.
        value: a tensor.
        message: strings and scalar tensors that together read as a sentence; no square
            brackets, with which TensorFlow parts them.

    Raises:
        tf.errors.InvalidArgumentError: when run, the condition being false.
    """
    # tf.debugging.Assert words it otherwise when eager, and is ten ops in a graph
    check = tf.raw_ops.Assert(condition=condition, data=list(message))
    with tf.control_dependencies([check]):
        return tf.identity(value)


def apart(function):
    """Makes `function` of tensors (and constants) one op of the graphs that call it.

    TensorFlow otherwise spreads the ops of all branches of a condition out in one graph
    and visits each of them, dead or alive: for `images.decode` several times the cost.
    """
    return tf.function(
        function, autograph=False, experimental_attributes={"_noinline": True}
    )
