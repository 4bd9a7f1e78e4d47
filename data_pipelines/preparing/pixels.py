"""One image on its way into a prepared data set: decoded, shrunk, encoded, in graph."""

import tensorflow as tf

from data_pipelines import formats, graphs

# of libjpeg, and of libpng as TensorFlow builds it
_MOST_SIDE = {"jpeg": 65_500, "png": 1_000_000}
_MOST = 255.0


@tf.autograph.experimental.do_not_convert
def encode(data, config):
    """Decodes one image file and encodes it anew; in graph, eagerly, within tf.data.

    Every form that training reads is read as there: turned as its EXIF orientation
    says, transparency over white, of 16 bits the upper 8. It is shrunk with the
    antialiased triangle filter of `images.decode`.

    Args:
        data: string scalar, the bytes of the file.
        config: `encoding.EncodingConfig`.

    Returns:
        string scalar, a JPEG or PNG of 8-bit colour.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the file is no image of a known
            form, damaged, too large, or too long for its encoding.
    """
    data = tf.convert_to_tensor(data, tf.string)
    return tf.cond(
        formats.is_jpeg(data),
        # photographs are large, and float pixels would be four times that
        lambda: _of_jpeg(data, config),
        lambda: _of_other(data, config),
    )


@graphs.apart
def _of_jpeg(data, config):
    return _encoded(formats.decode_jpeg(data, config.max_pixels), config)


@graphs.apart
def _of_other(data, config):
    return _encoded(formats.decode_other(data, config.max_pixels), config)


def _encoded(image, config):
    """Shrinks and encodes uint8 or float32 [h, w, 3] in 0..255."""
    shorter = tf.reduce_min(tf.shape(image)[:2])
    pixels = tf.cond(
        (config.short_side > 0) & (shorter > config.short_side),
        lambda: _shrunk(image, config.short_side / shorter),
        lambda: _whole_numbers(image),
    )
    longest = tf.reduce_max(tf.shape(pixels))
    most = _MOST_SIDE[config.encoding]
    pixels = graphs.require(
        longest <= most,
        pixels,
        f"a side is too long for {config.encoding}. Expected: at most {most} pixels. "
        "Received:",
        longest,
    )
    if config.encoding == "png":
        return tf.io.encode_png(pixels)
    return tf.io.encode_jpeg(pixels, format="rgb", quality=config.quality)


@graphs.apart
def _shrunk(image, scale):
    sides = tf.cast(tf.shape(image)[:2], tf.float64) * scale
    size = tf.maximum(tf.cast(tf.round(sides), tf.int32), 1)
    return _whole_numbers(tf.image.resize(image, size, antialias=True))


def _whole_numbers(image):
    if image.dtype == tf.uint8:
        return image
    return tf.cast(tf.clip_by_value(tf.round(image), 0.0, _MOST), tf.uint8)
