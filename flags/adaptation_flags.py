"""Flags of the adaptation to a tuning set: what is fitted, and how it is validated."""

import dataclasses

from absl import flags


@dataclasses.dataclass(frozen=True)
class AdaptationConfig:
    """What `adapted.fit` fits.

    Args:
        last_layer: whether to refit the last layer.
        threshold: whether to fit the one global threshold.
        folds: of the cross-validation.
        seed: of the folds.
        name: for tables; None says what was fitted.
    """

    last_layer: bool
    threshold: bool
    folds: int
    seed: int
    name: str | None


def define(flag_values=flags.FLAGS):
    """Defines the flags."""
    flags.DEFINE_bool(
        "last_layer",
        False,
        "Refit the last layer that the predictions hold on their features.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "threshold", False, "Fit one global threshold.", flag_values=flag_values
    )
    flags.DEFINE_integer(
        "folds",
        5,
        "Folds of the cross-validation.",
        lower_bound=2,
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "seed", 0, "Seed of the folds.", lower_bound=0, flag_values=flag_values
    )
    flags.DEFINE_string(
        "name",
        None,
        "Name for tables; by default it says what was fitted.",
        flag_values=flag_values,
    )


def config_from_flags(flag_values=flags.FLAGS):
    """Returns `AdaptationConfig` from parsed flags."""
    return AdaptationConfig(
        last_layer=flag_values.last_layer,
        threshold=flag_values.threshold,
        folds=flag_values.folds,
        seed=flag_values.seed,
        name=flag_values.name,
    )
