"""The first frame of a GIF, cut out in graph before anything is decoded.

TensorFlow reads every frame into memory at once, ignores which colour is transparent,
and takes the size of the largest frame for that of the picture. Here the file (form:
GIF89a specification, CompuServe 1990) is rewritten to one that holds the first frame
alone, with white in place of the transparent colour, which TensorFlow then reads right.
"""

import tensorflow as tf

from data_pipelines import graphs

_WHITE = 255.0
_SCREEN_BYTES = 13
_DESCRIPTOR_BYTES = 10
_NONE = -1
# of 255 bytes each: 16 MB of packed data; bounds the work that one file can cause
_MOST_BLOCKS = 65536


@graphs.apart
def decode(data, max_pixels):
    """Decodes the first frame over white.

    Args:
        data: string scalar, a GIF file.
        max_pixels: most pixels of the canvas and of the frame.

    Returns:
        float32 [h, w, 3] in 0..255.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the file is too large, damaged or
            truncated.
    """
    data = graphs.require(
        tf.strings.length(data) > _SCREEN_BYTES + _DESCRIPTOR_BYTES,
        data,
        "the GIF is truncated. Expected: a header and a frame. Received:",
        tf.strings.length(data),
        "bytes",
    )
    octets = tf.io.decode_raw(data, tf.uint8)
    descriptor, transparent = _first_descriptor(octets)
    descriptor = graphs.require(
        (descriptor + _DESCRIPTOR_BYTES < tf.size(octets))
        & (_at(octets, descriptor) == 0x2C),
        descriptor,
        "the GIF is damaged or truncated. Expected: a frame after the header.",
        "Received: none",
    )
    left, top, width, height = (
        _short(octets, descriptor + 1 + 2 * part) for part in range(4)
    )
    canvas_width = tf.maximum(_short(octets, 6), left + width)
    canvas_height = tf.maximum(_short(octets, 8), top + height)
    pixels = tf.cast(canvas_width, tf.int64) * tf.cast(canvas_height, tf.int64)
    octets = graphs.require(
        (pixels <= max_pixels) & (width > 0) & (height > 0),
        octets,
        f"the GIF is too large or empty. Expected: 1 to {max_pixels} pixels.",
        "Received: a frame of",
        width,
        "x",
        height,
        "on",
        canvas_width,
        "x",
        canvas_height,
    )
    alone = _alone(data, octets, descriptor, transparent)
    frame = tf.cast(tf.io.decode_gif(alone)[0], tf.float32)
    around = [
        [top, canvas_height - top - height],
        [left, canvas_width - left - width],
        [0, 0],
    ]
    return tf.pad(frame, around, constant_values=_WHITE)


def _at(octets, place):
    return tf.cast(octets[place], tf.int32)


def _short(octets, place):
    return _at(octets, place) + 256 * _at(octets, place + 1)


def _table_bytes(flags):
    """Bytes of the colour table that the flags of a screen or frame announce."""
    return tf.where(flags & 0x80 > 0, tf.bitwise.left_shift(6, flags & 7), 0)


def _after_blocks(octets, place):
    """The place after a chain of data blocks; the end of the file if it never ends."""
    size = tf.size(octets)
    place = tf.while_loop(
        lambda place: tf.cond(
            place < size, lambda: _at(octets, place) > 0, lambda: False
        ),
        lambda place: [place + 1 + _at(octets, place)],
        [place],
        maximum_iterations=_MOST_BLOCKS,
    )[0]
    return tf.minimum(place + 1, size + 1)


def _first_descriptor(octets):
    """Skips extensions: (place of the first frame, its transparent colour or -1)."""
    size = tf.size(octets)

    def extension(place, transparent):
        del transparent
        return tf.cond(
            place + 8 <= size, lambda: _at(octets, place) == 0x21, lambda: False
        )

    def skip(place, transparent):
        states_colour = (_at(octets, place + 1) == 0xF9) & (
            _at(octets, place + 3) & 1 > 0
        )
        colour = tf.where(states_colour, _at(octets, place + 6), transparent)
        return _after_blocks(octets, place + 2), colour

    start = _SCREEN_BYTES + _table_bytes(_at(octets, 10))
    return tf.while_loop(
        extension,
        skip,
        (start, tf.constant(_NONE)),
        maximum_iterations=_MOST_BLOCKS,
    )


def _alone(data, octets, descriptor, transparent):
    """The file with this frame only, at the origin, its transparent colour white."""
    table = descriptor + _DESCRIPTOR_BYTES
    packed = table + _table_bytes(_at(octets, descriptor + 9))
    end = _after_blocks(octets, packed + 1)
    end = graphs.require(
        end <= tf.size(octets),
        end,
        "the GIF is truncated. Expected: an end to the data of its first frame.",
        "Received: the end of the file",
    )

    def cut(start, stop):
        return tf.strings.substr(data, start, stop - start)

    screen_table = cut(_SCREEN_BYTES, _SCREEN_BYTES + _table_bytes(_at(octets, 10)))
    size = cut(descriptor + 5, descriptor + 9)
    return tf.strings.join(
        [
            cut(0, 6),
            size,
            cut(10, _SCREEN_BYTES),
            _whiten(screen_table, transparent),
            tf.constant(b"\x2c\0\0\0\0"),
            size,
            cut(descriptor + 9, table),
            _whiten(cut(table, packed), transparent),
            cut(packed, end),
            tf.constant(b"\x3b"),
        ]
    )


def _whiten(table, colour):
    """The colour table with white as entry `colour`, if it has such an entry."""
    place = 3 * colour
    size = tf.strings.length(table)

    def replaced():
        after = tf.strings.substr(table, place + 3, size)
        return tf.strings.join(
            [tf.strings.substr(table, 0, place), tf.constant(b"\xff\xff\xff"), after]
        )

    return tf.cond((colour >= 0) & (place + 3 <= size), replaced, lambda: table)
