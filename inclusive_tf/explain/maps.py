"""Maps as pictures: scaled for the eye, laid over the image, encoded as PNG."""

import dataclasses
import io

import matplotlib
import numpy as np
from PIL import Image

from data_pipelines import errors

POSITIVE_COLOURS = "inferno"
SIGNED_COLOURS = "RdBu_r"

_FLAT = 1e-6
"""Spread, relative to the greatest value, up to which a map is the same everywhere."""


@dataclasses.dataclass(frozen=True)
class Scaled:
    """A map for display.

    Args:
        values: float32 [H, W]; 0..1, or -1..1 for signed maps with 0 at 0.
        scale: the raw value that 1 stands for; maps are scaled one by one, so colours
            do not compare between maps, and this number does.
        degenerate: the map says nothing: it is nowhere positive (signed: nowhere other
            than 0) or the same everywhere. `values` are all 0, and a page must say so.
    """

    values: np.ndarray
    scale: float
    degenerate: bool


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture to put on a page.

    Args:
        png: bytes of a PNG file.
        width, height: its size in pixels.
        scale, degenerate: as in `Scaled`.
    """

    png: bytes
    width: int
    height: int
    scale: float
    degenerate: bool


def scaled(raw, signed):
    """Scales one map to its own greatest value.

    Args:
        raw: float [H, W].
        signed: whether values below 0 mean something; else they count as 0.

    Returns:
        `Scaled`.

    Raises:
        errors.DataError: the map is not [H, W] or not finite.
    """
    raw = np.asarray(raw, np.float64)
    if raw.ndim != 2 or not raw.size or not np.isfinite(raw).all():
        raise errors.DataError(
            "not a map", expected="finite [H, W]", received=f"{raw.shape}: {raw}"
        )
    values = raw if signed else np.maximum(raw, 0)
    greatest = float(np.abs(values).max())
    if greatest == 0 or np.ptp(values) <= _FLAT * greatest:
        return Scaled(np.zeros(raw.shape, np.float32), greatest, True)
    return Scaled((values / greatest).astype(np.float32), greatest, False)


def picture(image, width=224, smooth=True):
    """Draws an image at a size that looks good on a page.

    Args:
        image: float [H, W, 1 or 3] in 0..1.
        width: greatest width in pixels; small images grow by a whole factor.
        smooth: bicubic rather than nearest pixels.

    Returns:
        `Picture` of scale 1.

    Raises:
        errors.DataError: the image is neither grey nor RGB, or not finite.
    """
    pixels = _resized(_rgb(image), width, smooth)
    return _encoded(pixels, 1.0, False)


def overlay(image, raw, signed, width=224, strength=0.85, smooth=True):
    """Draws a map over its image.

    The image is shown in grey; a place is coloured as strongly as the map speaks there
    and keeps the image where it is silent. A degenerate map leaves the grey image.

    Args:
        image: float [H, W, 1 or 3] in 0..1.
        raw: float [H, W], the map, unscaled.
        signed: blue below 0 and red above; else from dark to yellow.
        width: greatest width in pixels; small images grow by a whole factor.
        strength: opacity of the map's greatest value, 0..1.
        smooth: bicubic rather than nearest pixels.

    Returns:
        `Picture`.

    Raises:
        errors.DataError: image or map cannot be drawn or disagree in size.
    """
    image = _rgb(image)
    shown = scaled(raw, signed)
    if image.shape[:2] != shown.values.shape:
        raise errors.DataError(
            "image and map disagree in size",
            expected=str(image.shape[:2]),
            received=str(shown.values.shape),
        )
    # ITU-R BT.601 luma, as Pillow's "L"
    grey = (image @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=2)
    ground = _resized(grey, width, smooth)
    heat = _resized(shown.values[..., None], width, smooth, low=-1.0)[..., 0]
    blended = _coloured(ground, heat, signed, strength)
    return _encoded(blended, shown.scale, shown.degenerate)


def colour_bar(signed, width=224, height=12, strength=0.85):
    """Draws the legend of `overlay`: from -1 (or 0) at the left to 1 at the right.

    Returns:
        `Picture` of scale 1.
    """
    heat = np.tile(np.linspace(-1 if signed else 0, 1, width), (height, 1))
    ground = np.full((height, width, 3), 0.5)
    return _encoded(_coloured(ground, heat, signed, strength), 1.0, False)


def _coloured(ground, heat, signed, strength):
    """Lays heat [H, W] in -1..1 over ground [H, W, 3] in 0..1."""
    if signed:
        # from clear blue to clear red, without the colour map's white middle
        place = 0.5 + np.sign(heat) * (0.2 + 0.25 * np.abs(heat))
        opacity = np.abs(heat)
        colours = matplotlib.colormaps[SIGNED_COLOURS]
    else:
        place = np.maximum(heat, 0)
        # the root lets weak evidence be seen; around the 0 between red and blue it
        # would draw an outline
        opacity = np.sqrt(place)
        colours = matplotlib.colormaps[POSITIVE_COLOURS]
    opacity = strength * opacity[..., None]
    return (1 - opacity) * ground + opacity * colours(place)[..., :3]


def _rgb(image):
    image = np.asarray(image, np.float64)
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not np.isfinite(image).all():
        raise errors.DataError(
            "not an image",
            expected="finite [H, W, 1] or [H, W, 3] in 0..1",
            received=str(image.shape),
        )
    return np.clip(np.broadcast_to(image, (*image.shape[:2], 3)), 0, 1)


def _resized(planes, width, smooth, low=0.0):
    """Returns [h, w, C] in `low`..1, no wider than `width`, each plane by itself."""
    height = planes.shape[0]
    factor = width // planes.shape[1] or width / planes.shape[1]
    size = (round(planes.shape[1] * factor), max(1, round(height * factor)))
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    resized = [
        np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, method))
        for plane in np.moveaxis(planes, 2, 0)
    ]
    # bicubic overshoots at edges
    return np.clip(np.stack(resized, axis=2), low, 1)


def _encoded(pixels, scale, degenerate):
    data = np.round(pixels * 255).astype(np.uint8)
    is_grey = (data == data[..., :1]).all()
    image = Image.fromarray(data[..., 0] if is_grey else data)
    buffer = io.BytesIO()
    # searching for the smallest file takes longer than the map itself
    image.save(buffer, format="PNG")
    return Picture(buffer.getvalue(), image.width, image.height, scale, degenerate)
