"""Intervals of shares and of their ratios, for many labels at once."""

import numpy as np
from scipy import special

CONFIDENCE = 0.95


def _deviations(confidence):
    """Standard normal deviations that hold `confidence` between them."""
    return special.ndtri(0.5 + confidence / 2)


def wilson(successes, trials, confidence=CONFIDENCE):
    """Wilson score interval of a binomial share.

    (k + z²/2 ± z·sqrt(k(n − k)/n + z²/4)) / (n + z²), Wilson 1927, "Probable Inference,
    the Law of Succession, and Statistical Inference", JASA 22.

    Args:
        successes: int [...], k.
        trials: int, n, at least 1.
        confidence: of the interval, in (0, 1).

    Returns:
        (low, high): float64 [...] in 0..1.
    """
    successes = np.asarray(successes, np.float64)
    z = _deviations(confidence)
    middle = successes + z**2 / 2
    # by rounding, k (n - k) / n could fall below 0
    inner = np.maximum(successes * (trials - successes), 0) / trials + z**2 / 4
    half = z * np.sqrt(inner)
    low, high = ((middle + sign * half) / (trials + z**2) for sign in (-1, 1))
    return np.where(successes == 0, 0.0, low), np.where(successes == trials, 1.0, high)


def share(successes, trials):
    """Returns a share as figures hold it.

    Args:
        successes, trials: int.

    Returns:
        {"value", "low", "high", "n"}: k / n with Wilson's interval at `CONFIDENCE`, and
        n; None but for "n" where n is 0.
    """
    if not trials:
        return {"value": None, "low": None, "high": None, "n": 0}
    low, high = wilson(successes, trials)
    return {
        "value": successes / trials,
        "low": float(low),
        "high": float(high),
        "n": trials,
    }


def log_ratio(first, first_trials, second, second_trials, confidence=CONFIDENCE):
    """Base-2 logarithm of the ratio of two shares, second over first, with interval.

    ln((k₂ + ½)/(n₂ + ½)) − ln((k₁ + ½)/(n₁ + ½)), which stays finite at 0, of variance
    1/(k₁ + ½) − 1/(n₁ + ½) + 1/(k₂ + ½) − 1/(n₂ + ½): Walter 1975, "The Distribution of
    Levin's Measure of Attributable Risk", Biometrika 62, and Katz et al. 1978.

    Args:
        first, second: int [...], successes.
        first_trials, second_trials: int, at least 1.
        confidence: of the interval, in (0, 1).

    Returns:
        (value, low, high): float64 [...], in doublings.
    """
    counts = [np.asarray(one, np.float64) + 0.5 for one in (first, second)]
    trials = [first_trials + 0.5, second_trials + 0.5]
    value = np.log(counts[1] / trials[1]) - np.log(counts[0] / trials[0])
    variance = sum(
        1 / count - 1 / number for count, number in zip(counts, trials, strict=True)
    )
    half = _deviations(confidence) * np.sqrt(variance)
    return tuple(one / np.log(2) for one in (value, value - half, value + half))
