"""Flags of the adaptation to a tuning set: what is fitted, and how it is validated."""

import dataclasses

from absl import flags

RULES = (
    "none",
    "global",
    "per_class",
    "per_class_third_place",
    "per_class_third_place_safe",
    "shrunk",
    "expected_f2",
)
PRIORS = ("none", "em", "bbse", "counted")


@dataclasses.dataclass(frozen=True)
class AdaptationConfig:
    """What `adapted.fit` fits.

    Args:
        last_layer: whether to refit the last layer.
        threshold: the rule that decides, one of `RULES`.
        folds: of the cross-validation.
        seed: of the folds.
        name: for tables; None says what was fitted.
        group_balanced: whether each group counts the same in the refit.
        temperature: whether to calibrate.
        priors: how priors are corrected, one of `PRIORS`.
        associations: folder of associations to smooth scores by; empty: none.
        association_strength: how strongly; None: chosen by cross-validation.
    """

    last_layer: bool
    threshold: str
    folds: int
    seed: int
    name: str | None
    group_balanced: bool = False
    temperature: bool = False
    priors: str = "none"
    associations: str = ""
    association_strength: float | None = None


PARTS = tuple(
    field.name
    for field in dataclasses.fields(AdaptationConfig)
    if field.name not in ("seed", "name")
)
"""Flags that say what is fitted."""


def define(flag_values=flags.FLAGS):
    """Defines the flags."""
    define_parts(flag_values)
    flags.DEFINE_integer(
        "seed", 0, "Seed of the folds.", lower_bound=0, flag_values=flag_values
    )
    flags.DEFINE_string(
        "name",
        None,
        "Name for tables; by default it says what was fitted.",
        flag_values=flag_values,
    )


def define_parts(flag_values=flags.FLAGS):
    """Defines what is fitted, without the seed and the name."""
    flags.DEFINE_integer(
        "folds",
        5,
        "Folds of the cross-validation.",
        lower_bound=2,
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "last_layer",
        False,
        "Refit the last layer that the predictions hold on their features.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "group_balanced",
        False,
        "Let each group count the same in the refit of the last layer.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "temperature",
        False,
        "Bring logits to probabilities by one slope and offset for all labels.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "priors",
        "none",
        PRIORS,
        "How shares of labels in the new place are found: em and bbse from --target "
        "without its labels, counted from the labels of --predictions.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "associations",
        "",
        "Folder of associations (tools.associate): labels that come together raise "
        "each other's scores. Empty: none.",
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "association_strength",
        None,
        "How strongly; 1 adds the associations in full. By default cross-validation "
        "chooses, and may choose 0.",
        lower_bound=0.0,
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "threshold",
        "none",
        RULES,
        "What decides: probability 0.5, one threshold, one a label (exact cuts, or the "
        "3rd place's grid, risky or safe), one a label shrunk towards the global one, "
        "or the set of the best expected F2 of each image.",
        flag_values=flag_values,
    )


def config_from_flags(flag_values=flags.FLAGS):
    """Returns `AdaptationConfig` from parsed flags."""
    names = [field.name for field in dataclasses.fields(AdaptationConfig)]
    return AdaptationConfig(**{name: flag_values[name].value for name in names})
