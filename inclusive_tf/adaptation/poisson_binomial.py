"""How many of independent labels are present: the Poisson-binomial distribution.

For Y = sum of independent Bernoulli(p_j), P(Y = m) is the m-th coefficient of the
product of (1 - p_j + p_j s). Coefficients up to some order need no others, so a
distribution that is cut there is exact up to the cut.
"""

import math

import numpy as np

SMALL = 1e-3
"""Probabilities up to this one enter by their power sums."""

_TAIL = 1e-9
_POWERS = 4


def order(mean):
    """Returns a number of labels that more are present than with chance below 1e-9.

    Bernstein's inequality, with the variance at most the mean.

    Args:
        mean: the largest expected number of labels.
    """
    log = -math.log(_TAIL)
    return math.ceil(mean + log / 3 + math.sqrt((log / 3) ** 2 + 2 * log * mean))


def distribution(large, power_sums, length):
    """P(Y = m) for m = 0 .. length - 1.

    Labels of `large` are multiplied in one by one. The others enter together: the log
    of their product is sum over r of -(-1)^r S_r (s - 1)^r / r with the power sums
    S_r = sum p^r, cut after r = 4. What is cut is below 32/5 sum p^5, less than 1e-11 a
    label's worth of mean where all p are at most `SMALL`.

    Args:
        large: float64 [B, n]; probabilities, 0 where there is none.
        power_sums: float64 [B, 4]; S_1 to S_4 of the other labels of each image.
        length: how many coefficients, such as `order(mean) + 1`.

    Returns:
        float64 [B, length].
    """
    found = _exponential(_log_coefficients(power_sums), length)
    for position in range(large.shape[1]):
        chance = large[:, position, None]
        moved = found[:, :-1] * chance
        found *= 1 - chance
        found[:, 1:] += moved
    return found


def power_sums(chances):
    """Returns float64 [B, 4]: the sums of p, p^2, p^3 and p^4 of float [B, n]."""
    found, power = [chances.sum(axis=1, dtype=np.float64)], chances
    # squares below 1e-14 do not count, and their powers would be slow subnormals
    chances = np.where(chances > 1e-7, chances, 0)
    for _ in range(1, _POWERS):
        power = power * chances
        found.append(power.sum(axis=1, dtype=np.float64))
    return np.stack(found, axis=1)


def _log_coefficients(sums):
    """Coefficients in s of the sum over r of -(-1)^r S_r (s - 1)^r / r."""
    coefficients = np.zeros_like(sums, shape=(len(sums), _POWERS + 1))
    for power in range(1, _POWERS + 1):
        for degree in range(power + 1):
            # -(-1)^r and the sign of (s - 1)^r leave the degree's alone
            factor = -((-1) ** degree) * math.comb(power, degree) / power
            coefficients[:, degree] += factor * sums[:, power - 1]
    return coefficients


def _exponential(coefficients, length):
    """The first coefficients of exp of a polynomial: m a_m = sum_r r c_r a_(m-r)."""
    found = np.zeros((len(coefficients), length))
    found[:, 0] = np.exp(coefficients[:, 0])
    for m in range(1, length):
        for r in range(1, min(m, _POWERS) + 1):
            found[:, m] += r * coefficients[:, r] * found[:, m - r] / m
    return found


def without(found, chances):
    """The distributions of Y less one label each.

    Division by (1 - p + p s), upwards where p < 1/2 and downwards elsewhere, which is
    the stable direction of each.

    Args:
        found: float64 [B, M]; of `distribution`, of a tail below 1e-9.
        chances: float64 [B, n]; the label to take out, among those multiplied in.

    Returns:
        float64 [B, n, M].
    """
    size = found.shape[1]
    rare = np.minimum(chances, 0.5)
    common = np.maximum(chances, 0.5)
    up = np.empty((*chances.shape, size))
    down = np.empty((*chances.shape, size))
    last, ahead = np.zeros_like(chances), np.zeros_like(chances)
    for m in range(size):
        last = (found[:, m, None] - rare * last) / (1 - rare)
        up[..., m] = last
    down[..., size - 1] = 0.0
    for m in range(size - 1, 0, -1):
        ahead = (found[:, m, None] - (1 - common) * ahead) / common
        down[..., m - 1] = ahead
    return np.where((chances < 0.5)[..., None], up, down)
