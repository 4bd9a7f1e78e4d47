"""Cross-entropy of logits that the labels' rarity is added to."""

import keras
import numpy as np
from keras import ops

from inclusive_tf.losses import base, measured


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelLogitAdjusted(base.PairLoss):
    """Mean binary cross-entropy over known pairs of s + tau log-odds of the label.

    Menon et al. 2021, arXiv 2007.07314, equation 10, a label at a time: each label is a
    task of two classes whose prior is share_c, so the softmax over (s, 0) with both
    priors added is sigmoid of

        s_ic + tau log(share_c / (1 - share_c))

    What the prior explains need not be learnt: with tau 1 the served logit s says how
    an image differs from the typical one, as if present and absent were equally
    frequent. Add the log-odds again for probabilities under the training prior.

    Args:
        shares: C values, share of the draws that show each label.
        tau: share of the log-odds that is added.
        name: name of the loss.

    Raises:
        errors.SettingError: no shares, or one not above 0 and below 1.
    """

    def __init__(self, shares=(), tau=1.0, name="logit_adjusted", **kwargs):
        super().__init__(name=name, **kwargs)
        base.require(self.name, tau=(tau, tau >= 0, "0 or more"))
        odds = measured.log_odds(self.name, shares)
        self.shares, self.tau = tuple(shares), tau
        self.num_classes = len(odds)
        self._offset = (tau * odds).astype(np.float32)

    def initial_bias(self, log_odds):
        """Returns the log-odds without what the offset brings, [C]."""
        return log_odds - self._offset

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: cross-entropy of each adjusted pair."""
        return base.cross_entropy(targets, ops.add(logits, self._offset))

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {**super().get_config(), "shares": self.shares, "tau": self.tau}
