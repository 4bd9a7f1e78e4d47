"""The softmax cross-entropy of the Inclusive Images Challenge's 4th place."""

import keras
import numpy as np
from keras import ops

from inclusive_tf.losses import base, measured

_MINUS_INFINITY = -1e9


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelSoftmaxCrossentropy(base.MultilabelLoss):
    """Each present label against the absent ones only, other present ones left out.

    Formula of Davletshin's 4th place, with P_i the present and N_i the absent labels of
    image i, s logits and M the number of present labels in the whole batch:

        L = 1/M sum_i sum_{k in P_i} [ log( e^{s_k} + sum_{j in N_i} e^{s_j} ) - s_k ]

    Here it is vectorised and takes soft targets y in [0, 1] by giving every label the
    weight y as present and 1 - y as absent; label k is never its own opponent:

        L = 1/M sum_i sum_k y_k [ log( e^{s_k} + sum_{j!=k} (1-y_j) e^{s_j} ) - s_k ]

    with M = sum y. Since e^{s_k} - (1 - y_k) e^{s_k} = y_k e^{s_k}, the inner logarithm
    is logaddexp(s_k + log y_k, logsumexp_j(s_j + log(1 - y_j))), with no difference of
    large numbers. Unknown labels are on neither side. Where every image shows one label
    this is the usual softmax cross-entropy.

    With a `weight_power` p, label k counts w_k = (max_j n_j / n_k)^p times, in the sum
    and in M, where n are the labels' training images (a label without any counts as
    one of 1 image). savan77 weighed classes so, with p = 1.

    Args:
        label_counts: C values, training images that show each label; needed with a
            `weight_power`.
        weight_power: p, 0 or more; 0 weighs all labels alike.
        name: name of the loss.

    Raises:
        errors.SettingError: no counts, or a setting out of its range.
    """

    def __init__(
        self, label_counts=(), weight_power=0.0, name="multilabel_softmax", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        base.require(
            self.name, weight_power=(weight_power, weight_power >= 0, "0 or more")
        )
        self.label_counts, self.weight_power = tuple(label_counts), weight_power
        self._weights = np.float32(1.0)
        if weight_power:
            counts = measured.counts(self.name, "label_counts", label_counts, 0)
            counts = np.maximum(counts, 1.0)
            weights = (counts.max() / counts) ** weight_power
            self._weights = weights.astype(np.float32)

    def per_image(self, targets, logits):
        """Returns float32 [B]: the sum over an image's present labels."""
        present = ops.where(targets > 0, targets, 0.0)
        absent = ops.where(targets >= 0, 1.0 - targets, 0.0)
        opponents = ops.logsumexp(logits + _safe_log(absent), axis=-1, keepdims=True)
        entropy = ops.logaddexp(logits + _safe_log(present), opponents) - logits
        weighed = ops.multiply(present, self._weights) * entropy
        return ops.sum(ops.where(present > 0, weighed, 0.0), axis=-1)

    def normaliser(self, targets):
        """Returns float32 [B]: the weighted sum of an image's present targets."""
        return ops.sum(ops.multiply(ops.relu(targets), self._weights), axis=-1)

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            **super().get_config(),
            "label_counts": self.label_counts,
            "weight_power": self.weight_power,
        }


def _safe_log(weights):
    """log(w), and a large negative number at 0 whose gradient is no NaN."""
    positive = weights > 0
    return ops.where(
        positive, ops.log(ops.where(positive, weights, 1.0)), _MINUS_INFINITY
    )
