"""Focal loss: what is already right counts little."""

import keras
from keras import ops

from inclusive_tf.losses import base


def focal_terms(logits, gamma):
    """The focal losses of a pair as present and as absent.

    Args:
        logits: float32 [B, C].
        gamma: focusing, 0 or more.

    Returns:
        (-(1 - p)^gamma log p, -p^gamma log(1 - p)), float32 [B, C], p = sigmoid(logit).
    """
    positive = ops.softplus(-logits)
    negative = ops.softplus(logits)
    if gamma:
        # log(1 - p) = -softplus(s), so the power never sees a rounded probability
        return ops.exp(-gamma * negative) * positive, ops.exp(
            -gamma * positive
        ) * negative
    return positive, negative


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelFocal(base.PairLoss):
    """Mean focal loss over known (image, label) pairs.

    Lin et al. 2017, arXiv 1708.02002, equation 5, with p = sigmoid(s):

        L = 1/|K| sum_{K} -[ alpha y (1-p)^gamma log p
                             + (1-alpha) (1-y) p^gamma log(1-p) ]

    A soft target weighs the two parts. The paper divides by the number of boxes that
    hold an object; here every known pair counts, so that batches weigh alike.

    Args:
        gamma: focusing, 0 or more; 0 is cross-entropy.
        alpha: weight of present labels, above 0 and below 1.
        name: name of the loss.

    Raises:
        errors.SettingError: a setting out of its range.
    """

    def __init__(self, gamma=2.0, alpha=0.25, name="focal", **kwargs):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            gamma=(gamma, gamma >= 0, "0 or more"),
            alpha=(alpha, 0 < alpha < 1, "above 0, below 1"),
        )
        self.gamma, self.alpha = gamma, alpha

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: focal loss of each pair."""
        positive, negative = focal_terms(logits, self.gamma)
        present = self.alpha * targets * positive
        return present + (1.0 - self.alpha) * (1.0 - targets) * negative

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {**super().get_config(), "gamma": self.gamma, "alpha": self.alpha}
