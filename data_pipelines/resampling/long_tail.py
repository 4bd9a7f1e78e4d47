"""Long tails: how they are made for benchmarks, and what their classes weigh."""

import numpy as np

from data_pipelines import errors


def long_tail_counts(classes, largest, ratio):
    """Images of each class under the exponential profile of CIFAR-LT.

    n_k = floor(largest * ratio^(-k / (classes - 1))), Cui et al. 2019, arXiv
    1901.05555, section 5.1. With CIFAR's 5,000 (10 classes) and 500 (100 classes)
    images a class these sum to the sizes that are published for CIFAR-10-LT (12,406 at
    ratio 100, 13,996 at 50) and CIFAR-100-LT (10,847 and 12,608).

    Args:
        classes: how many, at least 1.
        largest: images of the commonest class.
        ratio: commonest over rarest class, at least 1.

    Returns:
        int64 [classes], descending.

    Raises:
        errors.SettingError: a value out of its range.
    """
    if classes < 1 or largest < 0 or not ratio >= 1:
        raise errors.SettingError(
            "There is no such long tail. Expected: at least one class, no negative "
            f"count, a ratio of at least 1. Received: {classes} classes, largest "
            f"{largest}, ratio {ratio}."
        )
    exponent = -np.arange(classes) / max(classes - 1, 1)
    # the small term keeps exact powers from falling under the whole number they are
    return np.floor(largest * float(ratio) ** exponent + 1e-9).astype(np.int64)


def effective_number(counts, beta):
    """Expected volume of n images that may overlap: (1 - beta^n) / (1 - beta).

    Cui et al. 2019, arXiv 1901.05555, proposition 1: 1 for any n >= 1 at beta 0, and n
    for beta towards 1.

    Args:
        counts: whole numbers [C], 0 or more.
        beta: 0 or more, below 1.

    Returns:
        float64 [C].

    Raises:
        errors.SettingError: beta or a count is out of its range.
    """
    counts = np.asarray(counts, np.float64)
    if not 0 <= beta < 1 or (counts < 0).any() or not np.isfinite(counts).all():
        raise errors.SettingError(
            "There is no such effective number. Expected: counts of 0 or more, beta of "
            f"0 or more, below 1. Received: beta {beta}, counts from "
            f"{np.min(counts, initial=0)} to {np.max(counts, initial=0)}."
        )
    if not beta:
        return np.minimum(counts, 1.0)
    # for beta near 1 the direct difference loses its digits
    return -np.expm1(counts * np.log(beta)) / (1 - beta)


def effective_number_weights(counts, beta):
    """Weights in inverse proportion to effective numbers, with a mean of 1.

    Cui et al. 2019, arXiv 1901.05555, section 4: scaled so that they sum to the number
    of classes. A class without images has the weight 0 and is not counted.

    Args:
        counts: whole numbers [C], 0 or more.
        beta: 0 or more, below 1.

    Returns:
        float64 [C].

    Raises:
        errors.SettingError: beta or a count is out of its range.
    """
    effective = effective_number(counts, beta)
    shown = effective > 0
    weights = np.zeros(len(effective))
    weights[shown] = 1 / effective[shown]
    return weights * (shown.sum() / max(weights.sum(), np.finfo(float).tiny))
