"""Which way up a picture is: the EXIF orientation, read and applied in graph.

Follows Exif 2.32 (CIPA DC-008): section 4.6.4 for tag 0x0112, whose directory
has the form of TIFF 6.0. What cannot be understood counts as upright, as it
does with Pillow: a broken note about a picture does not spoil the picture. An
orientation that stands in XMP only is not looked for.
"""

import tensorflow as tf

from data_pipelines import graphs, segments

_UPRIGHT = 1
_ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4
_ENTRY_BYTES = 12
_PREFIX = b"Exif\0\0"


def in_jpeg(data):
    """Returns the EXIF of a JPEG file (string scalar), empty if there is none."""
    return segments.in_jpeg(data, _PREFIX)


def in_png(data):
    """Returns the EXIF of a PNG file (string scalar), empty if there is none."""
    return segments.in_png(data, b"eXIf")


def in_webp(data):
    """Returns the EXIF of a WebP file (string scalar), empty if there is none."""
    return segments.in_webp(data, b"EXIF")


def upright(image, tiff):
    """Returns `image` [h, w, channels] turned upright.

    Args:
        image: as stored.
        tiff: string scalar, its EXIF, which has the form of a TIFF file; or empty.
    """
    return tf.cond(
        tiff == b"", lambda: image, lambda: _turned(image, _orientation(tiff))
    )


@graphs.apart
def _turned(image, orientation):
    # 5 to 8 lie on their side; then each is at most two mirrorings away
    axes = tf.where(orientation >= 5, [1, 0, 2], [0, 1, 2])
    upside_down = tf.reduce_any(orientation == [3, 4, 7, 8])
    left_right = tf.reduce_any(orientation == [2, 3, 6, 7])
    mirrored = tf.stack([upside_down, left_right, False])
    return tf.cond(
        orientation == _UPRIGHT,
        lambda: image,
        lambda: tf.raw_ops.Reverse(tensor=tf.transpose(image, axes), dims=mirrored),
    )


@graphs.apart
def _orientation(tiff):
    """Returns int64 scalar 1..8, as the first directory of a TIFF structure says."""
    # some writers of WebP put the prefix of the JPEG segment before it
    prefixed = tf.strings.substr(tiff, 0, len(_PREFIX)) == _PREFIX
    tiff = tf.strings.substr(
        tiff, tf.where(prefixed, len(_PREFIX), 0), tf.strings.length(tiff)
    )
    byte_order = tf.strings.substr(tiff, 0, 4)
    little_endian = byte_order == b"II*\0"
    size = tf.cast(tf.strings.length(tiff), tf.int64)
    # zeros follow, so that numbers just beyond the end can be read and are 0
    octets = tf.pad(tf.io.decode_raw(tiff, tf.uint8), [[0, _ENTRY_BYTES]])
    (start,) = segments.numbers(tf.slice(octets, [0], [8]), ((4, 4),), little_endian)
    start = tf.minimum(start, size)
    (count,) = segments.numbers(
        tf.slice(octets, [start], [2]), ((0, 2),), little_endian
    )
    held = tf.maximum(size - start - 2, 0) // _ENTRY_BYTES
    body = octets[start + 2 :][: tf.minimum(count, held) * _ENTRY_BYTES]
    tag, kind, short, long = segments.numbers(
        tf.reshape(body, [-1, _ENTRY_BYTES]),
        ((0, 2), (2, 2), (8, 2), (8, 4)),
        little_endian,
    )
    value = tf.where(kind == _LONG, long, short)
    stated = tf.boolean_mask(
        value,
        (tag == _ORIENTATION_TAG)
        & ((kind == _SHORT) | (kind == _LONG))
        & (value >= 1)
        & (value <= 8)
        & (little_endian | (byte_order == b"MM\0*")),
    )
    return tf.concat([[_UPRIGHT], stated], axis=0)[-1]
