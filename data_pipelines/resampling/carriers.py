"""Two carriers from rates to a tf.data stream of draws.

Both give elements {"epoch", "example", "copy"} (scalar int64 each), the streaming one
with the undecoded record beside them; tests hold them to the same distribution.
TensorFlow's `rejection_resample` is not used: it cannot be checkpointed, rejects the
same examples in every epoch when seeded, and takes one class an example.
"""

import numpy as np
import tensorflow as tf

from data_pipelines import graphs, hashing
from data_pipelines.resampling import plan

_SELECTION = -1
"""In place of a copy's number, so that no augmentation has the same key."""
_BLOCK = 256


def indexed(rates, seed, epochs, first_epoch=0, first_draw=0, share=None):
    """Draws by random access: a fixed total an epoch, rejected examples never touched.

    What comes at a position is a function of (rates, seed, epoch), so resuming is
    arithmetic: name the epoch and the draw to go on from.

    Args:
        rates: float64 [K, N] of `policies.rates`.
        seed: int.
        epochs: epochs to end at.
        first_epoch: epoch to start in.
        first_draw: draws of that epoch to leave out; whole batches, of a share.
        share: `plan.Share` whose draws these are; None is all.

    Returns:
        `tf.data.Dataset`.
    """

    def plan_epoch(epoch):
        draws = plan.make(rates, seed, int(epoch))
        start = first_draw if epoch == first_epoch else 0
        draws = plan.Plan(draws.example[start:], draws.copy[start:])
        if share is not None:
            draws = draws.part(share)
        return draws.example, draws.copy

    def epoch_draws(epoch):
        # Python once an epoch, never per example
        example, copy = tf.numpy_function(
            plan_epoch, [epoch], (tf.int64, tf.int64), stateful=False
        )
        example.set_shape([None])
        copy.set_shape([None])
        return tf.data.Dataset.from_tensor_slices(
            {
                "epoch": tf.repeat(epoch, tf.size(example)),
                "example": example,
                "copy": copy,
            }
        )

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(epoch_draws)


def streaming(records, rates, seed, shuffle_buffer=0, first_epoch=0):
    """Draws from a stream without an index: reject and repeat undecoded records.

    Every record is still read, also those that are rejected; at yield y a kept image
    costs 1/y reads (but one decode). A record is taken floor(rate + u) times, with u
    uniform and a function of (seed, epoch, position): expected draws are the rates that
    the epoch follows, its total is random, and epochs differ. The iterator can be
    checkpointed.

    Args:
        records: `tf.data.Dataset` of scalar string records, in the same order each time
            it is read, as long as `rates`.
        rates: float64 [K, N] of `policies.rates`, by position in the stream.
        seed: int.
        shuffle_buffer: kept records to shuffle among; 0 leaves the order.
        first_epoch: epoch to start in.

    Returns:
        `tf.data.Dataset` without end, pass after pass, with the record under "data".

    Raises:
        tf.errors.InvalidArgumentError: on reading, when the stream is longer than the
            rates.
    """
    alternatives, size = rates.shape
    rates = tf.constant(rates, tf.float64)

    def alternative(epoch):
        # Python once an epoch, so that both carriers toss the same coin
        chosen = tf.numpy_function(
            lambda epoch: np.int64(plan.alternative(alternatives, seed, int(epoch))),
            [epoch],
            tf.int64,
            stateful=False,
        )
        return tf.ensure_shape(chosen, [])

    def select(epoch, chosen, positions, block):
        positions = graphs.require(
            positions[-1] < size,
            positions,
            "the stream holds more records than there are rates",
        )
        keys = tf.stack(
            [
                tf.fill(tf.shape(positions), epoch),
                positions,
                tf.fill(tf.shape(positions), tf.constant(_SELECTION, tf.int64)),
            ],
            axis=1,
        )
        own = tf.gather_nd(
            rates, tf.stack([tf.fill(tf.shape(positions), chosen), positions], axis=1)
        )
        uniform = hashing.uniforms(keys, seed, 1)[:, 0]
        counts = tf.cast(tf.floor(own + tf.cast(uniform, tf.float64)), tf.int64)
        example = tf.repeat(positions, counts)
        first = tf.repeat(tf.cumsum(counts, exclusive=True), counts)
        return {
            "epoch": tf.fill(tf.shape(example), epoch),
            "example": example,
            "copy": tf.range(tf.size(example, tf.int64)) - first,
            "data": tf.repeat(block, counts),
        }

    def one_epoch(epoch):
        chosen = alternative(epoch)
        blocks = records.enumerate().batch(_BLOCK)
        return blocks.map(
            lambda positions, block: select(epoch, chosen, positions, block)
        )

    draws = tf.data.Dataset.counter(first_epoch).flat_map(one_epoch).unbatch()
    if shuffle_buffer:
        draws = draws.shuffle(shuffle_buffer, seed=seed)
    return draws
