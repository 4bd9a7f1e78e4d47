"""Asymmetric loss: absent labels are focused on harder than present ones."""

import keras
from keras import ops

from inclusive_tf.losses import base


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelAsymmetric(base.PairLoss):
    """Mean asymmetric loss (ASL) over known (image, label) pairs.

    Ridnik et al. 2021, arXiv 2009.14119, equations 4 to 7, with p = sigmoid(s) and
    q = max(p - clip, 0):

        L = 1/|K| sum_{K} -[ y (1-p)^gamma+ log p + (1-y) q^gamma- log(1-q) ]

    No gradient flows through the two powers, and the defaults are those of the authors'
    program; it sums where this takes the mean.

    Args:
        gamma_negative: focusing on absent labels, 0 or more.
        gamma_positive: focusing on present labels, 0 or more.
        clip: probability below which an absent label costs nothing, 0 or more, below 1.
        name: name of the loss.

    Raises:
        errors.SettingError: a setting out of its range.
    """

    def __init__(
        self,
        gamma_negative=4.0,
        gamma_positive=1.0,
        clip=0.05,
        name="asymmetric",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            gamma_negative=(gamma_negative, gamma_negative >= 0, "0 or more"),
            gamma_positive=(gamma_positive, gamma_positive >= 0, "0 or more"),
            clip=(clip, 0 <= clip < 1, "0 or more, below 1"),
        )
        self.gamma_negative, self.gamma_positive = gamma_negative, gamma_positive
        self.clip = clip

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: asymmetric loss of each pair."""
        fixed = ops.stop_gradient(logits)
        positive = targets * ops.softplus(-logits)
        if self.gamma_positive:
            positive *= ops.exp(-self.gamma_positive * ops.softplus(fixed))
        negative = (1.0 - targets) * self._absent(logits)
        if self.gamma_negative:
            shifted = ops.relu(ops.sigmoid(fixed) - self.clip)
            negative *= ops.power(shifted, self.gamma_negative)
        return positive + negative

    def _absent(self, logits):
        """-log(1 - q)."""
        if not self.clip:
            return ops.softplus(logits)
        return -ops.log(ops.minimum(ops.sigmoid(-logits) + self.clip, 1.0))

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            **super().get_config(),
            "gamma_negative": self.gamma_negative,
            "gamma_positive": self.gamma_positive,
            "clip": self.clip,
        }
