"""Optimisers and learning-rate schedules, from a `TrainingConfig`."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="inclusive_tf")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then constant or half a cosine down to 0, times a factor.

    Args:
        peak: learning rate after the warm-up.
        warmup_steps: steps of the warm-up.
        total_steps: steps of the whole training.
        shape: `cosine` (Loshchilov and Hutter 2017, without restarts) or `constant`.

    The variable `factor`, 1 at first, can be assigned between steps.
    """

    def __init__(self, peak, warmup_steps, total_steps, shape):
        self.peak, self.shape = peak, shape
        self.warmup_steps, self.total_steps = warmup_steps, total_steps
        self.factor = keras.Variable(
            1.0, trainable=False, dtype="float32", name="factor"
        )

    def __call__(self, step):
        """Returns the float32 learning rate of a step."""
        step = ops.cast(step, "float32")
        warmup = ops.minimum(1.0, (step + 1) / max(self.warmup_steps, 1)) * self.factor
        if self.shape == "constant":
            return self.peak * warmup
        rest = max(self.total_steps - self.warmup_steps, 1)
        progress = ops.clip((step - self.warmup_steps) / rest, 0.0, 1.0)
        return self.peak * warmup * 0.5 * (1 + ops.cos(math.pi * progress))

    def get_config(self):
        """Returns the arguments, for `from_config`."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
            "shape": self.shape,
        }


def build(config, total_steps):
    """Returns (optimiser, its `WarmupSchedule`) of a `config.TrainingConfig`.

    Gradients are clipped by the step, which knows those of all replicas.
    """
    # a warm-up longer than the training would never reach the peak
    warmup_steps = min(config.warmup_steps, total_steps // 2)
    shape = "cosine" if config.schedule == "cosine" else "constant"
    schedule = WarmupSchedule(config.learning_rate, warmup_steps, total_steps, shape)
    return _optimizer(config, schedule), schedule


def _optimizer(config, schedule):
    if config.optimizer == "adam":
        return keras.optimizers.Adam(schedule)
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    return keras.optimizers.SGD(
        schedule,
        momentum=0.9,
        nesterov=True,
        weight_decay=config.weight_decay or None,
    )
