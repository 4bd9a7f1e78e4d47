"""Flags of what reads predictions: when a label is given, and the bootstrap."""

import dataclasses
import math

from absl import flags


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """How predictions are decided and how their figures get intervals.

    Args:
        threshold: probability in (0, 1) from which a label is given.
        bootstrap: resamples.
        seed: of the bootstrap.
    """

    threshold: float
    bootstrap: int
    seed: int


def define_decision(flag_values=flags.FLAGS):
    """Defines only the flag that says when a label is given."""
    flags.DEFINE_float(
        "threshold",
        0.5,
        "Probability from which a label is given, where no adaptation says otherwise.",
        flag_values=flag_values,
    )
    flags.register_validator(
        "threshold",
        lambda probability: 0.0 < probability < 1.0,
        "must lie between 0 and 1",
        flag_values=flag_values,
    )


def threshold_logit(flag_values=flags.FLAGS):
    """Returns the logit, a float, of the probability that --threshold names."""
    probability = flag_values.threshold
    return math.log(probability) - math.log1p(-probability)


def define(flag_values=flags.FLAGS):
    """Defines all flags."""
    define_decision(flag_values)
    flags.DEFINE_integer(
        "bootstrap",
        1000,
        "Resamples of the bootstrap; 0 leaves the intervals out.",
        lower_bound=0,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "seed",
        0,
        "Seed of the bootstrap.",
        lower_bound=0,
        flag_values=flag_values,
    )


def config_from_flags(flag_values=flags.FLAGS):
    """Returns `EvaluationConfig` from parsed flags."""
    return EvaluationConfig(
        threshold=flag_values.threshold,
        bootstrap=flag_values.bootstrap,
        seed=flag_values.seed,
    )
