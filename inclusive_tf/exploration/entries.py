"""Small pieces of the figures: a label's entry, quantiles, what is missing."""

import numpy as np

QUANTILES = (5, 25, 50, 75, 95)
"""Percentiles that summarise a measurement; its box and whiskers."""


def label(vocabulary, position):
    """Returns {"id", "name"} of a label; names may be shared, ids are not."""
    return {
        "id": str(vocabulary.ids[position]),
        "name": str(vocabulary.names[position]),
    }


MISSING = "missing"
"""Stands in the place of a figure's own keys where it cannot be had, and says why."""


def missing(reason):
    """Returns what stands in place of a figure: a clause that says why."""
    return {MISSING: reason}


def share(part, whole):
    """Returns part / whole as a float, or None where the whole is 0."""
    return float(part) / float(whole) if whole else None


def summary(values):
    """Returns {"n", "mean", "p5", ... "p95"} of numbers; None where there are none.

    Percentiles are interpolated linearly between order statistics.
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        names = ("mean", *(f"p{percent}" for percent in QUANTILES))
        return {"n": 0} | dict.fromkeys(names)
    points = np.percentile(values, QUANTILES).tolist()
    named = zip(QUANTILES, points, strict=True)
    return {"n": len(values), "mean": float(values.mean())} | {
        f"p{percent}": point for percent, point in named
    }
