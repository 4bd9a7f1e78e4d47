"""Class activation maps by gradients: where the final feature map speaks for a label.

tf-keras-vis is the authority, and these maps equal its maps. It rebuilds the model and
runs eagerly on every call, though, so here the same formulas are compiled once.
"""

import keras
import numpy as np
import tensorflow as tf

from inclusive_tf.explain import explainable, upsampling


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
        layer = self._model.get_layer(final_feature_map)
        self._both = keras.Model(
            self._model.inputs, [self._model.outputs[0], layer.output]
        )
        self._batch_size = batch_size
        self._maps = tf.function(
            self._coarse_maps,
            input_signature=explainable.signature(self._model),
            autograph=False,
        )

    def _coarse_maps(self, images, label_index):
        logits, feature_map = self._both([images], training=False)
        score = tf.gather(logits, label_index, batch_dims=1)
        # in a graph only what lies behind the feature map is differentiated
        (gradient,) = tf.gradients(score, feature_map)
        return self._formula(feature_map, gradient)

    @staticmethod
    def _formula(feature_map, gradient):
        """Turns map and d logit / d map, float32 [B, h, w, D], into [B, h, w]."""
        weight = tf.reduce_mean(gradient, [1, 2], keepdims=True)
        return tf.nn.relu(tf.reduce_sum(weight * feature_map, axis=3))

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
        size = np.shape(images)[1:3]
        found = [np.zeros((0, *size), np.float32)]
        for part, index in explainable.batches(
            self._model, images, label_index, self._batch_size
        ):
            coarse = self._maps(tf.constant(part), tf.constant(index)).numpy()
            found.append(upsampling.upsample(coarse, size))
        return np.concatenate(found)


class LayerCam(GradCam):
    """Grad-CAM whose places weigh by their own gradient, so it is less coarse.

    map = relu(sum over channels of feature map * relu(d logit / d map)), Jiang et al.
    2021, "LayerCAM". Arguments, returns and errors as in `GradCam`.
    """

    @staticmethod
    def _formula(feature_map, gradient):
        return tf.nn.relu(tf.reduce_sum(tf.nn.relu(gradient) * feature_map, axis=3))


class GradCamPlusPlus(GradCam):
    """Grad-CAM whose places weigh by their share in the higher derivatives.

    Chattopadhay et al. 2018, "Grad-CAM++", for the score exp(logit); a derivative of 0
    weighs nothing. The factor exp(logit) of the whole map, which tf-keras-vis keeps, is
    left out: it overflows and would make maps of different images incomparable.
    Arguments, returns and errors as in `GradCam`.
    """

    @staticmethod
    def _formula(feature_map, gradient):
        squared = gradient**2
        total = tf.reduce_sum(feature_map, [1, 2], keepdims=True)
        share = tf.math.divide_no_nan(squared, 2 * squared + squared * gradient * total)
        share = tf.math.divide_no_nan(share, tf.reduce_sum(share, [1, 2], True))
        weight = tf.reduce_sum(tf.nn.relu(gradient) * share, [1, 2], keepdims=True)
        return tf.nn.relu(tf.reduce_sum(weight * feature_map, axis=3))
