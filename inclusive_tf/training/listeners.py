"""Keras callbacks of a training that may be interrupted.

Keras' callbacks have no way to be saved. What a training changed of their own
attributes, as far as it is numbers, strings, booleans or None, is what a checkpoint
holds of them: the counters of `EarlyStopping`, among others.
"""

import keras
import numpy as np

from data_pipelines import errors

_PLAIN = (bool, int, float, str, type(None))
_SETTING_RATES = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)


class Listeners:
    """Keras callbacks, told of a training, whose counters can be saved.

    Args:
        callbacks: `keras.callbacks.Callback` each.
        model: what they are told of.

    Raises:
        errors.SettingError: a callback of Keras' that would set the learning rate,
            which follows a schedule here.
    """

    def __init__(self, callbacks, model):
        self._callbacks = list(callbacks)
        for callback in self._callbacks:
            if isinstance(callback, _SETTING_RATES):
                raise errors.SettingError(
                    "The learning rate follows a schedule, which a callback cannot "
                    "set. Expected: a schedule of the training, such as plateau. "
                    f"Received: {type(callback).__name__}."
                )
        self.tell = keras.callbacks.CallbackList(self._callbacks, model=model)
        """Has the events of a Keras callback, but for those of `step`."""
        self._begun = []

    def step_begins(self, number):
        """Tells of step `number` of the epoch, from 0."""
        for callback in self._callbacks:
            callback.on_train_batch_begin(number, {})

    def step_ended(self, number, logs):
        """Tells of its end; the tensors of `logs` stay tensors.

        `keras.callbacks.CallbackList` would fetch their values, and wait for the device
        at each step.
        """
        for callback in self._callbacks:
            callback.on_train_batch_end(number, logs)

    def begin(self, counters=()):
        """Tells of the start, then gives the callbacks the counters of a checkpoint.

        Args:
            counters: what `counters` returned, or empty at the very start; those of
                other callbacks than before are left out.
        """
        self.tell.on_train_begin()
        self._begun = [_plain(callback) for callback in self._callbacks]
        for callback, stored in zip(self._callbacks, counters, strict=False):
            if stored["callback"] == type(callback).__name__:
                for name, value in stored["changed"].items():
                    setattr(callback, name, value)

    def counters(self):
        """Returns a tuple of JSON values: what changed of each callback's since."""
        return tuple(
            {
                "callback": type(callback).__name__,
                "changed": {
                    name: value
                    for name, value in _plain(callback).items()
                    if name not in begun or begun[name] != value
                },
            }
            for callback, begun in zip(self._callbacks, self._begun, strict=True)
        )


def _plain(callback):
    """Returns the attributes that a checkpoint can hold, as JSON values."""
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in vars(callback).items()
    }
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, _PLAIN) and _is_json(value)
    }


def _is_json(value):
    return not isinstance(value, float) or bool(np.isfinite(value))
