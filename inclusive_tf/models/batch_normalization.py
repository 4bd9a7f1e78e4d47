"""Batch normalisation that learns by one op of TensorFlow instead of some fifteen."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="inclusive_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer, whose training step is one fused op forwards and one backwards.

    Keras 3 writes batch normalisation out as means, differences and products, each a
    pass over the feature map. cuDNN, oneDNN and TensorFlow's own kernels
    (`FusedBatchNormV3`) do all in two passes. Values are those of Keras up to rounding;
    so are the moving variances, without Bessel's correction.

    Keras' own is used where the op does not serve: other backends than TensorFlow, maps
    that are not [B, H, W, D], float64, masks, renormalisation, moments over several
    devices; and where nothing is learnt, since TensorFlow folds what is written out
    into the convolution before it.
    """

    def call(self, inputs, training=None, mask=None):
        """Returns the normalised inputs, of their shape and dtype."""
        learns = training and self.trainable
        if not learns or mask is not None or not self._is_fusible(inputs):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        depth = inputs.shape[-1]
        found = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.ones(depth) if self.gamma is None else self.gamma,
            offset=ops.zeros(depth) if self.beta is None else self.beta,
            mean=(),
            variance=(),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = ops.cast(ops.size(inputs[..., 0]), "float32")
        # the op divides by one place less, as an estimate of those not seen does
        variance = found.batch_variance * ((count - 1) / count)
        self._follow(self.moving_mean, found.batch_mean)
        self._follow(self.moving_variance, variance)
        return found.y

    def _follow(self, moving, found):
        moving.assign(moving * self.momentum + found * (1.0 - self.momentum))

    def _is_fusible(self, inputs):
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and dtype == self.compute_dtype
            and dtype in ("float32", "float16", "bfloat16")
            and not self.renorm
            and not self.synchronized
        )


def fuse(layer):
    """Makes a `keras.layers.BatchNormalization` that exists, one of these.

    `keras.applications` leaves no choice of the layer that it builds. The two have the
    same state, name and place in files of weights.
    """
    layer.__class__ = BatchNormalization
