"""RandAugment: N operations an image, all of one magnitude (Cubuk et al. 2020).

The 14 operations of the paper (arXiv 1909.13719), drawn with replacement. What differs:

- an image's movements are composed and done before its other operations, in the one
  resampling that all movements share, and gaps are filled as `fill` says (there: in the
  order drawn, and grey);
- a larger magnitude is always more: solarize and posterize of the published code grow
  weaker, and contrast, brightness, colour and sharpness leave the image as it is in the
  middle of the scale; here their factor is 1 + or - 0.09 M, by a coin;
- the scale ends at 10; shifts end at 0.3 of the side (there 100 of 331 or 224 pixels).
"""

import dataclasses
import math

import tensorflow as tf

from data_pipelines.augmentation import draws, geometry, photometry

_VALUES = (
    "identity",
    "autocontrast",
    "equalize",
    "solarize",
    "posterize",
    "colour",
    "contrast",
    "brightness",
    "sharpness",
)
_MOVEMENTS = ("rotate", "shear_x", "shear_y", "shift_x", "shift_y")
OPERATIONS = _VALUES + _MOVEMENTS
"""Names by number; `colour` leaves grey images as they are."""

_LARGEST_ANGLE, _LARGEST_SHEAR, _LARGEST_SHIFT = math.radians(30), 0.3, 0.3
_LARGEST_FACTOR, _BITS_LOST = 0.9, 4
_LEVELS = 256


@dataclasses.dataclass(frozen=True)
class Choice:
    """What befalls each image.

    Args:
        operation: int32 [B, N], a number in `OPERATIONS`.
        signed: float32 [B, N], -1..1: magnitude as a share of the scale, with a sign.
    """

    operation: tf.Tensor
    signed: tf.Tensor


def choose(keys, seed, config, strength=None):
    """Returns the `Choice` of a batch.

    Args:
        keys: int64 [B, 3]: epoch, example and copy.
        seed: int of the run.
        config: `config.AugmentationConfig`.
        strength: float32 [B] that the magnitude is multiplied by, or None.
    """
    count = config.rand_augment
    drawn = draws.stream_uniforms(keys, seed, draws.RAND_AUGMENT_STREAM, 2 * count)
    number = tf.cast(drawn[:, :count] * len(OPERATIONS), tf.int32)
    share = tf.constant(config.rand_magnitude / 10.0)
    if strength is not None:
        share = tf.minimum(share * strength, 1.0)[:, None]
    return Choice(
        tf.minimum(number, len(OPERATIONS) - 1),
        tf.where(drawn[:, count:] < 0.5, -1.0, 1.0) * share,
    )


def movement(choice, height, width):
    """Returns the `geometry.Affine` of all movements of each image, first one first.

    Args:
        choice: `Choice`.
        height: of the images, pixels.
        width: likewise.
    """
    steps = [
        _one_movement(choice.operation[:, slot], choice.signed[:, slot], height, width)
        for slot in range(choice.operation.shape[1])
    ]
    whole = steps[0]
    for step in steps[1:]:
        # maps lead back to where pixels come from, so the last movement is asked first
        whole = whole.after(step)
    return whole


def _one_movement(operation, signed, height, width):
    def only(name, value):
        return tf.where(operation == OPERATIONS.index(name), signed * value, 0.0)

    angle = only("rotate", _LARGEST_ANGLE)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    return geometry.Affine(
        cosine,
        only("shear_x", _LARGEST_SHEAR) - sine,
        only("shear_y", _LARGEST_SHEAR) + sine,
        cosine,
        only("shift_x", _LARGEST_SHIFT * width),
        only("shift_y", _LARGEST_SHIFT * height),
    )


def change_values(images, choice):
    """Applies all operations that move nothing.

    Images are sorted by operation and each operation takes its own, so the cost is that
    of N operations an image, not of all.

    Args:
        images: float32 [B, H, W, C] in 0..1.
        choice: `Choice`.

    Returns:
        float32 [B, H, W, C] in 0..1.
    """
    for slot in range(choice.operation.shape[1]):
        operation, signed = choice.operation[:, slot], choice.signed[:, slot]
        moves = operation >= len(_VALUES)
        kind = tf.where(moves, _VALUES.index("identity"), operation)
        rows = tf.dynamic_partition(tf.range(tf.size(kind)), kind, len(_VALUES))
        parts = [
            _CHANGES[name](tf.gather(images, mine), tf.gather(signed, mine))
            for name, mine in zip(_VALUES, rows, strict=True)
        ]
        changed = tf.clip_by_value(tf.dynamic_stitch(rows, parts), 0.0, 1.0)
        images = tf.ensure_shape(changed, images.shape)
    return images


def _as_levels(images):
    return tf.cast(tf.round(images * (_LEVELS - 1)), tf.int32)


def _from_levels(levels):
    return tf.cast(levels, tf.float32) / (_LEVELS - 1)


def _autocontrast(images, _):
    """Stretches each channel to 0..1; one of a single value stays."""
    least = tf.reduce_min(images, axis=(1, 2), keepdims=True)
    spread = tf.reduce_max(images, axis=(1, 2), keepdims=True) - least
    return tf.where(spread > 0, tf.math.divide_no_nan(images - least, spread), images)


def _equalize(images, _):
    """Spreads 256 levels evenly, each channel apart (as Pillow's `equalize` does)."""
    levels = _as_levels(images)
    shape = tf.shape(levels)
    channels = shape[0] * shape[3]
    flat = tf.reshape(tf.transpose(levels, [0, 3, 1, 2]), [channels, -1])
    numbered = flat + _LEVELS * tf.range(channels)[:, None]
    histogram = tf.reshape(
        tf.math.unsorted_segment_sum(tf.ones_like(flat), numbered, channels * _LEVELS),
        [channels, _LEVELS],
    )
    top = tf.reduce_max(flat, axis=1, keepdims=True)
    last = tf.gather(histogram, top, batch_dims=1)
    step = (tf.shape(flat)[1] - last) // (_LEVELS - 1)
    before = tf.cumsum(histogram, axis=1, exclusive=True)
    table = tf.minimum((before + step // 2) // tf.maximum(step, 1), _LEVELS - 1)
    # too few pixels, or one level only, leave nothing to spread
    table = tf.where(step > 0, table, tf.range(_LEVELS)[None])
    spread = tf.reshape(
        tf.gather(table, flat, batch_dims=1),
        tf.gather(shape, [0, 3, 1, 2]),
    )
    return _from_levels(tf.transpose(spread, [0, 2, 3, 1]))


def _solarize(images, signed):
    """Inverts what is at least as bright as 1 - magnitude."""
    threshold = photometry.to_images(1.0 - tf.abs(signed))
    return tf.where(images >= threshold, 1.0 - images, images)


def _posterize(images, signed):
    """Clears the lowest of 8 bits, up to 4 of them."""
    lost = tf.cast(tf.round(_BITS_LOST * tf.abs(signed)), tf.int32)
    lost = photometry.to_images(lost)
    levels = tf.bitwise.right_shift(_as_levels(images), lost)
    return _from_levels(tf.bitwise.left_shift(levels, lost))


def _factor(signed):
    return 1.0 + _LARGEST_FACTOR * signed


def _contrast(images, signed):
    """Multiplies the distance to the mean of the image's grey."""
    mean = tf.reduce_mean(photometry.grey(images), axis=(1, 2, 3), keepdims=True)
    return mean + photometry.to_images(_factor(signed)) * (images - mean)


def _sharpness(images, signed):
    """Multiplies the distance to a smoothed image; the border stays as it is."""
    if min(images.shape[1], images.shape[2]) < 3:
        return images
    mean = tf.nn.avg_pool2d(images, ksize=3, strides=1, padding="VALID")
    inside = images[:, 1:-1, 1:-1]
    # Pillow's SMOOTH: all nine weigh 1, the middle one 5
    smooth = (9.0 * mean + 4.0 * inside) / 13.0
    detail = tf.pad(inside - smooth, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return images + photometry.to_images(_LARGEST_FACTOR * signed) * detail


_CHANGES = {
    "identity": lambda images, _: images,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
    "solarize": _solarize,
    "posterize": _posterize,
    "colour": lambda images, signed: photometry.with_saturation(
        images, _factor(signed)
    ),
    "contrast": _contrast,
    "brightness": lambda images, signed: images * photometry.to_images(_factor(signed)),
    "sharpness": _sharpness,
}
