"""What chance says of an image, and how far it may go: random numbers, phase, strength.

All of it is a function of (seed, epoch, example, copy).
"""

import dataclasses

import numpy as np
import tensorflow as tf

from data_pipelines import errors, hashing

# one random number each; an order that is only ever appended to, so that switching one
# variation on leaves the others as they were
COLUMNS = (
    "mirror",
    "shift_x",
    "shift_y",
    "rotate",
    "zoom",
    "brightness",
    "contrast",
    "blur",
    "noise",
    "crop_area",
    "crop_aspect",
    "crop_x",
    "crop_y",
    "gamma",
    "hue",
    "saturation",
    "channel_0",
    "channel_1",
    "channel_2",
    "grey",
    "jpeg",
    "jpeg_quality",
)
NONE, SOFT, HARD = range(3)
# in place of a fourth part of the key, which `resampling.mixing` and
# `target_transforms` number too
NOISE_STREAM, RAND_AUGMENT_STREAM, BATCH_STREAM = 1, 3, 4


def phases(epoch, config, epochs):
    """Returns which phase of the schedule each draw is in, or None without a schedule.

    `soft_to_hard` follows the challenge's second place: first nothing is varied
    (`NONE`); then each value is drawn from its whole interval (`SOFT`), such as a
    rotation from -30 to 30 degrees; at last from its two ends (`HARD`), such as -30 or
    30. They moved on when validation stood still. Here set shares of the epochs decide,
    since what an image becomes is a function of (seed, epoch, example, copy), and when
    validation stands still is known only afterwards and not to a run that resumes.

    Args:
        epoch: int64 [B].
        config: `config.AugmentationConfig`.
        epochs: epochs of the training, or None.

    Returns:
        int64 [B] or None.

    Raises:
        errors.SettingError: a schedule without `epochs`.
    """
    if config.schedule == "constant":
        return None
    if epochs is None:
        raise errors.SettingError(
            "A schedule of augmentation has to know its end. Expected: the number of "
            "epochs. Received: none."
        )
    # to the nearest whole epoch, so that 0.667 of 3 epochs are 2
    starts = [int(share * epochs + 0.5) for share in config.boundaries]
    return tf.add_n([tf.cast(epoch >= start, tf.int64) for start in starts])


def stream_words(keys, seed, stream, count):
    """Returns uint64 [B, count] random words that nothing else has.

    Args:
        keys: int64 [B, 3]: epoch, example and copy.
        seed: int of the run.
        stream: number of the stream, one of this module's.
        count: words a key.
    """
    return hashing.words(_numbered(keys, stream), seed, count)


def stream_uniforms(keys, seed, stream, count):
    """Returns float32 [B, count] on [0, 1); otherwise as `stream_words`."""
    return hashing.uniforms(_numbered(keys, stream), seed, count)


def _numbered(keys, stream):
    number = tf.fill([tf.shape(keys)[0], 1], tf.constant(stream, tf.int64))
    return tf.concat([tf.cast(keys, tf.int64), number], axis=1)


@dataclasses.dataclass(frozen=True)
class Draws:
    """What chance says of each image of a batch.

    Args:
        uniforms: float32 [B, len(COLUMNS)] on [0, 1).
        phase: int64 [B] of `phases`, or None.
        strength: float32 [B] that amounts are multiplied by, or None for 1.
    """

    uniforms: tf.Tensor
    phase: tf.Tensor | None
    strength: tf.Tensor | None

    def uniform(self, column):
        """Returns float32 [B] on [0, 1), whatever the phase."""
        return self.uniforms[:, COLUMNS.index(column)]

    def one_sided(self, column):
        """Returns float32 [B] on [0, 1); 0 or 1 in the phase of extremes."""
        drawn = self.uniform(column)
        if self.phase is None:
            return drawn
        return tf.where(self.phase == HARD, tf.round(drawn), drawn)

    def signed(self, column):
        """Returns float32 [B] on [-1, 1); -1 or 1 in the phase of extremes."""
        return 2.0 * self.one_sided(column) - 1.0

    def amount(self, value, most=1.0):
        """Returns `value`, or float32 [B] of it times strength, `most` at the most."""
        if self.strength is None:
            return value
        return tf.minimum(value * self.strength, most)

    def chosen(self, column, probability):
        """Returns bool [B]: whether something of that probability befalls an image."""
        chosen = self.uniform(column) < probability
        return chosen if self.phase is None else chosen & (self.phase != NONE)


def draw(keys, seed, config, epochs=None, strength=None):
    """Returns the `Draws` of a batch; arguments as of `stages.augment`."""
    return Draws(
        hashing.uniforms(keys, seed, len(COLUMNS)),
        phases(keys[:, 0], config, epochs),
        strength,
    )


def noise(keys, seed, shape):
    """Noise of mean 0 and variance 1, a function of the key.

    A word of 64 bits makes one value: the sum of its four quarters, each uniform, which
    is near enough to normal (Irwin-Hall distribution of 4, excess kurtosis -0.3).

    Args:
        keys: int64 [B, 3].
        seed: int of the run.
        shape: of one image.

    Returns:
        float32 [B, *shape].
    """
    levels = 2**16
    words = stream_words(keys, seed, NOISE_STREAM, int(np.prod(shape)))
    quarters = tf.cast(tf.bitcast(words, tf.uint16), tf.float32)
    mean = 4 * (levels - 1) / 2
    deviation = np.sqrt(4 * (levels**2 - 1) / 12)
    total = tf.reduce_sum(quarters, axis=-1)
    return tf.reshape((total - mean) / deviation, [-1, *shape])
