"""Binary cross-entropy that weighs present labels more."""

import keras
import numpy as np
from keras import ops

from inclusive_tf.losses import base, measured


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelWeightedBinaryCrossentropy(base.PairLoss):
    """Mean over known pairs of binary cross-entropy, its present part weighed by w.

        L = 1/|K| sum_{(i,c) in K} -[ w_c y log p + (1 - y) log(1 - p) ]

    Either w_c = (1 - share_c) / share_c, which makes present and absent weigh alike,
    held between 1 / W and W; or one w for all labels: the challenge's 11th place took
    21 (1 + 20 y on both parts). The logits are of the weighted prior: at a weight of
    w, sigmoid(s - log w) is the probability.

    Args:
        shares: C values, share of the draws that show each label; needed unless
            `positive_weight` is given.
        positive_weight: w of all labels; 0 follows the shares.
        largest_weight: W, at least 1.
        name: name of the loss.

    Raises:
        errors.SettingError: a setting out of its range, or neither shares nor weight.
    """

    def __init__(
        self,
        shares=(),
        positive_weight=0.0,
        largest_weight=100.0,
        name="weighted_binary_cross_entropy",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            positive_weight=(positive_weight, positive_weight >= 0, "0 or more"),
            largest_weight=(largest_weight, largest_weight >= 1, "at least 1"),
        )
        self._settings = {
            "shares": tuple(shares),
            "positive_weight": positive_weight,
            "largest_weight": largest_weight,
        }
        if positive_weight:
            self.log_weights = np.log(positive_weight)
        else:
            limit = np.log(largest_weight)
            odds = measured.log_odds(self.name, shares)
            self.num_classes = len(odds)
            self.log_weights = np.clip(-odds, -limit, limit)
        self._weights = np.exp(self.log_weights).astype(np.float32)

    def initial_bias(self, log_odds):
        """Returns log-odds + log w, [C]."""
        return log_odds + self.log_weights

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: weighed cross-entropy of each pair."""
        positive = targets * ops.softplus(-logits)
        negative = (1.0 - targets) * ops.softplus(logits)
        return ops.multiply(positive, self._weights) + negative

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {**super().get_config(), **self._settings}
