"""Whether an attribute is higher among some images than among others, within strata.

The effect is the probability that an image drawn from the first has a higher value than
one from the others of its stratum, ties counting half (the area under the ROC curve; a
half is no effect), averaged over strata with van Elteren's weights m n / (m + n + 1).
With one stratum this is the test of Mann and Whitney. Strata keep what makes images
differ anyway, such as what else they show, from being taken for the attribute's doing.

Intervals are of the score kind: they hold every effect t from which the measured one is
no further than so many standard errors *at t*, which Newcombe (2006, Statistics in
Medicine 25, method 5) takes from Hanley and McNeil (1982, Radiology 143). A Wald
interval about the measured effect is far too short for few images and effects near 0 or
1. Hanley and McNeil's variance is of continuous values that spread alike in both kinds;
it is multiplied by what DeLong's (1988, Biometrics 44) at the measured effect is of it,
less so where that is smaller and rests on few images.
"""

import dataclasses

import numpy as np
from scipy import optimize, stats

MIN_IMAGES = 10
"""Of each kind, over all strata, before there is a test."""

_DOUBTED = 30
"""Images of the rarer kind at which half of it is believed that values vary less than
Hanley and McNeil's variance says. With fewer, a small variance may be luck."""

_STEPS = 201
"""Common effects that a test of change tries; more do not change a p-value."""


@dataclasses.dataclass(frozen=True)
class Effect:
    """An effect.

    Args:
        value: in 0..1; a half is none. NaN where it cannot be told.
        alone, shared: of its variance, if the effect is t: t (1 - t) (alone + shared
            ((1 - t) / (2 - t) + t / (1 + t))).
        p_value: two-sided, of no effect (van Elteren 1960), with ties allowed for.
        first, others: images of both kinds that strata hold together.
    """

    value: float
    alone: float
    shared: float
    p_value: float
    first: int
    others: int

    def variance(self, effect):
        """Returns the variance of `value` if the true effect were float [...]."""
        spread = (1 - effect) / (2 - effect) + effect / (1 + effect)
        return effect * (1 - effect) * (self.alone + self.shared * spread)

    def ends(self, level):
        """Returns (low, high) of the interval at a level, within 0..1."""
        z = stats.norm.ppf(0.5 + level / 2)

        def beyond(effect):
            return (self.value - effect) ** 2 - z**2 * self.variance(effect)

        # the variance is 0 at 0 and 1, so an end lies between the value and either; at
        # a value of 0 or 1 the zero that is sought is not the value itself
        inside = np.clip(self.value, 1e-9, 1 - 1e-9)
        return tuple(
            limit if self.value == limit
            else float(optimize.brentq(beyond, inside, limit))
            for limit in (0.0, 1.0)
        )  # fmt: skip


NONE = Effect(np.nan, np.nan, np.nan, np.nan, 0, 0)


@dataclasses.dataclass(frozen=True)
class Change:
    """How an effect differs between two sets of images.

    Args:
        before, here: `Effect`s of both.
        p_value: two-sided, of one common effect: the least over all t of the sum of
            both squared distances from t, each over its variance at t, beside chi
            squared with one degree of freedom.
    """

    before: Effect
    here: Effect
    p_value: float

    @property
    def value(self):
        """Half of here less before, above a half; in 0..1."""
        return (1 + self.here.value - self.before.value) / 2

    def ends(self, level):
        """Returns (low, high) at a level, within 0..1, of both effects' intervals
        (Newcombe 1998, Statistics in Medicine 17, method 10)."""
        (low, high), (before_low, before_high) = (
            one.ends(level) for one in (self.here, self.before)
        )
        here, before = self.here.value, self.before.value
        below = np.hypot(here - low, before_high - before)
        above = np.hypot(high - here, before - before_low)
        return (
            max(0.0, float(self.value - below / 2)),
            min(1.0, float(self.value + above / 2)),
        )


def change(before, here):
    """Tests whether an effect differs between two sets of images.

    Args:
        before, here: `Effect`s.

    Returns:
        `Change`, whose p-value is NaN where either cannot be told.
    """
    if np.isnan(before.value) or np.isnan(here.value):
        return Change(before, here, np.nan)
    # at 0 and 1 themselves there is no variance
    common = np.linspace(before.value, here.value, _STEPS).clip(1e-9, 1 - 1e-9)
    distance = sum(
        (one.value - common) ** 2 / one.variance(common) for one in (before, here)
    )
    return Change(before, here, float(stats.chi2.sf(distance.min(), 1)))


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
    weight = shift = variance_null = variance = alone = shared = 0.0
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
        alone += w**2 / (m * n)
        shared += w**2 * ((m + n) / 2 - 1) / (m * n)
        counts += (m, n)
    if counts.min() < MIN_IMAGES or not variance_null:
        return dataclasses.replace(NONE, first=int(counts[0]), others=int(counts[1]))
    value = shift / weight
    z = (value - 0.5) * weight / np.sqrt(variance_null)
    p_value = float(2 * stats.norm.sf(abs(z)))
    supposed = Effect(
        float(value), alone / weight**2, shared / weight**2, p_value, *counts.tolist()
    )
    ratio = _ratio(supposed, variance / weight**2)
    return dataclasses.replace(
        supposed, alone=ratio * supposed.alone, shared=ratio * supposed.shared
    )


def _ratio(supposed, variance):
    """DeLong's variance over Hanley and McNeil's, smaller ones believed less."""
    pairs = supposed.first * supposed.others
    # half a pair the other way: neither variance says anything of an effect of 1
    inside = (supposed.value * pairs + 0.5) / (pairs + 1)
    ratio = variance / supposed.variance(inside)
    if ratio >= 1:
        return float(ratio)
    rarer = min(supposed.first, supposed.others)
    return float(1 + (ratio - 1) * rarer / (rarer + _DOUBTED))


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
