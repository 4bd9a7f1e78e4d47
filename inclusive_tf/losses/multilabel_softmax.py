"""The softmax cross-entropy of the Inclusive Images Challenge's 4th place."""

import keras
from keras import ops

from inclusive_tf.losses import base

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
    large numbers. Unknown labels are on neither side.

    Args:
        name: name of the loss.
    """

    def __init__(self, name="multilabel_softmax", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_image(self, targets, logits):
        """Returns float32 [B]: the sum over an image's present labels."""
        present = ops.where(targets > 0, targets, 0.0)
        absent = ops.where(targets >= 0, 1.0 - targets, 0.0)
        opponents = ops.logsumexp(logits + _safe_log(absent), axis=-1, keepdims=True)
        entropy = ops.logaddexp(logits + _safe_log(present), opponents) - logits
        return ops.sum(ops.where(present > 0, present * entropy, 0.0), axis=-1)

    def normaliser(self, targets):
        """Returns float32 [B]: the sum of an image's present targets."""
        return ops.sum(ops.relu(targets), axis=-1)


def _safe_log(weights):
    """log(w), and a large negative number at 0 whose gradient is no NaN."""
    positive = weights > 0
    return ops.where(
        positive, ops.log(ops.where(positive, weights, 1.0)), _MINUS_INFINITY
    )
