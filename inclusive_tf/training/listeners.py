"""Keras callbacks of a training that may be interrupted.

Keras' callbacks have no way to be saved. What a training changed of their own
attributes, as far as it is numbers, strings, booleans or None, is what a checkpoint
holds of them: the counters of `EarlyStopping` and `ReduceLROnPlateau`, among others.
"""

import keras
import numpy as np

_PLAIN = (bool, int, float, str, type(None))


class Listeners:
    """Keras callbacks, told of a training, whose counters can be saved.

    Args:
        callbacks: `keras.callbacks.Callback` each.
        model: what they are told of.
    """

    def __init__(self, callbacks, model):
        self._callbacks = list(callbacks)
        self.tell = keras.callbacks.CallbackList(self._callbacks, model=model)
        """Has the events of a Keras callback."""
        self._begun = []

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
