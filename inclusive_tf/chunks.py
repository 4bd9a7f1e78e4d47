"""Large arrays a few rows at a time, so that what is made of them stays small."""

import numpy as np

from data_pipelines import errors


def rows(array, cells):
    """Yields slices of rows of an array [N, C], of about `cells` numbers, at least one.

    Args:
        array: [N, C].
        cells: numbers a slice.
    """
    step = max(1, cells // max(1, array.shape[1]))
    for first in range(0, len(array), step):
        yield slice(first, first + step)


def numbers(logits, cells):
    """Yields (rows, logits of these rows) as `rows` cuts them, each looked at for NaN.

    Args:
        logits: float [N, C]; may be memory-mapped.
        cells: numbers a slice.

    Raises:
        errors.DataError: a logit is NaN; which image's is said.
    """
    for part in rows(logits, cells):
        chunk = np.asarray(logits[part])
        # the minimum is NaN when one value is, and needs no array of its own
        if chunk.size and np.isnan(chunk.min()):
            raise not_a_number(part.start + np.argmax(np.isnan(chunk).any(axis=1)))
        yield part, chunk


def not_a_number(image):
    """Returns the `errors.DataError` of image number `image`, which has a NaN."""
    return errors.DataError(
        "a logit is not a number",
        expected="numbers",
        received=f"NaN at image {image}, counted from 0",
    )
