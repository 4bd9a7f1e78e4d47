"""What losses are told of the data set, checked."""

import numpy as np

from data_pipelines import errors


def counts(loss, name, values, least):
    """Returns float64 [n] of counts.

    Args:
        loss: name of the loss, for the message.
        name: what is counted, for the message.
        values: n whole numbers.
        least: the smallest that is right.

    Raises:
        errors.SettingError: there are none, or one is no whole number from `least` on.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        _refuse(loss, name, "a count for each", values)
    wrong = ~((array >= least) & (array == np.floor(array)) & np.isfinite(array))
    if wrong.any():
        _refuse(loss, name, f"whole numbers, at least {least}", array[wrong][0])
    return array


def log_odds(loss, shares):
    """Returns float64 [C]: log(share / (1 - share)).

    Raises:
        errors.SettingError: there are none, or one is not above 0 and below 1.
    """
    array = np.asarray(shares, np.float64)
    if array.ndim != 1 or not len(array):
        _refuse(loss, "shares", "the share of images that show each label", shares)
    wrong = ~((array > 0) & (array < 1))
    if wrong.any():
        _refuse(loss, "shares", "values above 0 and below 1", array[wrong][0])
    return np.log(array) - np.log1p(-array)


def _refuse(loss, name, expected, received):
    raise errors.SettingError(
        f"The loss {loss} cannot have these {name}. Expected: {expected}. "
        f"Received: {received}."
    )
