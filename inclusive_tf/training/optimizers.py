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


class _OneOp:
    """Adam's arithmetic by one op a variable, where Keras takes some twenty.

    Where TensorFlow is not the backend, and for sparse gradients or the AMSGrad
    variant, Keras' own is used. Values are the same up to rounding.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Changes a variable, and what Adam remembers of it, by its gradient."""
        if not self._is_one_op(gradient):
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
            use_locking=True,
        )

    def _is_one_op(self, gradient):
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return False
        import tensorflow as tf

        return not isinstance(gradient, tf.IndexedSlices)


@keras.saving.register_keras_serializable(package="inclusive_tf")
class Adam(_OneOp, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), as Keras has it."""


@keras.saving.register_keras_serializable(package="inclusive_tf")
class AdamW(_OneOp, keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), as Keras'."""


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
        return Adam(schedule)
    if config.optimizer == "adamw":
        return AdamW(schedule, weight_decay=config.weight_decay)
    return keras.optimizers.SGD(
        schedule,
        momentum=0.9,
        nesterov=True,
        weight_decay=config.weight_decay or None,
    )
