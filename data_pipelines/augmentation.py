"""Variation of training images: stateless, a batch at a time, in graph.

What happens to an image is a function of (seed, epoch, example, copy) alone: it is the
same in every batch, at every place in it, on every host and after every resume, and an
example drawn twice in an epoch is varied twice.
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from data_pipelines import errors, hashing

FILLS = ("nearest", "reflect", "constant")
# one column of random numbers each; an order that never changes, so that switching one
# variation on leaves the others as they were
_MIRROR, _SHIFT_X, _SHIFT_Y, _ROTATE, _ZOOM, _BRIGHTNESS, _CONTRAST, _BLUR, _NOISE = (
    range(9)
)
_COLUMNS = 9
_NOISE_STREAM = 1
_QUARTER_LEVELS = 2**16


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """How much images are varied; 0 everywhere leaves them as they are.

    Each amount is the largest: what an image gets is drawn uniformly up to it.

    Args:
        mirror: probability of swapping left and right, 0..1.
        shift: fraction of the side, 0..1, each way and in each direction.
        rotate: degrees, 0..180, each way.
        zoom: at z the scale is between 1 / (1 + z) and 1 + z, uniform in its logarithm.
        brightness: added to all pixels, 0..1, each way.
        contrast: at c the distance of pixels to the image's mean is multiplied by
            1 - c to 1 + c; 0..1.
        noise: standard deviation of independent noise, 0..1.
        blur: share of a 3 x 3 mean in the image, 0..1.
        fill: where a moved image leaves a gap. `nearest` repeats the edge: it continues
            a plain backdrop of whatever shade and brings no second object in, as
            `reflect` does; `constant` is black, which fits black backdrops only and
            elsewhere draws bars that a model may learn.

    Raises:
        errors.DataError: a value is outside its range.
    """

    mirror: float = 0.0
    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    fill: str = "nearest"

    def __post_init__(self):
        most = {"rotate": 180.0, "zoom": math.inf}
        for field in dataclasses.fields(self):
            if field.name == "fill":
                continue
            value, limit = getattr(self, field.name), most.get(field.name, 1.0)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= limit or math.isinf(value):
                raise errors.DataError(
                    f"{field.name} of an augmentation cannot be used",
                    expected=f"a number from 0 to {limit:g}",
                    received=value,
                )
        if self.fill not in FILLS:
            raise errors.DataError(
                "fill of an augmentation cannot be used",
                expected=f"one of {', '.join(FILLS)}",
                received=self.fill,
            )

    def to_dict(self):
        """Returns what `from_dict` takes, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """Builds from the result of `to_dict`.

        Raises:
            errors.DataError: a value is unknown or cannot be used.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise errors.DataError(
                "not an augmentation configuration",
                expected=", ".join(field.name for field in dataclasses.fields(cls)),
                received=values,
            ) from error


def augment(images, keys, seed, config):
    """Varies each image as its key says.

    In this order: mirror, zoom, rotation and shift as one bilinear resampling; blur;
    contrast; brightness; noise.

    Args:
        images: float32 [B, H, W, C] in 0..1, H, W and C known.
        keys: int64 [B, 3]: epoch, example and copy.
        seed: int of the run.
        config: `AugmentationConfig`.

    Returns:
        float32 [B, H, W, C] in 0..1; `images` itself where nothing is to vary.
    """
    drawn = hashing.uniforms(keys, seed, _COLUMNS)
    varied = images
    if config.shift or config.rotate or config.zoom:
        varied = _moved(varied, drawn, config)
    elif config.mirror:
        # the same to the bit, and many times as fast
        chosen = _column(drawn, _MIRROR) < config.mirror
        varied = tf.where(chosen, tf.reverse(varied, [2]), varied)
    if config.blur:
        share = config.blur * _column(drawn, _BLUR)
        blurred = tf.nn.avg_pool2d(varied, ksize=3, strides=1, padding="SAME")
        varied += share * (blurred - varied)
    if config.contrast:
        mean = tf.reduce_mean(varied, axis=(1, 2, 3), keepdims=True)
        factor = 1.0 + config.contrast * _signed(_column(drawn, _CONTRAST))
        varied = mean + factor * (varied - mean)
    if config.brightness:
        varied += config.brightness * _signed(_column(drawn, _BRIGHTNESS))
    if config.noise:
        deviation = config.noise * _column(drawn, _NOISE)
        varied += deviation * _noise(keys, seed, images.shape[1:])
    return varied if varied is images else tf.clip_by_value(varied, 0.0, 1.0)


def _column(drawn, column):
    return drawn[:, column, None, None, None]


def _signed(uniform):
    """From [0, 1) to [-1, 1)."""
    return 2.0 * uniform - 1.0


def _moved(images, drawn, config):
    """Mirror, zoom, rotation and shift about the centre, as one resampling."""
    height, width = images.shape[1], images.shape[2]
    angle = math.radians(config.rotate) * _signed(drawn[:, _ROTATE])
    scale = tf.exp(math.log1p(config.zoom) * _signed(drawn[:, _ZOOM]))
    mirrored = tf.where(drawn[:, _MIRROR] < config.mirror, -1.0, 1.0)
    # the matrix leads from where a pixel goes to where it comes from, hence 1 / scale
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    from_x, from_y = cosine * mirrored, sine * mirrored
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    away_x = config.shift * width * _signed(drawn[:, _SHIFT_X])
    away_y = config.shift * height * _signed(drawn[:, _SHIFT_Y])
    none = tf.zeros_like(angle)
    matrices = tf.stack(
        [
            from_x,
            -sine,
            centre_x + away_x - from_x * centre_x + sine * centre_y,
            from_y,
            cosine,
            centre_y + away_y - from_y * centre_x - cosine * centre_y,
            none,
            none,
        ],
        axis=1,
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=matrices,
        output_shape=tf.constant([height, width]),
        interpolation="BILINEAR",
        fill_mode=config.fill.upper(),
        fill_value=0.0,
    )


def _noise(keys, seed, shape):
    """Noise of mean 0 and variance 1, float32 [B, *shape], a function of the key.

    A word of 64 bits makes one value: the sum of its four quarters, each uniform, which
    is near enough to normal (Irwin-Hall distribution of 4, excess kurtosis -0.3).
    """
    stream = tf.fill([tf.shape(keys)[0], 1], tf.constant(_NOISE_STREAM, keys.dtype))
    words = hashing.words(tf.concat([keys, stream], axis=1), seed, int(np.prod(shape)))
    quarters = tf.cast(tf.bitcast(words, tf.uint16), tf.float32)
    mean = 4 * (_QUARTER_LEVELS - 1) / 2
    deviation = math.sqrt(4 * (_QUARTER_LEVELS**2 - 1) / 12)
    total = tf.reduce_sum(quarters, axis=-1)
    return tf.reshape((total - mean) / deviation, [-1, *shape])
