"""Distribution-balanced loss: pairs weighed by how often sampling repeats them."""

import keras
import numpy as np
from keras import ops

from inclusive_tf.losses import base, measured


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelDistributionBalanced(base.PairLoss):
    """Rebalanced weights with negative-tolerant regularisation, mean over known pairs.

    Wu et al. 2020, arXiv 2007.09654, sections 3.1 and 3.2 (equations 3 to 5, 9 and
    10), without the focal factor of their DB-focal. Where classes are drawn alike
    (class-aware sampling), an image is drawn once for each of its labels; r is the
    share that one label would have in that:

        r_ic = (1 / n_c) / sum_j y_ij / n_j
        v_ic = alpha + sigmoid(beta (r_ic - mu))

    Absent labels are forgiven more: their loss is flattened by lambda around a bias
    nu_c = -kappa log(share_c / (1 - share_c)) that stands for the label's rarity:

        L = 1/|K| sum_{K} v_ic [ y softplus(-(s - nu))
                                 + (1-y) / lambda softplus(lambda (s - nu)) ]

    An image that shows no label has v = alpha + 1, r's limit. The served logit is s.

    The defaults are the authors' for COCO-MLT. In one point this differs: the paper's
    share_c in nu is n_c / N of the data set, here it is the share of the draws, which
    is that of what the bias meets. The two are one without resampling; with kappa =
    0.05, a label drawn twenty times as often has a nu that is lower by 0.15.

    Args:
        label_counts: C values, training images that show each label.
        shares: C values, share of the draws that show each label.
        alpha: least weight, 0 or more.
        beta: steepness of the smoothing, above 0.
        mu: r of the smoothing's middle; best near the typical r of present labels.
        negative_scale: lambda, at least 1.
        bias_scale: kappa, 0 or more.
        name: name of the loss.

    Raises:
        errors.SettingError: no counts or shares, or a setting out of its range.
    """

    def __init__(
        self,
        label_counts=(),
        shares=(),
        alpha=0.1,
        beta=10.0,
        mu=0.2,
        negative_scale=2.0,
        bias_scale=0.05,
        name="distribution_balanced",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            alpha=(alpha, alpha >= 0, "0 or more"),
            beta=(beta, beta > 0, "above 0"),
            negative_scale=(negative_scale, negative_scale >= 1, "at least 1"),
            bias_scale=(bias_scale, bias_scale >= 0, "0 or more"),
        )
        self._settings = {
            "label_counts": tuple(label_counts),
            "shares": tuple(shares),
            "alpha": alpha,
            "beta": beta,
            "mu": mu,
            "negative_scale": negative_scale,
            "bias_scale": bias_scale,
        }
        counts = measured.counts(self.name, "label_counts", label_counts, 0)
        odds = measured.log_odds(self.name, shares)
        base.require(
            self.name,
            shares=(shares, len(odds) == len(counts), f"{len(counts)} values"),
        )
        self.num_classes = len(counts)
        # a label that training never shows weighs like one that it shows once
        self._rarity = (1 / np.maximum(counts, 1)).astype(np.float32)
        self._offset = (bias_scale * odds).astype(np.float32)

    def initial_bias(self, log_odds):
        """Returns the log-odds without what the offset brings, [C]."""
        return log_odds - self._offset

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: the weighed, tolerant cross-entropy of each pair."""
        settings = self._settings
        rarity = ops.convert_to_tensor(self._rarity)
        drawn = ops.sum(targets * rarity, axis=-1, keepdims=True)
        share = rarity / ops.maximum(drawn, 1e-12)
        weight = settings["alpha"] + ops.sigmoid(
            settings["beta"] * (share - settings["mu"])
        )
        shifted = ops.add(logits, self._offset)
        scale = settings["negative_scale"]
        negative = ops.softplus(scale * shifted) / scale
        positive = ops.softplus(-shifted)
        return weight * (targets * positive + (1.0 - targets) * negative)

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {**super().get_config(), **self._settings}
