"""Random numbers as a function of keys: no state, the same in every batch and order.

The generator is counter-based: a 64-bit mix (the finaliser of SplitMix64, Steele, Lea
and Flood 2014) folds the parts of a key into one word, and then numbers the outputs.
"""

import numpy as np
import tensorflow as tf

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def _mix(words):
    """The bijection of 64-bit words that SplitMix64 ends with."""
    shift = tf.bitwise.right_shift
    words = (words ^ shift(words, np.uint64(30))) * _MULTIPLIERS[0]
    words = (words ^ shift(words, np.uint64(27))) * _MULTIPLIERS[1]
    return words ^ shift(words, np.uint64(31))


def words(keys, seed, count):
    """Returns uint64 [B, count] words that look random.

    Args:
        keys: int64 [B, K]; equal rows give equal words, wherever they stand.
        seed: int of the run.
        count: words a key.
    """
    keys = tf.bitcast(tf.cast(keys, tf.int64), tf.uint64)
    state = tf.fill(tf.shape(keys)[:1], np.uint64(seed % 2**64))
    for part in range(keys.shape[1]):
        state = _mix((state ^ keys[:, part]) + _STEP)
    numbered = tf.constant(np.arange(1, count + 1, dtype=np.uint64) * _STEP)
    return _mix(state[:, None] + numbered[None])


def uniforms(keys, seed, count):
    """Returns float32 [B, count], uniform on [0, 1), a function of key and seed.

    Args:
        keys: int64 [B, K].
        seed: int of the run.
        count: numbers a key.
    """
    # 24 bits are what float32 holds exactly
    top = tf.bitwise.right_shift(words(keys, seed, count), np.uint64(40))
    return tf.cast(top, tf.float32) * tf.constant(2.0**-24, tf.float32)
