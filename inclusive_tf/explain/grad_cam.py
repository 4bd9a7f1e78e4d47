"""Grad-CAM through tf-keras-vis: where the final feature map speaks for a label."""

import numpy as np
import tensorflow as tf
from tf_keras_vis import gradcam

from inclusive_tf.explain import explainable


class GradCam:
    """Maps of positive evidence at the resolution of the final feature map.

    map = relu(sum over channels of feature map * mean over places of d logit / d map),
    Selvaraju et al. 2017, "Grad-CAM"; then upsampled.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of the layer that is pooled into "features". It is never
            guessed: tf-keras-vis would take the last convolution, which in a DenseNet
            is only the last few channels of that map.
        batch_size: images a forward and backward pass.

    Raises:
        errors.DataError: the model or the layer cannot be explained.
    """

    def __init__(self, model, final_feature_map, batch_size=64):
        self._model = explainable.explainable(model)
        explainable.require_feature_map(self._model, final_feature_map)
        self._engine = gradcam.Gradcam(self._model)
        self._layer = final_feature_map
        self._batch_size = batch_size

    def __call__(self, images, label_index):
        """Explains one label of each image.

        Args:
            images: float32 [B, H, W, C] in 0..1.
            label_index: int [B].

        Returns:
            float32 [B, H, W], at least 0, in logits (not normalised, so comparable
            between images); all zero where nothing speaks for the label.

        Raises:
            errors.DataError: images or labels do not fit the model.
        """
        found = [np.zeros((0, *np.shape(images)[1:3]), np.float32)]
        for part, index in explainable.batches(
            self._model, images, label_index, self._batch_size
        ):
            cam = self._engine(
                lambda logits, index=index: tf.gather(logits, index, batch_dims=1),
                part,
                penultimate_layer=self._layer,
                seek_penultimate_conv_layer=False,
                normalize_cam=False,
            )
            # interpolation can leave -0.0 or a rounding error below 0
            found.append(np.maximum(np.asarray(cam, np.float32), 0))
        return np.concatenate(found)
