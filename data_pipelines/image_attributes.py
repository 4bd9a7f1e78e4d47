"""Plain attributes of images that a model may use in place of what they show.

Pixels come by the one road (`formats.decode`), so what is measured is what a model will
see. All are estimates from pixels alone, cheap enough for every image:

* brightness: mean luma of ITU-R BT.601, 0..1;
* contrast: standard deviation of the luma, 0..0.5;
* texture: mean absolute difference of neighbouring pixels' luma, over the contrast: 0
  for one colour, small for large plain areas, near 1 for noise;
* scale: share of the image within the box around what differs from its border, 0..1;
* colour: the commonest hue where a tenth of the pixels have one, else the commonest of
  black, grey and white.
"""

import dataclasses

import numpy as np
import tqdm

ORDERED = ("brightness", "contrast", "texture", "scale")
"""Attributes that are numbers."""

COLOURS = (
    "black", "grey", "white", "red", "orange", "yellow", "green", "blue-green", "blue",
    "purple", "pink",
)  # fmt: skip

_LUMA = np.array([0.299, 0.587, 0.114])
_BLACK, _WHITE, _GREY = 0.15, 0.85, 0.15
"""Value below which a pixel is black; above which an unsaturated one is white; and
saturation below which it has no hue."""

_COLOURFUL = 0.1

_HUES = ((15, "red"), (45, "orange"), (70, "yellow"), (160, "green"),
         (200, "blue-green"), (260, "blue"), (300, "purple"), (345, "pink"),
         (360, "red"))  # fmt: skip
"""Upper ends of the hues in degrees."""

_DIFFERS = 0.1
"""Difference of the luma from the border's at which a pixel is no longer backdrop."""

_MOST_PIXELS = 2**16


@dataclasses.dataclass(frozen=True)
class Attributes:
    """Attributes of N images.

    Args:
        values: {name of `ORDERED`: float32 [N]}; NaN of an image that cannot be read.
        colour: int8 [N], an index into `COLOURS`; -1 of an image that cannot be read.
    """

    values: dict
    colour: np.ndarray

    def __len__(self):
        return len(self.colour)

    @property
    def read(self):
        """bool [N]: whether the image could be read."""
        return self.colour >= 0

    def take(self, rows):
        """Returns the images named by int or boolean `rows`, in that order."""
        values = {name: one[rows] for name, one in self.values.items()}
        return Attributes(values, self.colour[rows])


def measure_one(pixels):
    """Measures uint8 [h, w, 3]; returns ({name: float}, index into `COLOURS`)."""
    step = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / _MOST_PIXELS)))
    image = pixels[::step, ::step].astype(np.float32) / 255
    luma = image @ _LUMA
    contrast = luma.std()
    steps = [np.abs(np.diff(luma, axis=axis)) for axis in (0, 1)]
    count = sum(one.size for one in steps)
    change = sum(one.sum() for one in steps) / count if count else 0.0
    values = {
        "brightness": luma.mean(),
        "contrast": contrast,
        "texture": change / contrast if contrast > 1e-3 else 0.0,
        "scale": _scale(luma),
    }
    return {name: float(value) for name, value in values.items()}, _colour(image)


def _scale(luma):
    border = np.concatenate([luma[0], luma[-1], luma[:, 0], luma[:, -1]])
    differs = np.abs(luma - np.median(border)) > _DIFFERS
    if not differs.any():
        return 0.0
    sides = [np.flatnonzero(differs.any(axis=axis)) for axis in (0, 1)]
    return np.prod([side[-1] - side[0] + 1 for side in sides]) / luma.size


def _colour(image):
    value, least = image.max(axis=-1), image.min(axis=-1)
    spread = value - least
    hued = (value > _BLACK) & (spread > _GREY * value)
    named = np.where(
        value <= _BLACK,
        COLOURS.index("black"),
        np.where(value >= _WHITE, COLOURS.index("white"), COLOURS.index("grey")),
    )
    red, green, blue = np.moveaxis(image, -1, 0)
    safe = np.where(spread > 0, spread, 1)
    sixth = np.select(
        [value == red, value == green],
        [((green - blue) / safe) % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    ends = [end for end, _ in _HUES]
    places = np.array([COLOURS.index(name) for _, name in _HUES])
    hue = np.minimum(np.searchsorted(ends, 60 * sixth, side="right"), len(ends) - 1)
    counted = places[hue][hued] if hued.mean() >= _COLOURFUL else named.ravel()
    return int(np.argmax(np.bincount(counted, minlength=len(COLOURS))))


def measure(table, max_pixels=50_000_000, progress=False):
    """Measures every image of a label table, one decoding each.

    Args:
        table: `labels.LabelTable` of N images.
        max_pixels: larger images are refused from their header.
        progress: whether to show a bar on the standard error stream.

    Returns:
        `Attributes` of N images.
    """
    import tensorflow as tf

    from data_pipelines import formats

    def decode(draw):
        pixels = formats.decode(draw["data"], max_pixels)
        return draw["example"], tf.cast(tf.round(pixels), tf.uint8)

    draws = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    decoded = (
        table.storage.read(draws, table.locations)
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .prefetch(tf.data.AUTOTUNE)
    )
    values = {name: np.full(len(table), np.nan, np.float32) for name in ORDERED}
    colour = np.full(len(table), -1, np.int8)
    rows = tqdm.tqdm(decoded.as_numpy_iterator(), total=len(table), unit="image",
                     desc="measuring images", disable=not progress)  # fmt: skip
    for row, pixels in rows:
        found, colour[row] = measure_one(pixels)
        for name, value in found.items():
            values[name][row] = value
    return Attributes(values, colour)
