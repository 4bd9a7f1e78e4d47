"""Binary cross-entropy a label, averaged over the known labels."""

import keras
from keras import ops

from inclusive_tf.losses import base


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelBinaryCrossentropy(base.MultilabelLoss):
    """Mean binary cross-entropy over known (image, label) pairs.

    Formula, with logit s, target y in [0, 1] and K the set of known pairs:

        L = 1/|K| sum_{(i,c) in K} [ max(s, 0) - s y + log(1 + exp(-|s|)) ]

    which is -[y log p + (1 - y) log(1 - p)] with p = sigmoid(s), stably; the loss of
    the challenge's 3rd place when all labels are known.

    Args:
        name: name of the loss.
    """

    def __init__(self, name="binary_cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_image(self, targets, logits):
        """Returns float32 [B]: cross-entropy summed over an image's known labels."""
        entropy = ops.relu(logits) - logits * targets + ops.softplus(-ops.abs(logits))
        return ops.sum(ops.where(targets >= 0, entropy, 0.0), axis=-1)

    def normaliser(self, targets):
        """Returns float32 [B]: how many labels of an image are known."""
        return ops.sum(base.known(targets), axis=-1)
