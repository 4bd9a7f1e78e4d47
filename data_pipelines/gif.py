"""The first frame of a GIF, cut out in graph before anything is decoded.

TensorFlow reads every frame into memory at once, ignores which colour is transparent,
and takes the size of the largest frame for that of the picture. Here the file (form:
GIF89a specification, CompuServe 1990) is rewritten to one that holds the first frame
alone, with white in place of the transparent colour, which TensorFlow then reads right.
"""

import tensorflow as tf

from data_pipelines import graphs, segments

_WHITE = 255.0
_SCREEN_BYTES = 13
_DESCRIPTOR_BYTES = 10
_EXTENSION, _CONTROL, _FRAME = 0x21, 0xF9, 0x2C
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
    # zeros follow, so that a descriptor just beyond the end can be read
    octets = tf.pad(tf.io.decode_raw(data, tf.uint8), [[0, _DESCRIPTOR_BYTES + 1]])
    size = tf.strings.length(data)
    canvas_width, canvas_height, flags = _numbers(
        octets, 0, _SCREEN_BYTES, ((6, 2), (8, 2), (10, 1))
    )
    screen_end = _SCREEN_BYTES + _table_bytes(flags)
    descriptor, transparent = _first_descriptor(octets, size, screen_end)
    mark, left, top, width, height, flags = _numbers(
        octets,
        descriptor,
        _DESCRIPTOR_BYTES,
        ((0, 1), (1, 2), (3, 2), (5, 2), (7, 2), (9, 1)),
    )
    descriptor = graphs.require(
        (descriptor + _DESCRIPTOR_BYTES < size) & (mark == _FRAME),
        descriptor,
        "the GIF is damaged or truncated. Expected: a frame after the header.",
        "Received: none",
    )
    canvas_width = tf.maximum(canvas_width, left + width)
    canvas_height = tf.maximum(canvas_height, top + height)
    pixels = tf.cast(canvas_width, tf.int64) * tf.cast(canvas_height, tf.int64)
    descriptor = graphs.require(
        (pixels <= max_pixels) & (width > 0) & (height > 0),
        descriptor,
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
    table = descriptor + _DESCRIPTOR_BYTES
    packed = table + _table_bytes(flags)
    end = _after_blocks(octets, size, packed + 1)
    end = graphs.require(
        end <= size,
        end,
        "the GIF is truncated. Expected: an end to the data of its first frame.",
        "Received: the end of the file",
    )

    def cut(start, stop):
        return tf.strings.substr(data, start, stop - start)

    # the file with this frame only, at the origin
    alone = tf.strings.join(
        [
            cut(0, 6),
            cut(descriptor + 5, descriptor + 9),
            cut(10, _SCREEN_BYTES),
            _whiten(cut(_SCREEN_BYTES, screen_end), transparent),
            tf.constant(b"\x2c\0\0\0\0"),
            cut(descriptor + 5, descriptor + 10),
            _whiten(cut(table, packed), transparent),
            cut(packed, end),
            tf.constant(b"\x3b"),
        ]
    )
    frame = tf.cast(tf.io.decode_gif(alone)[0], tf.float32)
    around = [
        [top, canvas_height - top - height],
        [left, canvas_width - left - width],
        [0, 0],
    ]
    return tf.pad(frame, around, constant_values=_WHITE)


def _numbers(octets, start, count, places):
    """Numbers among `count` bytes from `start` on, int32 scalars."""
    found = tf.slice(octets, [start], [count])
    return segments.numbers(found, places, little_endian=True, dtype=tf.int32)


def _table_bytes(flags):
    """Bytes of the colour table that the flags of a screen or frame announce."""
    return tf.where(flags & 0x80 > 0, tf.bitwise.left_shift(6, flags & 7), 0)


def _after_blocks(octets, size, place):
    """The place after a chain of data blocks; beyond the file if it never ends."""

    def length(place):
        return tf.cast(tf.gather(octets, place), tf.int32)

    place = tf.while_loop(
        lambda place: length(place) > 0,
        lambda place: [tf.minimum(place + 1 + length(place), size)],
        [tf.minimum(place, size)],
        maximum_iterations=_MOST_BLOCKS,
    )[0]
    return place + 1


def _first_descriptor(octets, size, start):
    """Skips extensions: (place of the first frame, its transparent colour or -1)."""

    def extension(place, transparent):
        del transparent
        return (place + 8 <= size) & (tf.gather(octets, place) == _EXTENSION)

    def skip(place, transparent):
        kind, flags, colour = _numbers(octets, place, 7, ((1, 1), (3, 1), (6, 1)))
        states_colour = (kind == _CONTROL) & (flags & 1 > 0)
        return (
            _after_blocks(octets, size, place + 2),
            tf.where(states_colour, colour, transparent),
        )

    return tf.while_loop(
        extension,
        skip,
        (tf.minimum(start, size), tf.constant(_NONE)),
        maximum_iterations=_MOST_BLOCKS,
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
