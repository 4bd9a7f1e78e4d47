"""Second heads on the features, which learn along in training and are then left.

They make the features tell more than the labels one by one: how many there are, and
where those that stand together lie. Predictions, explanations and exports see neither.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import errors, label_embeddings
from inclusive_tf.losses import auxiliary


@dataclasses.dataclass(frozen=True)
class SecondHeadsConfig:
    """Which heads there are.

    Args:
        count_weight: of the squared error of the number of labels; 0: no such head.
        embedding_weight: of the cosine distance to the labels' embeddings; 0: no such
            head.
        embedding_size: dimensions of the embeddings.

    Raises:
        errors.SettingError: a weight is negative, or an embedding has no size.
    """

    count_weight: float = 0.0
    embedding_weight: float = 0.0
    embedding_size: int = 64

    def __post_init__(self):
        for name, right, expected in (
            ("count_weight", self.count_weight >= 0, "0 or more"),
            ("embedding_weight", self.embedding_weight >= 0, "0 or more"),
            ("embedding_size", self.embedding_size >= 1, "at least 1"),
        ):
            if not right:
                raise errors.SettingError(
                    f"Second heads cannot have this {name}. Expected: {expected}. "
                    f"Received: {getattr(self, name)}."
                )


class SecondHeads:
    """Dense layers on the features, and what they add to the loss.

    Args:
        config: `SecondHeadsConfig` with at least one weight above 0.
        features: D, width of the features.
        sparse_labels: `labels.SparseLabels` of the training split, which the
            embeddings are a function of.
        seed: decides the initial weights.

    Raises:
        errors.SettingError: more dimensions of the embedding than labels.
    """

    def __init__(self, config, features, sparse_labels, seed):
        self._config = config
        self._layers = []
        if config.count_weight:
            self._count = self._dense(1, features, seed, "count")
        if config.embedding_weight:
            size = config.embedding_size
            self._embedding = self._dense(size, features, seed + 1, "embedding")
            self._embeddings = tf.constant(label_embeddings.embed(sparse_labels, size))

    def _dense(self, units, features, seed, name):
        layer = keras.layers.Dense(
            units,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            dtype="float32",
            name=name,
        )
        layer.build((None, features))
        self._layers.append(layer)
        return layer

    @property
    def trainable_variables(self):
        """The layers' weights, in order."""
        return [weight for layer in self._layers for weight in layer.weights]

    @property
    def variables(self):
        """What a checkpoint holds of the heads."""
        return self.trainable_variables

    def totals(self, targets):
        """Returns float32 [2]: images that each head can be told of, 0 without a head.

        Args:
            targets: float [B, C] in [0, 1], below 0 where unknown.
        """
        countable = embeddable = tf.zeros([])
        if self._config.count_weight:
            countable = tf.reduce_sum(auxiliary.countable(targets))
        if self._config.embedding_weight:
            told = auxiliary.embeddable(targets, self._embeddings)
            embeddable = tf.reduce_sum(told)
        return tf.stack([countable, embeddable])

    def loss(self, targets, features, totals=None):
        """Returns float32: the heads' losses on a batch, weighed and summed.

        Args:
            targets: float [B, C] in [0, 1], below 0 where unknown.
            features: float [B, D].
            totals: float32 [2] of the batch that these images are a part of; None: they
                are the batch.
        """
        totals = self.totals(targets) if totals is None else totals
        value = tf.zeros([])
        if self._config.count_weight:
            error = auxiliary.count_error(
                targets, self._count(features)[:, 0], totals[0]
            )
            value += self._config.count_weight * error
        if self._config.embedding_weight:
            distance = auxiliary.embedding_distance(
                targets, self._embeddings, self._embedding(features), totals[1]
            )
            value += self._config.embedding_weight * distance
        return value


def build(config, model, sparse_labels, seed):
    """Returns the `SecondHeads` of a model, or None when there is none.

    Args:
        config: `SecondHeadsConfig`.
        model: `keras.Model` with a layer "logits".
        sparse_labels: `labels.SparseLabels` of the training split.
        seed: decides the initial weights.
    """
    if not config.count_weight and not config.embedding_weight:
        return None
    features = int(np.shape(model.get_layer("logits").kernel)[0])
    return SecondHeads(config, features, sparse_labels, seed)
