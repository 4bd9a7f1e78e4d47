"""Everything that changes the values of pixels, a batch at a time.

All functions take and return float32 [B, H, W, C]; amounts are float32 [B].
"""

import tensorflow as tf

# ITU-R BT.601, as in `images`
_LUMA = (0.299, 0.587, 0.114)


def to_images(values):
    """Returns [B] as [B, 1, 1, 1]."""
    return values[:, None, None, None]


def grey(images):
    """Returns the luma of colour images, [B, H, W, 1]; grey ones as they are."""
    if images.shape[-1] == 1:
        return images
    # a product of matrices takes a quarter of the time of a sum over the last axis
    return tf.tensordot(images, tf.constant(_LUMA)[:, None], axes=1)


def blurred(images, share):
    """Mixes a share of the 3 x 3 mean in."""
    smooth = tf.nn.avg_pool2d(images, ksize=3, strides=1, padding="SAME")
    return images + to_images(share) * (smooth - images)


def with_power(images, exponent):
    """Raises pixels to a power (gamma); values below 0 count as 0."""
    return tf.pow(tf.maximum(images, 0.0), to_images(exponent))


def with_hue(images, turn):
    """Turns hues by a share of the colour circle; values are cut to 0..1."""
    colour = tf.image.rgb_to_hsv(tf.clip_by_value(images, 0.0, 1.0))
    hue = tf.math.floormod(colour[..., :1] + to_images(turn), 1.0)
    return tf.image.hsv_to_rgb(tf.concat([hue, colour[..., 1:]], axis=-1))


def with_saturation(images, factor):
    """Multiplies the distance of pixels to their own grey."""
    plain = grey(images)
    return plain + to_images(factor) * (images - plain)


def with_contrast(images, factor):
    """Multiplies the distance of pixels to the image's mean."""
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + to_images(factor) * (images - mean)


def through_jpeg(images, chosen, quality):
    """Encodes the chosen images as JPEG and decodes them again.

    TensorFlow encodes one image at a time, unlike all else here. Each chosen image
    takes about as long as decoding a file of its size.

    Args:
        images: float32 [B, H, W, C] in 0..1, C 1 or 3.
        chosen: bool [B].
        quality: int32 [B], 1..100.

    Returns:
        float32 [B, H, W, C] in 0..1, the chosen ones at 256 levels.
    """
    rows = tf.where(chosen)[:, 0]
    through = tf.map_fn(
        lambda one: tf.image.adjust_jpeg_quality(*one),
        (tf.gather(images, rows), tf.gather(quality, rows)),
        fn_output_signature=tf.TensorSpec(images.shape[1:], tf.float32),
    )
    return tf.tensor_scatter_nd_update(images, rows[:, None], through)
