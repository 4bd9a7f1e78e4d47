"""Large arrays a few rows at a time, so that what is made of them stays small."""


def rows(array, cells):
    """Yields slices of rows of an array [N, C], of about `cells` numbers, at least one.

    Args:
        array: [N, C].
        cells: numbers a slice.
    """
    step = max(1, cells // max(1, array.shape[1]))
    for first in range(0, len(array), step):
        yield slice(first, first + step)
