"""Whether an attribute is higher among some images than among others, within strata.

The effect is the probability that an image drawn from the first has a higher value than
one from the others of its stratum, ties counting half (the area under the ROC curve; a
half is no effect), averaged over strata with van Elteren's weights m n / (m + n + 1).
With one stratum this is the test of Mann and Whitney. Strata keep what makes images
differ anyway, such as what else they show, from being taken for the attribute's doing.
"""

import dataclasses

import numpy as np
from scipy import stats

MIN_IMAGES = 5
"""Of each kind, over all strata, before there is a test."""


@dataclasses.dataclass(frozen=True)
class Effect:
    """An effect.

    Args:
        value: in 0..1; a half is none. NaN where it cannot be told.
        error: its standard error (DeLong et al. 1988, Biometrics 44), likewise.
        p_value: two-sided, of no effect (van Elteren 1960), with ties allowed for.
        first, others: images of both kinds that strata hold together.
    """

    value: float
    error: float
    p_value: float
    first: int
    others: int

    def ends(self, level):
        """Returns (low, high) of the interval at a level, within 0..1."""
        half = stats.norm.ppf(0.5 + level / 2) * self.error
        return max(0.0, float(self.value - half)), min(1.0, float(self.value + half))


NONE = Effect(np.nan, np.nan, np.nan, 0, 0)


def effect(values, is_first, strata):
    """Measures and tests an effect.

    Args:
        values: float [N].
        is_first: bool [N].
        strata: int [N]; one of images that are all of one kind says nothing.

    Returns:
        `Effect`; `NONE`'s numbers where there are too few images, or no two values
        differ.
    """
    values, is_first = np.asarray(values, np.float64), np.asarray(is_first, bool)
    weight = shift = variance_null = variance = 0.0
    counts = np.zeros(2, np.int64)
    order = np.argsort(strata, kind="stable")
    _, starts = np.unique(np.asarray(strata)[order], return_index=True)
    for rows in np.split(order, starts[1:]):
        inside = is_first[rows]
        m, n = int(inside.sum()), int((~inside).sum())
        if not m or not n:
            continue
        found, null, own = _stratum(values[rows], inside, m, n)
        w = m * n / (m + n + 1)
        weight += w
        shift += w * found
        variance_null += w**2 * null
        variance += w**2 * own
        counts += (m, n)
    if counts.min() < MIN_IMAGES or not variance_null:
        return dataclasses.replace(NONE, first=int(counts[0]), others=int(counts[1]))
    value = shift / weight
    z = (value - 0.5) * weight / np.sqrt(variance_null)
    # where all values of one kind lie above the other's, DeLong's error is 0
    error = np.sqrt(max(variance, _least(*counts) * weight**2)) / weight
    return Effect(
        float(value), float(error), float(2 * stats.norm.sf(abs(z))), *counts.tolist()
    )


def _least(m, n):
    return 1.0 / (12 * m * n)


def _stratum(values, inside, m, n):
    """Returns (effect, its variance if there were none, its variance by DeLong)."""
    ranks = stats.rankdata(values)
    found = (ranks[inside].sum() / m - (m + 1) / 2) / n
    _, ties = np.unique(values, return_counts=True)
    total = m + n
    tied = np.sum(ties.astype(np.float64) ** 3 - ties)
    null = (total + 1 - tied / (total * max(total - 1, 1))) / (12 * m * n)
    # how far each image lies above those of the other kind
    first = (ranks[inside] - stats.rankdata(values[inside])) / n
    others = (ranks[~inside] - stats.rankdata(values[~inside])) / m
    own = (first.var(ddof=1) / m if m > 1 else 0.25) + (
        others.var(ddof=1) / n if n > 1 else 0.25
    )
    return found, null, own
