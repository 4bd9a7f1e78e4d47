"""Figures of each image from those of its entries."""

import numpy as np


def reduced(operation, values, offsets, dtype=None):
    """Folds the values of each image; an image without entries gets 0.

    Args:
        operation: a NumPy ufunc of two arguments, such as `np.add`.
        values: [P].
        offsets: int64 [N + 1]; image i owns values offsets[i] to offsets[i + 1].
        dtype: of the result; None: that of `values`.

    Returns:
        [N].
    """
    result = np.zeros(len(offsets) - 1, dtype or values.dtype)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        result[filled] = operation.reduceat(values, offsets[filled], dtype=dtype)
    return result


def median_minus_deviation(values, offsets):
    """Median minus one standard deviation of the values of each image.

    The deviation is that of a population: squares are divided by their number.

    Args:
        values: float32 [P], at least 0.
        offsets: int64 [N + 1]; image i owns values offsets[i] to offsets[i + 1].

    Returns:
        float64 [N], infinite for an image without values.
    """
    sizes = np.diff(offsets)
    filled = np.flatnonzero(sizes)
    result = np.full(len(sizes), np.inf)
    if not len(filled):
        return result
    image = np.repeat(np.arange(len(sizes)), sizes)
    # floats of one sign are in the order of their bits
    ordered = (image << 32) | values.view(np.uint32)
    ordered.sort()
    ordered = (ordered & 0xFFFFFFFF).astype(np.uint32).view(np.float32)
    starts, sizes = offsets[filled], sizes[filled]
    median = ordered[starts + (sizes - 1) // 2].astype(np.float64)
    median = (median + ordered[starts + sizes // 2]) / 2
    mean = np.add.reduceat(values, starts, dtype=np.float64) / sizes
    spread = np.subtract(values, np.repeat(mean, sizes), dtype=np.float64)
    variance = np.add.reduceat(np.square(spread), starts) / sizes
    result[filled] = median - np.sqrt(variance)
    return result
