"""Averages of a model's weights, which often do better than the last ones.

    ema   exponential moving average after every step (Polyak and Juditsky 1992), of
          batch normalisation's statistics as well
    swa   mean over the ends of epochs (Izmailov et al. 2018, arXiv 1803.05407), after
          which batch normalisation's statistics are counted anew

What is validated, kept as the model of a checkpoint and predicted with is the average.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from inclusive_tf.training import target_statistics


class Average:
    """The average of a model's weights, beside them.

    Args:
        model: built `keras.Model`.
        kind: `ema` or `swa`.
        decay: of the moving average, at most; after step t it is
            min(decay, (1 + t) / (10 + t)), so that early steps are soon forgotten.
        from_epoch: epochs before the first that counts in the mean.
    """

    def __init__(self, model, kind, decay, from_epoch):
        self._model, self._kind = model, kind
        self._decay, self._from = decay, from_epoch
        self._moments = None
        self._weights = [
            keras.Variable(
                np.asarray(weight),
                trainable=False,
                dtype=weight.dtype,
                name=f"average_{number}",
            )
            for number, weight in enumerate(model.weights)
        ]

    @property
    def variables(self):
        """What a checkpoint holds of the average."""
        return self._weights

    def after_step(self, iterations, distribution):
        """Moves a moving average; called within a compiled step.

        Args:
            iterations: int, steps taken.
            distribution: `distribution.Distribution` of the model.
        """
        if self._kind != "ema":
            return
        taken = tf.cast(tf.convert_to_tensor(iterations), tf.float32)
        decay = tf.minimum(self._decay, (1.0 + taken) / (10.0 + taken))

        def move(average, weight):
            share = tf.cast(1.0 - decay, average.dtype)
            average.assign(average + share * (weight - average))

        for average, weight in zip(self._weights, self._model.weights, strict=True):
            distribution.update(average, move, weight)

    def after_epoch(self, epoch, batches):
        """Takes the weights at the end of an epoch into the mean.

        Args:
            epoch: index of the epoch that ended, from 0.
            batches: iterable of model inputs to count batch normalisation's statistics
                on; the same at every call for the same epoch.
        """
        if self._kind != "swa":
            return
        # before the first that counts, the mean is of the newest alone
        share = 1.0 / max(1, epoch - self._from + 1)
        for average, weight in zip(self._weights, self._model.weights, strict=True):
            average.assign(average + share * (weight - average))
        if target_statistics.has_statistics(self._model):
            self._moments = self._moments or target_statistics.moments_of(self._model)
            with self.in_place():
                target_statistics.refresh(self._model, batches, moments=self._moments)

    @contextlib.contextmanager
    def in_place(self):
        """Swaps the model's weights with their average while the context lasts."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def swap(self):
        """Exchanges the model's weights and their average."""
        for average, weight in zip(self._weights, self._model.weights, strict=True):
            before = np.array(weight)
            weight.assign(np.array(average))
            average.assign(before)


def build(config, model):
    """Returns the `Average` of a `config.TrainingConfig`, or None for `none`."""
    if config.average == "none":
        return None
    return Average(model, config.average, config.average_decay, config.average_from)
