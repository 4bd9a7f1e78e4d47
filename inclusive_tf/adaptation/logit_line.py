"""Logits remade by a last layer, or moved along a line: slope * z + intercept."""

import numpy as np


def move(logits, slope, intercept):
    """slope * logits + intercept as float32, or the same where that changes nothing.

    Args:
        logits: float [N, C].
        slope: float.
        intercept: float, [C] or None.
    """
    if slope == 1.0 and intercept is None:
        return logits
    moved = np.multiply(logits, np.float32(slope), dtype=np.float32)
    if intercept is not None:
        moved += np.asarray(intercept, np.float32)
    return moved


def moved_layer(kernel, bias, slope, intercept):
    """Returns (kernel float32, bias float32) whose logits are moved as by `move`."""
    bias = np.asarray(bias, np.float64) * slope
    if intercept is not None:
        bias = bias + intercept
    kernel = np.asarray(kernel, np.float64) * slope
    return kernel.astype(np.float32), bias.astype(np.float32)


def layer_logits(features, kernel, bias):
    """Returns float32 [N, C]: features [N, D] through a last layer."""
    logits = np.asarray(features, np.float32) @ kernel
    logits += bias
    return logits
