"""Entropy of the answers: low where a model is sure, whatever the labels."""

import keras
from keras import ops

from inclusive_tf.losses import base


@keras.saving.register_keras_serializable(package="inclusive_tf")
class MultilabelEntropy(base.MultilabelLoss):
    """Mean binary entropy of an image's labels; targets are not looked at.

    Formula, with p = sigmoid(s) for all B x C pairs, known or not:

        L = 1/(B C) sum_{i,c} [ -p log p - (1 - p) log(1 - p) ]

    TENT (Wang et al. 2021, arXiv 2006.10726) minimises the entropy of a softmax on
    images of the new place without their labels; of several labels an image, this is
    the mean of the labels' own. It only makes a trained model surer: from the start it
    teaches nothing, and with all weights free every answer can become the same.

    Args:
        name: name of the loss.
    """

    def __init__(self, name="entropy", **kwargs):
        super().__init__(name=name, **kwargs)

    def per_image(self, targets, logits):
        """Returns float32 [B]: the sum of the labels' entropies."""
        size = ops.abs(logits)
        # with q = sigmoid(-|s|), H = log(1 + exp(-|s|)) + |s| q, and 0 far from 0
        return ops.sum(ops.softplus(-size) + size * ops.sigmoid(-size), axis=-1)

    def normaliser(self, targets):
        """Returns float32 [B]: how many labels there are."""
        return ops.sum(ops.ones_like(targets), axis=-1)
