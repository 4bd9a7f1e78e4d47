"""The one road from the bytes of an image file to the pixels a model sees.

Training, prediction, explanation and the exported model all call `decode`, so they
cannot drift apart. All of it is TensorFlow ops without state: it runs eagerly, within
tf.data and in a SavedModel that knows nothing of this project.
"""

import dataclasses

import tensorflow as tf

from data_pipelines import errors, formats

RESIZES = ("stretch", "pad", "crop")
_CHANNELS = (1, 3)
_MOST = 255.0
# ITU-R BT.601, which Pillow's convert("L") uses as well
_RED, _BLUE = 0.299, 0.114


@dataclasses.dataclass(frozen=True)
class ImageConfig:
    """The size that images are brought to, and how.

    Args:
        height: pixels, at least 1.
        width: pixels, at least 1.
        channels: 3 for colour, 1 for grey (luma of ITU-R BT.601).
        resize: `stretch` fills height and width, whatever the shape; `pad` keeps the
            shape and centres the image on black; `crop` keeps the shape and takes the
            largest centred part of the wanted proportions.
        max_pixels: larger images are refused from their header, undecoded.

    Raises:
        errors.DataError: a value is none of these.
    """

    height: int
    width: int
    channels: int = 3
    resize: str = "stretch"
    max_pixels: int = 50_000_000

    def __post_init__(self):
        for name in ("height", "width", "max_pixels"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise errors.DataError(
                    f"{name} of an image configuration cannot be used",
                    expected="an integer of at least 1",
                    received=value,
                )
        for name, choices in (("channels", _CHANNELS), ("resize", RESIZES)):
            if getattr(self, name) not in choices:
                raise errors.DataError(
                    f"{name} of an image configuration cannot be used",
                    expected=f"one of {', '.join(map(str, choices))}",
                    received=getattr(self, name),
                )

    def to_dict(self):
        """Returns what `from_dict` takes, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """Builds from the result of `to_dict`.

        Raises:
            errors.DataError: a value is missing, unknown or cannot be used.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise errors.DataError(
                "not an image configuration",
                expected=", ".join(field.name for field in dataclasses.fields(cls)),
                received=values,
            ) from error


@tf.autograph.experimental.do_not_convert
def decode(data, config):
    """Decodes one image file and brings it to size.

    The file may be JPEG, PNG, GIF, BMP or WebP, whatever its name; of an animation the
    first frame counts. EXIF orientation is applied, transparency is laid over white,
    16-bit values keep their precision. Shrinking is antialiased (a triangle filter as
    wide as the reduction, as in Pillow's `BILINEAR`).

    Args:
        data: string scalar, the bytes of the file.
        config: `ImageConfig`.

    Returns:
        float32 [height, width, channels] in 0..1.

    Raises:
        tf.errors.InvalidArgumentError: when run, if the file is of another form, too
            large, damaged or truncated.
    """
    data = tf.convert_to_tensor(data, tf.string)
    image = tf.cond(
        formats.is_jpeg(data),
        # photographs are large, and float pixels would be four times that
        lambda: _to_size(formats.decode_jpeg(data, config.max_pixels), config),
        lambda: _to_size(formats.decode_other(data, config.max_pixels), config),
    )
    # weights of resizing are above 0, and sum to 1 up to rounding
    image = tf.minimum(image / _MOST, 1.0)
    return tf.ensure_shape(image, [config.height, config.width, config.channels])


def _to_size(image, config):
    """Float32 [height, width, channels] in 0..255 of uint8 or float32 [h, w, 3]."""
    if config.channels == 1:
        image = _grey(tf.cast(image, tf.float32))
    size = tf.stack([config.height, config.width])
    return tf.cond(
        tf.reduce_all(tf.shape(image)[:2] == size),
        lambda: tf.cast(image, tf.float32),
        lambda: _resized(image, config),
    )


def decode_batch(data, config):
    """Decodes image files, each by itself; the form that serving calls.

    Args:
        data: string [B], the bytes of the files.
        config: `ImageConfig`.

    Returns:
        float32 [B, height, width, channels] in 0..1.

    Raises:
        tf.errors.InvalidArgumentError: as `decode`, if any file is refused.
    """
    return tf.map_fn(
        lambda one: decode(one, config),
        data,
        fn_output_signature=tf.TensorSpec(
            [config.height, config.width, config.channels], tf.float32
        ),
    )


def extent(data, config):
    """Says where the whole image of a file lies among the pixels that `decode` gives.

    Args:
        data: string scalar, the bytes of the file.
        config: `ImageConfig`.

    Returns:
        float32 [4]; top, left, bottom, right in pixels. What `crop` cuts away lies
        outside.

    Raises:
        tf.errors.InvalidArgumentError: as `decode`.
    """
    sides = tf.shape(formats.decode(data, config.max_pixels))
    height, width = sides[0], sides[1]
    if config.resize == "pad":
        above, before, inner_height, inner_width = _filled_part(height, width, config)
        ends = [above, before, above + inner_height, before + inner_width]
        return tf.cast(tf.stack(ends), tf.float32)
    above, before, part_height, part_width = 0, 0, height, width
    if config.resize == "crop":
        above, before, part_height, part_width = _central_part(height, width, config)
    ends = [-above, -before, height - above, width - before]
    scales = [config.height / part_height, config.width / part_width]
    return tf.cast(tf.stack(ends), tf.float32) * tf.cast(
        tf.stack(2 * scales), tf.float32
    )


def _grey(image):
    red, green, blue = image[..., :1], image[..., 1:2], image[..., 2:]
    # in this form the grey of a grey pixel is that pixel to the last bit
    return green + _RED * (red - green) + _BLUE * (blue - green)


def _resized(image, config):
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    target = [config.height, config.width]
    if config.resize == "crop":
        above, before, part_height, part_width = _central_part(height, width, config)
        # cutting before resizing keeps a 1 x 1,000,000 image from being scaled up whole
        image = image[above : above + part_height, before : before + part_width]
    if config.resize != "pad":
        return tf.image.resize(image, target, antialias=True)
    above, before, inner_height, inner_width = _filled_part(height, width, config)
    image = tf.image.resize(image, [inner_height, inner_width], antialias=True)
    return tf.pad(
        image,
        [
            [above, config.height - inner_height - above],
            [before, config.width - inner_width - before],
            [0, 0],
        ],
    )


def _filled_part(height, width, config):
    """Row, column, height and width of the part of the target that an image fills."""
    scale = tf.minimum(
        tf.cast(config.height / height, tf.float32),
        tf.cast(config.width / width, tf.float32),
    )
    inner = [
        tf.clip_by_value(_rounded(tf.cast(side, tf.float32) * scale), 1, most)
        for side, most in ((height, config.height), (width, config.width))
    ]
    above, before = (config.height - inner[0]) // 2, (config.width - inner[1]) // 2
    return above, before, *inner


def _central_part(height, width, config):
    """Row, column, height and width of the largest centred part of an image that has
    the proportions of the target."""
    tall = tf.cast(width, tf.float32) * (config.height / config.width)
    wide = tf.cast(height, tf.float32) * (config.width / config.height)
    part_height = tf.clip_by_value(_rounded(tall), 1, height)
    part_width = tf.clip_by_value(_rounded(wide), 1, width)
    above, before = (height - part_height) // 2, (width - part_width) // 2
    return above, before, part_height, part_width


def _rounded(value):
    return tf.cast(tf.round(value), tf.int32)
