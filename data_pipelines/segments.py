"""A named part of an image file, found in graph without decoding the image.

JPEG calls these parts segments (ITU-T T.81, annex B), PNG chunks (PNG 3, section 5)
and so does WebP (RIFF container, RFC 9649).
"""

import numpy as np
import tensorflow as tf

from data_pipelines import graphs

_APP1 = 0xE1
# what is read at each step, and less than what follows the last part of any file
_HEAD_BYTES = 10
# a file has some ten parts; the limit only bounds the work that junk can cause
_MOST_SEGMENTS = 16384


def in_jpeg(data, prefix):
    """Returns what follows `prefix` in the first APP1 segment that begins with it.

    Args:
        data: string scalar, a JPEG file.
        prefix: bytes, 6 of them.

    Returns:
        string scalar, empty if there is none before the picture itself.
    """
    return _find(data, prefix, 2, _jpeg_segment)


def in_png(data, name):
    """Returns the content of the first chunk of this name, empty if there is none.

    Args:
        data: string scalar, a PNG file.
        name: bytes, 4 of them.
    """
    return _find(data, name, 8, _png_chunk)


def in_webp(data, name):
    """Returns the content of the first chunk of this name, empty if there is none.

    Args:
        data: string scalar, a WebP file.
        name: bytes, 4 of them.
    """
    return _find(data, name, 12, _webp_chunk)


def numbers(octets, places, little_endian, dtype=tf.int64):
    """Returns the unsigned numbers at some places, as tensors [...].

    All are taken at once, by a product: a slice each would be some ten ops, and what a
    graph of image formats takes to start goes by its ops.

    Args:
        octets: uint8 [..., n], n being known.
        places: of each number, its first byte and how many it has, 6 at most.
        little_endian: bool or bool scalar tensor; whether the lowest byte is first.
        dtype: of what is returned.
    """
    big = np.zeros((len(places), octets.shape[-1]), np.int64)
    little = np.zeros_like(big)
    for row, (first, count) in enumerate(places):
        powers = 256 ** np.arange(count)
        little[row, first : first + count] = powers
        big[row, first : first + count] = powers[::-1]
    if isinstance(little_endian, bool):
        weights = little if little_endian else big
    else:
        weights = tf.where(little_endian, little, big)
    products = tf.expand_dims(tf.cast(octets, tf.int64), -2) * weights
    return tf.unstack(tf.cast(tf.reduce_sum(products, axis=-1), dtype), axis=-1)


def mentions(data, name):
    """Returns bool scalar, whether `name` (ASCII letters) stands anywhere in `data`.

    Replacing is the one searching op that looks for a plain word as fast as memory is
    read; matching a whole file against a pattern takes several times as long.
    """
    without = tf.strings.regex_replace(
        data, name.decode("ascii"), "", replace_global=False
    )
    return tf.strings.length(without) < tf.strings.length(data)


def _find(data, name, first, read):
    return tf.cond(
        mentions(data, name.rstrip(b"\0")),
        # as a number, every name of a form is looked for by the same graph
        lambda: _walk(
            data, tf.constant(int.from_bytes(name, "big"), tf.int64), first, read
        ),
        lambda: tf.constant(b""),
    )


@graphs.apart
def _walk(data, name, first, read):
    """Walks segments to the one wanted and returns its content; empty if there is none.

    Args:
        data: string scalar.
        name: int64 scalar, the bytes that the wanted one is called by.
        first: byte at which the first segment begins.
        read: function from (name, a segment's first bytes as uint8 [_HEAD_BYTES], its
            place and the file's size as int64) to whether it is the wanted one, where
            its content starts and ends, and the next place.
    """
    octets = tf.io.decode_raw(data, tf.uint8)
    size = tf.size(octets, tf.int64)
    zero = tf.constant(0, tf.int64)

    def unfinished(place, start, end):
        del start
        return (place + _HEAD_BYTES <= size) & (end == 0)

    def step(place, start, end):
        head = tf.slice(octets, [place], [_HEAD_BYTES])
        wanted, start, end, following = read(name, head, place, size)
        return (
            tf.minimum(following, size),
            tf.where(wanted, start, zero),
            tf.where(wanted, tf.minimum(end, size), zero),
        )

    _, start, end = tf.while_loop(
        unfinished,
        step,
        (tf.constant(first, tf.int64), zero, zero),
        maximum_iterations=_MOST_SEGMENTS,
    )
    start = tf.minimum(start, end)
    return tf.strings.substr(data, start, end - start)


def _jpeg_segment(prefix, head, place, size):
    first, code, length, begins = numbers(head, ((0, 1), (1, 1), (2, 2), (4, 6)), False)
    is_marker = (first == 0xFF) & (code != 0xFF) & (code != 0)
    end = place + 2 + length
    wanted = is_marker & (code == _APP1) & (begins == prefix)
    # the picture itself follows; what looks like a marker after it is not ours
    over = is_marker & ((code == 0xDA) | (code == 0xD9))
    bare = (code == 0x01) | ((code >= 0xD0) & (code <= 0xD8))
    following = tf.where(is_marker, tf.where(bare, place + 2, end), place + 1)
    return wanted, place + 10, end, tf.where(over, size, following)


def _png_chunk(name, head, place, size):
    del size
    length, called = numbers(head, ((0, 4), (4, 4)), False)
    end = place + 8 + length
    return called == name, place + 8, end, end + 4


def _webp_chunk(name, head, place, size):
    del size
    (called,) = numbers(head, ((0, 4),), False)
    (length,) = numbers(head, ((4, 4),), True)
    end = place + 8 + length
    return called == name, place + 8, end, end + length % 2
