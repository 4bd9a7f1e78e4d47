"""Score-CAM: how much of a label each channel of the final feature map lets through.

tf-keras-vis is the authority, and these maps equal its maps; it holds every masked copy
of every image at once, where here they pass through one compiled forward in turn.
"""

import keras
import numpy as np
import scipy.special
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf.explain import explainable, upsampling

_EPSILON = 1e-7
"""Keras' epsilon, by which tf-keras-vis keeps constant channels from 0 / 0."""


class ScoreCam:
    """Maps of channels, each weighted by the score of the image seen through it.

    map = relu(sum over channels k of A_k * s_k), with s_k the label's softmax share of
    image * (A_k upsampled and scaled to 0..1); Wang et al. 2020, "Score-CAM", as
    tf-keras-vis computes it: labels compete in the softmax, and no baseline is
    subtracted. There is no gradient in it.

    Args:
        model: flat functional Keras model that gives logits; not changed.
        final_feature_map: name of the layer that is pooled into "features".
        channels: how many channels of greatest deviation are tried an image (Faster
            Score-CAM); 0: all. Each costs a forward.
        batch_size: masked images a forward.

    Raises:
        errors.DataError: the model or the layer cannot be explained.
        errors.SettingError: fewer than 0 channels.
    """

    def __init__(self, model, final_feature_map, channels=0, batch_size=256):
        if channels < 0:
            raise errors.SettingError(
                "Score-CAM cannot try this many channels. Expected: 0 for all, or more."
                f" Received: {channels}."
            )
        self._model = explainable.explainable(model)
        explainable.require_feature_map(self._model, final_feature_map)
        layer = self._model.get_layer(final_feature_map)
        extraction = keras.Model(self._model.inputs, layer.output)
        image = explainable.signature(self._model)[:1]
        self._feature_map = tf.function(
            lambda images: extraction([images], training=False),
            input_signature=image,
            autograph=False,
        )
        self._logits = tf.function(
            lambda images: self._model([images], training=False),
            input_signature=image,
            autograph=False,
        )
        self._channels = channels
        self._batch_size = batch_size

    def __call__(self, images, label_index):
        """Explains one label of each image.

        Args:
            images: float32 [B, H, W, C] in 0..1.
            label_index: int [B].

        Returns:
            float32 [B, H, W], at least 0, in units of the feature map.

        Raises:
            errors.DataError: images or labels do not fit the model.
        """
        size = np.shape(images)[1:3]
        found = [np.zeros((0, *size), np.float32)]
        for part, index in explainable.batches(
            self._model, images, label_index, self._batch_size
        ):
            planes = np.moveaxis(self._feature_map(tf.constant(part)).numpy(), 3, 1)
            coarse = [
                self._explained(*one) for one in zip(part, planes, index, strict=True)
            ]
            found.append(upsampling.upsample(np.stack(coarse), size))
        return np.concatenate(found)

    def _explained(self, image, planes, label):
        """Returns float32 [h, w] of one image and its feature map [D, h, w]."""
        if 0 < self._channels < len(planes):
            spread = planes.std(axis=(1, 2))
            planes = planes[np.argsort(-spread, kind="stable")[: self._channels]]
        masks = upsampling.upsample(planes, image.shape[:2])
        lowest = masks.min(axis=(1, 2), keepdims=True)
        highest = masks.max(axis=(1, 2), keepdims=True)
        masks = (masks - lowest) / (highest - lowest + np.float32(_EPSILON))
        logits = [
            self._logits(tf.constant(image * mask[..., None])).numpy()
            for mask in np.array_split(masks, -(-len(masks) // self._batch_size))
        ]
        weight = scipy.special.softmax(np.concatenate(logits), axis=1)[:, label]
        return np.maximum(np.einsum("k,khw->hw", weight, planes), 0)
