"""One minus a soft F2 an image: the challenge's measure, made differentiable."""

import keras
from keras import ops

from inclusive_tf.losses import base

_EPSILON = 1e-3


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelSoftF2(base.MultilabelLoss):
    """Mean over images of 1 - soft F2.

    The formula that the challenge's 3rd place watched, over an image's known labels,
    with p = sigmoid(s) and e = 0.001:

        TP = sum y p    FP = sum (1-y) p    FN = sum y (1-p)
        P = TP / (TP + FP + e)    R = TP / (TP + FN + e)
        L = mean_i [ 1 - 5 P R / (4 P + R + e) ]

    An image of which nothing is known is left out; one that shows no label costs 1 and
    has no gradient.

    Args:
        name: name of the loss.
    """

    def __init__(self, name="soft_f2", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_image(self, targets, logits):
        """Returns float32 [B]: 1 - soft F2, 0 where nothing is known."""
        is_known = base.known(targets)
        present = ops.relu(targets)
        probability = ops.sigmoid(logits) * is_known
        hits = ops.sum(present * probability, axis=-1)
        precision = hits / (ops.sum(probability, axis=-1) + _EPSILON)
        recall = hits / (ops.sum(present, axis=-1) + _EPSILON)
        f2 = 5 * precision * recall / (4 * precision + recall + _EPSILON)
        return self.normaliser(targets) * (1.0 - f2)

    def normaliser(self, targets):
        """Returns float32 [B]: 1 where any label is known, else 0."""
        return ops.max(base.known(targets), axis=-1)
