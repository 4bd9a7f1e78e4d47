"""Images weighed by the effective number of their labels."""

import keras
import numpy as np
from keras import ops

from data_pipelines.resampling import long_tail
from inclusive_tf.losses import base, focal, measured


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelClassBalanced(base.PairLoss):
    """Cross-entropy, or focal loss, of images weighed by their labels' rarity.

    Cui et al. 2019, arXiv 1901.05555, equations 3 and 9: a label with n training
    images has the weight (1 - beta) / (1 - beta^n), scaled to a mean of 1, and an image
    brings the loss of all its labels times the weight of its own label. With several
    labels its weight is here their mean (which is the paper's where there is one):

        v_i = sum_c y_ic w_c / sum_c y_ic
        L   = 1/|K| sum_{(i,c) in K} v_i [ y (1-p)^gamma (-log p)
                                           + (1-y) p^gamma (-log(1-p)) ]

    An image that shows no label weighs 1.

    Args:
        label_counts: C values, training images that show each label.
        beta: of the effective number, 0 or more, below 1; 0 weighs all alike.
        gamma: focusing, 0 or more; 0 is cross-entropy.
        name: name of the loss.

    Raises:
        errors.SettingError: no counts, or a setting out of its range.
    """

    def __init__(
        self, label_counts=(), beta=0.999, gamma=0.0, name="class_balanced", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name,
            beta=(beta, 0 <= beta < 1, "0 or more, below 1"),
            gamma=(gamma, gamma >= 0, "0 or more"),
        )
        counts = measured.counts(self.name, "label_counts", label_counts, 0)
        self.label_counts, self.beta, self.gamma = tuple(label_counts), beta, gamma
        self.num_classes = len(counts)
        weights = long_tail.effective_number_weights(counts, beta)
        self._weights = weights.astype(np.float32)

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: the loss of each pair, weighed by its image."""
        present = ops.sum(targets, axis=-1, keepdims=True)
        weighed = ops.sum(ops.multiply(targets, self._weights), axis=-1, keepdims=True)
        weight = ops.where(present > 0, weighed / ops.maximum(present, 1e-7), 1.0)
        positive, negative = focal.focal_terms(logits, self.gamma)
        return weight * (targets * positive + (1.0 - targets) * negative)

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            **super().get_config(),
            "label_counts": self.label_counts,
            "beta": self.beta,
            "gamma": self.gamma,
        }
