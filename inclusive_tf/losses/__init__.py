"""Multilabel losses on logits, with soft targets and a mask for unknown labels.

Targets are float [B, C] in [0, 1]; a negative target says that the label is unknown and
takes it out of the loss (`data_pipelines.labels.UNKNOWN`).
"""

import dataclasses
import inspect

from data_pipelines import errors
from inclusive_tf import registry

LOSSES = {
    "asymmetric": "inclusive_tf.losses.asymmetric:MultilabelAsymmetric",
    "binary_cross_entropy": (
        "inclusive_tf.losses.binary_cross_entropy:MultilabelBinaryCrossentropy"
    ),
    "class_balanced": "inclusive_tf.losses.class_balanced:MultilabelClassBalanced",
    "distribution_balanced": (
        "inclusive_tf.losses.distribution_balanced:MultilabelDistributionBalanced"
    ),
    "entropy": "inclusive_tf.losses.entropy:MultilabelEntropy",
    "focal": "inclusive_tf.losses.focal:MultilabelFocal",
    "group_dro": "inclusive_tf.losses.group_dro:MultilabelGroupDRO",
    "logit_adjusted": "inclusive_tf.losses.logit_adjusted:MultilabelLogitAdjusted",
    "multilabel_softmax": (
        "inclusive_tf.losses.multilabel_softmax:MultilabelSoftmaxCrossentropy"
    ),
    "soft_f2": "inclusive_tf.losses.soft_f2:MultilabelSoftF2",
    "weighted_binary_cross_entropy": (
        "inclusive_tf.losses.weighted_binary_cross_entropy:"
        "MultilabelWeightedBinaryCrossentropy"
    ),
}

MEASURED = ("label_counts", "shares", "group_counts")
"""What a loss is told of the data set, whether or not it takes it."""


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """A loss, complete.

    A setting that is None has the loss's own default; one that the loss does not take
    is refused.

    Args:
        name: a name in `LOSSES`.
        gamma: focusing (focal, class_balanced).
        alpha: weight of the present (focal); least weight (distribution_balanced).
        beta: of the effective number (class_balanced); steepness of the smoothing
            (distribution_balanced).
        mu: place of the smoothing's middle (distribution_balanced).
        tau: share of the labels' log-odds that is added (logit_adjusted).
        gamma_negative: focusing on absent labels (asymmetric).
        gamma_positive: focusing on present labels (asymmetric).
        clip: probability taken off absent labels (asymmetric).
        negative_scale: lambda, tolerance of absent labels (distribution_balanced).
        bias_scale: kappa, share of the log-odds added (distribution_balanced).
        positive_weight: of present labels, one for all; 0 follows their shares
            (weighted_binary_cross_entropy).
        largest_weight: where those by shares end (weighted_binary_cross_entropy).
        weight_power: of the labels' inverse counts, as weights (multilabel_softmax).
        step_size: of the group weights (group_dro).
        adjustment: C of C / sqrt(size of the group) (group_dro).
        label_counts: C values, training images that show each label.
        shares: C values above 0 and below 1, share of the draws that show each label.
        group_counts: training images of each group.
    """

    name: str = "binary_cross_entropy"
    gamma: float | None = None
    alpha: float | None = None
    beta: float | None = None
    mu: float | None = None
    tau: float | None = None
    gamma_negative: float | None = None
    gamma_positive: float | None = None
    clip: float | None = None
    negative_scale: float | None = None
    bias_scale: float | None = None
    positive_weight: float | None = None
    largest_weight: float | None = None
    weight_power: float | None = None
    step_size: float | None = None
    adjustment: float | None = None
    label_counts: tuple = ()
    shares: tuple = ()
    group_counts: tuple = ()

    def __post_init__(self):
        for name in MEASURED:
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def settings(self):
        """Returns {name: value} of the settings that are not left to the loss."""
        given = dataclasses.asdict(self)
        del given["name"]
        return {
            name: value
            for name, value in given.items()
            if name not in MEASURED and value is not None
        }


def build(config):
    """Builds a loss.

    Args:
        config: `LossConfig`, or the name of a loss that needs nothing else.

    Returns:
        A `losses.base.MultilabelLoss`.

    Raises:
        errors.SettingError: there is no such loss, it does not take a setting, a
            setting is out of its range, or what it needs of the data set is missing.
    """
    if isinstance(config, str):
        config = LossConfig(config)
    loss = registry.resolve(LOSSES, config.name, "loss")
    taken = set(inspect.signature(loss.__init__).parameters) - {"self", "name"}
    settings = config.settings()
    unknown = sorted(settings.keys() - taken)
    if unknown:
        known = sorted(taken.difference(MEASURED, ("kwargs",)))
        raise errors.SettingError(
            f"The loss {config.name} does not take this setting. Expected: "
            f"{', '.join(known) or 'none'}. Received: {', '.join(unknown)}."
        )
    for name in MEASURED:
        if name in taken:
            settings[name] = getattr(config, name)
    return loss(**settings)
