"""Saliency and SmoothGrad: which pixels a label's logit hangs on.

tf-keras-vis is the authority, and these maps equal its maps, compiled once instead of
run eagerly, and with noise that is a function of a seed.
"""

import hashlib

import numpy as np
import tensorflow as tf

from data_pipelines import errors, hashing
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
        self._batch_size = batch_size
        self._maps = tf.function(
            self._greatest,
            input_signature=explainable.signature(self._model),
            autograph=False,
        )

    def _gradients(self, images, label_index):
        logits = self._model([images], training=False)
        score = tf.gather(logits, label_index, batch_dims=1)
        return tf.abs(tf.gradients(score, images)[0])

    def _greatest(self, images, label_index):
        return tf.reduce_max(self._gradients(images, label_index), axis=3)

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
            found.append(self._explained(part, index))
        return np.concatenate(found)

    def _explained(self, images, label_index):
        return self._maps(tf.constant(images), tf.constant(label_index)).numpy()


class SmoothGrad(Saliency):
    """Saliency whose gradients are averaged over noisy copies of the image.

    map = max over channels of the mean over samples of |d logit / d pixel| at the image
    plus normal noise, whose deviation is `noise` times the image's range; Smilkov et
    al. 2017, "SmoothGrad", with absolute values as tf-keras-vis takes them. The noise
    is a function of (seed, pixels of the image, sample): an image has the same map in
    any batch and order.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        samples: noisy copies an image.
        noise: deviation of the noise as a share of the image's range.
        seed: of the noise.
        batch_size: images a forward and backward pass.

    Raises:
        errors.DataError: the model cannot be explained, or has no fixed input size.
        errors.SettingError: no samples, or noise below 0.
    """

    def __init__(self, model, samples=25, noise=0.2, seed=0, batch_size=64):
        if samples < 1 or noise < 0:
            raise errors.SettingError(
                "SmoothGrad cannot average this. Expected: at least 1 sample and noise "
                f"of at least 0. Received: {samples} and {noise}."
            )
        super().__init__(model, batch_size)
        if None in self._model.inputs[0].shape[1:]:
            raise errors.DataError(
                "noise is drawn for images of one size",
                expected="an input of fixed height and width",
                received=str(tuple(self._model.inputs[0].shape)),
            )
        self._samples, self._noise, self._seed = samples, noise, seed
        image, label = explainable.signature(self._model)
        key, sample = tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int64)
        self._of_sample = tf.function(
            self._noisy_gradients,
            input_signature=[image, label, key, sample],
            autograph=False,
        )

    def _noisy_gradients(self, images, label_index, key, sample):
        noisy = images + self._drawn(images, key, sample)
        return self._gradients(noisy, label_index)

    def _drawn(self, images, key, sample):
        keys = tf.stack([key, tf.broadcast_to(sample, tf.shape(key))], axis=1)
        values = int(np.prod(self._model.inputs[0].shape[1:]))
        uniform = hashing.uniforms(keys, self._seed, values)
        # the quantile of 0 is infinite
        normal = tf.math.ndtri(tf.maximum(uniform, 2.0**-25))
        highest = tf.reduce_max(images, [1, 2, 3], keepdims=True)
        lowest = tf.reduce_min(images, [1, 2, 3], keepdims=True)
        deviation = self._noise * (highest - lowest)
        return tf.reshape(normal, tf.shape(images)) * deviation

    def draw(self, images, sample):
        """Returns float32 [B, H, W, C]: the noise of one sample, counted from 0."""
        images = explainable.checked_images(self._model, images)
        return self._drawn(images, _keys(images), tf.constant(sample, tf.int64)).numpy()

    def _explained(self, images, label_index):
        pixels, index = tf.constant(images), tf.constant(label_index)
        key = tf.constant(_keys(images))
        total = sum(
            self._of_sample(pixels, index, key, tf.constant(sample, tf.int64))
            for sample in range(self._samples)
        )
        return tf.reduce_max(total / self._samples, axis=3).numpy()


def _keys(images):
    """Returns int64 [B], a function of each image's pixels."""
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8) for image in images]
    return np.array([int.from_bytes(d.digest(), "little", signed=True)
                     for d in digests], np.int64)  # fmt: skip
