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


def number(octets, little_endian):
    """Returns the unsigned value of int64 [..., n] bytes along the last axis.

    Args:
        octets: n is known, and 4 at most.
        little_endian: bool or bool scalar tensor; whether the lowest byte is first.
    """
    weights = np.array([1, 2**8, 2**16, 2**24])[: octets.shape[-1]]
    if not isinstance(little_endian, bool):
        weights = tf.where(little_endian, weights, weights[::-1])
    elif not little_endian:
        weights = weights[::-1]
    return tf.reduce_sum(octets * weights, axis=-1)


def taken(octets, place, count):
    """Returns int64 [count] of uint8 [n] bytes from a place (int64 scalar) on."""
    return tf.cast(tf.slice(octets, [place], [count]), tf.int64)


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
        lambda: _walk(data, name, first, read),
        lambda: tf.constant(b""),
    )


@graphs.apart
def _walk(data, name, first, read):
    """Walks segments to the one wanted and returns its content; empty if there is none.

    Args:
        data: string scalar.
        name: bytes, what the wanted one is called.
        first: byte at which the first segment begins.
        read: function from (name, uint8 [n] bytes, its place as int64) to whether it
            is the wanted one, where its content starts and ends, and the next place.
    """
    octets = tf.io.decode_raw(data, tf.uint8)
    size = tf.size(octets, tf.int64)
    zero = tf.constant(0, tf.int64)

    def unfinished(place, start, end):
        del start
        return (place + _HEAD_BYTES <= size) & (end == 0)

    def step(place, start, end):
        wanted, start, end, following = read(name, octets, place)
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


def _jpeg_segment(prefix, octets, place):
    head = taken(octets, place, 10)
    code = head[1]
    is_marker = (head[0] == 0xFF) & (code != 0xFF) & (code != 0)
    end = place + 2 + number(head[2:4], little_endian=False)
    wanted = is_marker & (code == _APP1) & tf.reduce_all(head[4:] == list(prefix))
    # the picture itself follows; what looks like a marker after it is not ours
    over = is_marker & ((code == 0xDA) | (code == 0xD9))
    bare = (code == 0x01) | ((code >= 0xD0) & (code <= 0xD8))
    following = tf.where(is_marker, tf.where(bare, place + 2, end), place + 1)
    following = tf.where(over, tf.size(octets, tf.int64), following)
    return wanted, place + 10, end, following


def _png_chunk(name, octets, place):
    head = taken(octets, place, 8)
    end = place + 8 + number(head[:4], little_endian=False)
    return tf.reduce_all(head[4:] == list(name)), place + 8, end, end + 4


def _webp_chunk(name, octets, place):
    head = taken(octets, place, 8)
    length = number(head[4:], little_endian=True)
    wanted = tf.reduce_all(head[:4] == list(name))
    return wanted, place + 8, place + 8 + length, place + 8 + length + length % 2
