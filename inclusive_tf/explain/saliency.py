"""Vanilla saliency through tf-keras-vis: which pixels a label's logit hangs on."""

import numpy as np
import tensorflow as tf
from tf_keras_vis import saliency

from inclusive_tf.explain import explainable


class Saliency:
    """Maps of the greatest absolute gradient over an image's channels.

    map = max over channels of |d logit / d pixel|, Simonyan et al. 2014, "Deep inside
    convolutional networks". It shows sensitivity, for or against.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        batch_size: images a forward and backward pass.

    Raises:
        errors.DataError: the model cannot be explained.
    """

    def __init__(self, model, batch_size=64):
        self._model = explainable.explainable(model)
        self._engine = saliency.Saliency(self._model)
        self._batch_size = batch_size

    def __call__(self, images, label_index):
        """Explains one label of each image.

        Args:
            images: float32 [B, H, W, C] in 0..1.
            label_index: int [B].

        Returns:
            float32 [B, H, W], at least 0, in logits per unit of pixel value.

        Raises:
            errors.DataError: images or labels do not fit the model.
        """
        found = [np.zeros((0, *np.shape(images)[1:3]), np.float32)]
        for part, index in explainable.batches(
            self._model, images, label_index, self._batch_size
        ):
            gradients = self._engine(
                lambda logits, index=index: tf.gather(logits, index, batch_dims=1),
                part,
                normalize_map=False,
            )
            found.append(np.asarray(gradients, np.float32))
        return np.concatenate(found)
