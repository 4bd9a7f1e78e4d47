"""Binary cross-entropy a label, averaged over the known labels."""

import keras

from inclusive_tf.losses import base


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelBinaryCrossentropy(base.PairLoss):
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

    def per_pair(self, targets, logits):
        """Returns float32 [B, C]: cross-entropy of each pair."""
        return base.cross_entropy(targets, logits)
