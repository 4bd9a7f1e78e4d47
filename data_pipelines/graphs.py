"""What decoding in a graph needs: refusals in words, and work kept apart."""

import re

import tensorflow as tf


def require(condition, value, *message):
    """Returns `value` once `condition` holds; whatever uses the result waits for it.

    Without this tie a graph may start decoding a bomb before the check has spoken.
    `tf.debugging.Assert` would serve, but it counts as stateful, and TensorFlow does
    not save the place of an iterator over functions of stateful ops. Reading a number
    from a text that is none is refused with that text, and has no state.

    Args:
        condition: bool scalar.
        value: a tensor.
        message: strings and scalar tensors that together read as a sentence.

    Raises:
        tf.errors.InvalidArgumentError: when run, the condition being false; `said`
            finds the message in it.
    """

    def refused():
        words = [
            part if isinstance(part, str) else tf.strings.as_string(part)
            for part in message
        ]
        text = tf.strings.join(words, separator=" ")
        # a tie by data, as optimisers cut ties of control to ops without state
        return tf.gather(tf.expand_dims(value, 0), tf.strings.to_number(text, tf.int32))

    return tf.cond(tf.convert_to_tensor(condition), lambda: value, refused)


def said(error):
    """Returns the message that `require` gave, or None for an error of other origin."""
    found = re.search(r"could not correctly convert string: (.*)", error.message)
    return found and found.group(1)


def apart(function):
    """Makes `function` of tensors (and constants) one op of the graphs that call it.

    TensorFlow otherwise spreads the ops of all branches of a condition out in one graph
    and visits each of them, dead or alive: for `images.decode` several times the cost.
    """
    return tf.function(
        function, autograph=False, experimental_attributes={"_noinline": True}
    )
