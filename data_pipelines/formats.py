"""Image files by their first bytes: how large they say they are, and their pixels.

The form of a file is told by its first bytes, never by its name, and its size is read
from its header, so that what is too large is refused before memory is taken for it.
Transparency is laid over white, as a browser shows it: colours hidden under full
transparency are whatever an editor left there, and dropping alpha would show them.
"""

import numpy as np
import tensorflow as tf

from data_pipelines import exif, gif, graphs, segments

ACCEPTED = ("JPEG", "PNG", "GIF", "BMP", "WebP")
_WHITE = 255.0
_FINE_STEPS = 257.0
_HEADER_BYTES = 48
# of a PNG with one chunk of pixels: what is before and after these
_BYTES_AROUND_PIXELS = 57
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
_JPEG = b"\xff\xd8\xff"
_ANY = (None,)
# the first bytes of each other form; any byte will do where a magic has None
_MAGICS = (
    tuple(_PNG),
    tuple(b"GIF8"),
    tuple(b"BM"),
    (*b"RIFF", *(4 * _ANY), *b"WEBP"),
)
_PLAIN_PNGS = tuple(
    (*_PNG, *(8 * _ANY), 8, colour_type, *(11 * _ANY), *b"IDAT")
    for colour_type in (0, 2)
)


def decode(data, max_pixels):
    """Decodes one file to colour; in graph, in eager mode, within tf.data.

    JPEG (also CMYK), PNG (1 to 16 bits, palette, grey, alpha), the first frame of a
    GIF, BMP (8, 24 or 32 bits, not packed) and WebP (of an animation the first frame).
    The EXIF orientation is applied.

    Args:
        data: string scalar, the file.
        max_pixels: int; larger images are refused from their header.

    Returns:
        float32 [h, w, 3] in 0..255.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the file has another form, is too
            large, damaged or truncated.
    """
    image = tf.cond(
        is_jpeg(data),
        lambda: tf.cast(decode_jpeg(data, max_pixels), tf.float32),
        lambda: decode_other(data, max_pixels),
    )
    return tf.ensure_shape(image, [None, None, 3])


def is_jpeg(data):
    """Returns a bool scalar: whether a file (string scalar) begins as a JPEG does."""
    return tf.strings.substr(data, 0, len(_JPEG)) == _JPEG


def decode_jpeg(data, max_pixels):
    """As `decode`, of a JPEG and to uint8: the same values in a quarter of the memory.

    Args:
        data: string scalar, the file.
        max_pixels: int; larger images are refused from their header.

    Returns:
        uint8 [h, w, 3], upright.

    Raises:
        tf.errors.InvalidArgumentError: as `decode`.
    """
    shape = tf.cast(tf.io.extract_jpeg_shape(data), tf.int64)
    data = _sized(data, shape[1], shape[0], max_pixels)
    # the accurate transform gives Pillow's pixels, and costs no more
    image = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
    return exif.upright(image, exif.in_jpeg(data))


def decode_other(data, max_pixels):
    """As `decode`, of a file that is no JPEG."""
    return tf.cond(
        _is_plain_png(data),
        # takes half the time of the general way, and most small files are such
        lambda: _opaque_png(_sized_png(data, max_pixels)),
        lambda: _any_form(data, max_pixels),
    )


def _is_plain_png(data):
    """Whether it is grey or colour of 8 bits in one chunk, with no other chunk."""
    length = tf.strings.length(data)
    (pixel_bytes,) = _numbers(data, ((33, 4),), little_endian=False)
    alone = pixel_bytes == tf.cast(length, tf.int64) - _BYTES_AROUND_PIXELS
    return alone & tf.reduce_any(_begins(data, _PLAIN_PNGS))


@graphs.apart
def _any_form(data, max_pixels):
    # in no known form, all are false and the first is taken
    forms = tf.concat([[False], _begins(data, _MAGICS)], axis=0)
    branches = (_unknown, _png, gif.decode, _bmp, _webp)
    return tf.switch_case(
        tf.argmax(forms, output_type=tf.int32),
        [lambda read=read: read(data, max_pixels) for read in branches],
    )


def _begins(data, magics):
    """Bool [magics]: which of them the file begins with."""
    longest = max(map(len, magics))
    values = np.zeros((len(magics), longest), np.uint8)
    free = np.ones(values.shape, bool)
    for row, magic in enumerate(magics):
        for place, value in enumerate(magic):
            if value is not None:
                values[row, place], free[row, place] = value, False
    start = tf.io.decode_raw(data, tf.uint8, fixed_length=longest)
    return tf.reduce_all((start == values) | free, axis=1)


def _numbers(data, places, little_endian):
    """Numbers of the header, int64 scalars; a file that ends before has zeros there."""
    octets = tf.io.decode_raw(data, tf.uint8, fixed_length=_HEADER_BYTES)
    return segments.numbers(octets, places, little_endian)


def _sized(data, width, height, max_pixels):
    """Returns `data` if an image of this size (int64 scalars) may be decoded."""
    # in float64, as the product of two 32-bit sides does not fit int64
    pixels = tf.cast(width, tf.float64) * tf.cast(height, tf.float64)
    return graphs.require(
        (pixels >= 1) & (pixels <= max_pixels) & (width > 0),
        data,
        f"the image is too large or empty. Expected: 1 to {max_pixels} pixels.",
        "Received: width",
        width,
        "and height",
        height,
    )


def _over_white(image):
    """Lays float32 [h, w, 4] in 0..255 over white."""
    alpha = image[..., 3:] / _WHITE
    return image[..., :3] * alpha + _WHITE * (1.0 - alpha)


@graphs.apart
def _unknown(data, max_pixels):
    del max_pixels
    never = graphs.require(
        False,
        0.0,
        f"not an image of a known form. Expected: one of {', '.join(ACCEPTED)}.",
        "Received:",
        tf.strings.length(data),
        "bytes of something else",
    )
    return tf.fill([0, 0, 3], never)


def _opaque_png(data):
    return tf.cast(tf.io.decode_png(data, 3), tf.float32)


@graphs.apart
def _png(data, max_pixels):
    data = _sized_png(data, max_pixels)
    bits, colour_type = _numbers(data, ((24, 1), (25, 1)), little_endian=False)
    # asked for alpha, TensorFlow invents one wrongly where 1 to 4 bits have none
    has_alpha = (colour_type >= 4) | (segments.in_png(data, b"tRNS") != b"")
    image = tf.cond(
        has_alpha,
        lambda: _over_white(_png_channels(data, bits, 4)),
        lambda: _png_channels(data, bits, 3),
    )
    return exif.upright(image, exif.in_png(data))


def _sized_png(data, max_pixels):
    width, height = _numbers(data, ((16, 4), (20, 4)), little_endian=False)
    return _sized(data, width, height, max_pixels)


def _png_channels(data, bits, channels):
    def fine():
        image = tf.io.decode_png(data, channels, tf.uint16)
        return tf.cast(image, tf.float32) / _FINE_STEPS

    def usual():
        return tf.cast(tf.io.decode_png(data, channels), tf.float32)

    return tf.cond(bits == 16, fine, usual)


@graphs.apart
def _bmp(data, max_pixels):
    end, information, width, height, bits, packing = _numbers(
        data, ((10, 4), (14, 4), (18, 4), (22, 4), (28, 2), (30, 4)), little_endian=True
    )
    width, height = _signed(width), _signed(height)
    data = graphs.require(
        (information >= 40)
        & (packing == 0)
        & tf.reduce_any(bits == tf.constant([8, 24, 32], tf.int64)),
        data,
        "a BMP of a form that is not read. Expected: 8, 24 or 32 bits, not packed.",
        "Received:",
        bits,
        "bits, packing",
        packing,
        "header of",
        information,
        "bytes",
    )
    data = _sized(data, width, tf.abs(height), max_pixels)
    pixels = tf.io.decode_bmp(data)

    def looked_up():
        # TensorFlow takes the places in the palette for shades of grey
        start = 14 + information
        palette = tf.strings.substr(data, start, tf.maximum(end - start, 0) // 4 * 4)
        colours = tf.reshape(tf.io.decode_raw(palette, tf.uint8), [-1, 4])
        places = tf.cast(pixels[..., 0], tf.int32)
        known = graphs.require(
            tf.reduce_max(places) < tf.shape(colours)[0],
            colours,
            "the BMP is damaged. Expected: a colour for each pixel. Received: only",
            tf.shape(colours)[0],
            "colours",
        )
        return tf.gather(known[:, 2::-1], places)

    colour = tf.cond(bits == 8, looked_up, lambda: pixels[..., :3])
    return tf.cast(colour, tf.float32)


def _signed(value):
    return tf.where(value < 2**31, value, value - 2**32)


@graphs.apart
def _webp(data, max_pixels):
    kind = tf.strings.substr(data, 12, 4)
    extended = kind == b"VP8X"
    lossless = kind == b"VP8L"
    flags, packed, canvas_width, canvas_height, frame_width, frame_height = _numbers(
        data,
        ((20, 1), (21, 4), (24, 3), (27, 3), (26, 2), (28, 2)),
        little_endian=True,
    )
    width = tf.where(
        extended,
        canvas_width + 1,
        tf.where(lossless, packed % 2**14 + 1, frame_width % 2**14),
    )
    height = tf.where(
        extended,
        canvas_height + 1,
        tf.where(lossless, packed // 2**14 % 2**14 + 1, frame_height % 2**14),
    )
    data = _sized(data, width, height, max_pixels)
    animated = extended & (flags & 2 > 0)

    def first_frame():
        # TensorFlow wants an animation to say that it has alpha, even if it has none
        with_alpha = tf.gather(
            tf.constant([bytes([value | 16]) for value in range(256)]), flags
        )
        willing = tf.strings.join(
            [tf.strings.substr(data, 0, 20), with_alpha, _from(data, 21)]
        )
        return tf.io.decode_image(willing, channels=4, expand_animations=False)

    def still():
        image = tf.io.decode_image(data, channels=0, expand_animations=False)
        opaque = tf.fill(tf.concat([tf.shape(image)[:2], [1]], 0), np.uint8(255))
        return tf.concat([image, opaque], axis=-1)[..., :4]

    image = tf.cast(tf.cond(animated, first_frame, still), tf.float32)
    return exif.upright(_over_white(image), exif.in_webp(data))


def _from(data, place):
    return tf.strings.substr(data, place, tf.strings.length(data))
