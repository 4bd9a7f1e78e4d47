"""What the multilabel losses share: a sum over images and what it is divided by."""

import keras
from keras import ops


class MultilabelLoss(keras.losses.Loss):
    """A loss that is (sum over images of `per_image`) / (sum of `normaliser`).

    Numerator and denominator are apart so that both can be summed over all replicas
    before they are divided: then many devices give the loss of one.
    """

    def per_image(self, targets, logits):
        """Returns float32 [B]: what each image adds to the numerator."""
        raise NotImplementedError

    def normaliser(self, targets):
        """Returns float32 [B]: what each image adds to the denominator."""
        raise NotImplementedError

    def call(self, y_true, y_pred):
        """Returns float32 [B] whose mean is the loss, as Keras' reduction expects."""
        targets = ops.cast(y_true, "float32")
        # half precision overflows in the exponentials
        logits = ops.cast(y_pred, "float32")
        total = ops.maximum(ops.sum(self.normaliser(targets)), 1e-7)
        images = ops.cast(ops.shape(logits)[0], "float32")
        return self.per_image(targets, logits) * (images / total)


def known(targets):
    """Returns float32 [B, C]: 1 where something is known of the label, else 0."""
    return ops.cast(targets >= 0, "float32")
