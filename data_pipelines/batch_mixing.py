"""Images of a batch laid over one another, and their targets: mixup and CutMix.

Which images meet is a function of the batch's keys: each image gets one other of the
batch, and is that of one. So the result depends on what stands in the batch, which the
indexed carrier makes a function of (seed, epoch), but not on the order in it. For
images that are mixed with their like across the whole training set, see
`resampling.mixing`.
"""

import numpy as np
import scipy.special
import tensorflow as tf

from data_pipelines.augmentation import draws, photometry
from data_pipelines.resampling import mixing

_CELLS = 4096
_MIXED, _WHICH, _SHARE, _X, _Y = range(5)


def blend(images, targets, keys, seed, config, epochs=None):
    """Mixes each image with another of the batch, as `mixup` and `cutmix` say.

    Mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2018, arXiv 1710.09412) blends both with
    a share of Beta(a, a), here drawn an image, where the authors' code draws one a
    batch. CutMix (Yun, Han, Oh et al. 2019, arXiv 1905.04899) pastes a box of the other
    at the same place, of sides sqrt(share) of the image's and a centre uniform over the
    image; what lies outside is cut off, and the share is that of the pixels that were
    pasted. Targets are blended by the same share (`mixing.blend_targets`: what is
    unknown of either is unknown).

    Args:
        images: float32 [B, H, W, C].
        targets: float32 [B, classes]; below 0 is unknown.
        keys: int64 [B, 3]: epoch, example and copy, no two rows equal.
        seed: int of the run.
        config: `augmentation.AugmentationConfig`.
        epochs: epochs of the training; a schedule needs them, and mixes nothing in its
            first phase.

    Returns:
        (images, targets), as they are when neither is asked for.

    Raises:
        errors.SettingError: a schedule does not know its end.
    """
    if not (config.mixup or config.cutmix):
        return images, targets
    drawn = draws.stream_uniforms(keys, seed, draws.BATCH_STREAM, 5)
    mixed = drawn[:, _MIXED] < config.batch_mix_probability
    phase = draws.phases(keys[:, 0], config, epochs)
    if phase is not None:
        mixed &= phase != draws.NONE
    pasted = drawn[:, _WHICH] < _cutmix_probability(config)
    partner = partners(keys, seed)
    others = tf.gather(images, partner)
    share = tf.zeros_like(drawn[:, _SHARE])
    if config.mixup:
        share = tf.where(mixed & ~pasted, beta(drawn[:, _SHARE], config.mixup), 0.0)
        blended = images + photometry.to_images(share) * (others - images)
    else:
        blended = images
    if config.cutmix:
        area = tf.where(mixed & pasted, beta(drawn[:, _SHARE], config.cutmix), 0.0)
        inside = boxes(area, drawn[:, _X], drawn[:, _Y], *images.shape[1:3])
        blended = tf.where(inside, others, blended)
        share += tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2, 3))
    return blended, mixing.blend_targets(targets, tf.gather(targets, partner), share)


def _cutmix_probability(config):
    """Of CutMix for an image that is mixed: a fair coin where there are both."""
    if not config.cutmix:
        return 0.0
    return 0.5 if config.mixup else 1.0


def partners(keys, seed):
    """Returns int64 [B]: the place in the batch of what each image is mixed with.

    The batch is put into one random ring and each image gets the next one, so nobody
    gets itself (but a batch of one) and each image is given once.

    Args:
        keys: int64 [B, 3], no two rows equal.
        seed: int of the run.
    """
    words = draws.stream_words(keys, seed, draws.BATCH_STREAM, 6)[:, -1]
    ring = tf.argsort(tf.bitcast(words, tf.int64))
    size = tf.shape(ring, out_type=tf.int64)
    following = tf.cast(tf.roll(ring, -1, axis=0), tf.int64)
    return tf.scatter_nd(ring[:, None], following, tf.cast(size, ring.dtype))


def beta(uniform, a):
    """Returns float32 [B] of the distribution Beta(a, a).

    By the inverse of its distribution function, tabulated at 4,097 probabilities and
    straight between them: a value's rank is off by less than 1 in 4,096.

    Args:
        uniform: float32 [B] on [0, 1).
        a: above 0.
    """
    table = scipy.special.betaincinv(a, a, np.linspace(0.0, 1.0, _CELLS + 1))
    table = tf.constant(table, tf.float32)
    place = uniform * _CELLS
    cell = tf.minimum(tf.cast(place, tf.int32), _CELLS - 1)
    low, high = tf.gather(table, cell), tf.gather(table, cell + 1)
    return low + (place - tf.cast(cell, tf.float32)) * (high - low)


def boxes(area, x, y, height, width):
    """Returns bool [B, height, width, 1]: the pixels that lie in a box.

    A pixel belongs to the box that holds its centre.

    Args:
        area: float32 [B], of the whole box as a share of the image.
        x: float32 [B], centre of the box as a share of the width.
        y: likewise of the height.
        height: pixels.
        width: pixels.
    """
    half = tf.sqrt(area) / 2.0
    inside_x = _within(x, half, width)
    inside_y = _within(y, half, height)
    return (inside_y[:, :, None] & inside_x[:, None, :])[..., None]


def _within(centre, half, size):
    """Returns bool [B, size]."""
    at = (tf.range(size, dtype=tf.float32) + 0.5) / size
    return tf.abs(at - centre[:, None]) < half[:, None]
