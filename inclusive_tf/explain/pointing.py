"""Do maps point at what they should, where the data know where things are?"""

import numpy as np

from data_pipelines import errors


def masks_from_boxes(boxes, size):
    """Draws boxes as masks.

    Args:
        boxes: [B, 4] of top, left, bottom, right in pixels; bottom and right excluded.
        size: (height, width).

    Returns:
        bool [B, height, width].

    Raises:
        errors.DataError: not four numbers a box.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise errors.DataError(
            "a box is top, left, bottom, right",
            expected="shape (B, 4)",
            received=str(boxes.shape),
        )
    top, left, bottom, right = boxes.T[:, :, None]
    rows, columns = np.arange(size[0]), np.arange(size[1])
    return ((rows >= top) & (rows < bottom))[:, :, None] & (
        (columns >= left) & (columns < right)
    )[:, None, :]


def pointing(maps, places):
    """Whether each map is greatest inside the place: the pointing game.

    Zhang et al. 2018, "Top-down neural attention by excitation backprop",
    without their tolerance margin. Where the maximum is reached at several pixels, all
    of them must lie inside, so a map that says nothing is no hit.

    Args:
        maps: float [B, H, W].
        places: bool masks [B, H, W], or boxes [B, 4] as in `masks_from_boxes`.

    Returns:
        bool [B]. A random map hits with the share of area inside: `area`.

    Raises:
        errors.DataError: shapes disagree or a map is not finite.
    """
    maps, masks = _checked(maps, places)
    greatest = maps == maps.max(axis=(1, 2), keepdims=True)
    return (greatest <= masks).all(axis=(1, 2))


def energy_inside(maps, places):
    """Share of the positive values of each map that lies inside the place.

    The energy-based pointing game of Wang et al. 2020, "Score-CAM".

    Args:
        maps: float [B, H, W]; negative values count as 0.
        places: as in `pointing`.

    Returns:
        float64 [B] in 0..1; NaN where a map is degenerate: nowhere positive, or the
        same everywhere. An evenly spread map would have `area`.

    Raises:
        errors.DataError: shapes disagree or a map is not finite.
    """
    maps, masks = _checked(maps, places)
    positive = np.maximum(maps, 0).astype(np.float64)
    total = positive.sum(axis=(1, 2))
    inside = np.where(masks, positive, 0).sum(axis=(1, 2))
    varies = maps.max(axis=(1, 2)) > maps.min(axis=(1, 2))
    usable = varies & (total > 0)
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=usable)


def area(places, size=None):
    """Returns float64 [B]: the share of area inside, what a random map would score.

    Args:
        places: as in `pointing`.
        size: (height, width), needed for boxes only.
    """
    places = np.asarray(places)
    masks = masks_from_boxes(places, size) if places.ndim == 2 else places
    return masks.astype(bool).mean(axis=(1, 2), dtype=np.float64)


def _checked(maps, places):
    maps, places = np.asarray(maps), np.asarray(places)
    if maps.ndim != 3:
        raise errors.DataError(
            "maps have three axes", expected="(B, H, W)", received=str(maps.shape)
        )
    masks = masks_from_boxes(places, maps.shape[1:]) if places.ndim == 2 else places
    if masks.shape != maps.shape:
        raise errors.DataError(
            "maps and masks disagree in shape",
            expected=str(maps.shape),
            received=str(masks.shape),
        )
    if not np.isfinite(maps).all():
        raise errors.DataError("a map holds NaN or infinity", expected="numbers")
    return maps, masks.astype(bool)
