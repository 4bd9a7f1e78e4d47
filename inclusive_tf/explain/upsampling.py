"""Maps of a feature map's size brought to the image's, as tf-keras-vis does."""

import numpy as np


def weights(size, length):
    """Returns float64 [length, size]: rows that interpolate linearly between places.

    The corners stay corners, as in `scipy.ndimage.zoom(order=1)`: place i of the result
    lies at i (size - 1) / (length - 1). For a few pairs of sizes (4 to 188, say) that
    is rounded to just beyond the last place, and SciPy's maps, so tf-keras-vis' too,
    end in a row of zeros; here it is the last place.
    """
    if length == 1:
        place = np.zeros(1)
    else:
        place = np.minimum(np.arange(length) * ((size - 1) / (length - 1)), size - 1)
    lower = np.floor(place).astype(np.int64)
    share = place - lower
    found = np.zeros((length, size))
    rows = np.arange(length)
    found[rows, lower] = 1 - share
    # where share is 0 there need be no next place
    np.add.at(found, (rows, np.minimum(lower + 1, size - 1)), share)
    return found


def upsample(maps, size):
    """Brings maps to a size, each by itself.

    Args:
        maps: float [..., h, w].
        size: (height, width).

    Returns:
        float32 [..., height, width].
    """
    maps = np.asarray(maps, np.float32)
    rows = weights(maps.shape[-2], size[0]).astype(np.float32)
    columns = weights(maps.shape[-1], size[1]).astype(np.float32)
    return rows @ maps @ columns.T
