"""Which images are looked at: a sample in which small groups are not lost."""

import numpy as np


def allocate(sizes, total):
    """Shares a sample out over strata as evenly as their sizes allow.

    Args:
        sizes: int [S]; how many each stratum has.
        total: how many to take; all, when there are no more.

    Returns:
        int64 [S], at most `sizes`, summing to min(total, sum of sizes). No stratum gets
        more than one above another that could have given more.
    """
    sizes = np.asarray(sizes, np.int64)
    taken = np.zeros(len(sizes), np.int64)
    left = min(int(total), int(sizes.sum()))
    while left:
        open_strata = np.flatnonzero(taken < sizes)
        each = left // len(open_strata)
        if not each:
            taken[open_strata[:left]] += 1
            break
        given = np.minimum(each, sizes[open_strata] - taken[open_strata])
        taken[open_strata] += given
        left -= int(given.sum())
    return taken


def stratified(strata, total, generator):
    """Draws examples without repeats, evenly over strata.

    Args:
        strata: int [N]; the stratum of each example.
        total: examples to draw, at most.
        generator: `np.random.Generator`.

    Returns:
        int64, sorted: the examples drawn.
    """
    strata = np.unique(strata, return_inverse=True)[1]
    sizes = np.bincount(strata)
    taken = allocate(sizes, total)
    # a random order within each stratum, the strata one after another
    order = np.lexsort((generator.random(len(strata)), strata))
    place = np.arange(len(strata)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < np.repeat(taken, sizes)])


def spread(count, most):
    """Returns int64: at most `most` of range(count), the ends among them, evenly."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.round(np.linspace(0, count - 1, most)).astype(np.int64))
