"""What a step changes: a model, its loss, its optimiser, and what learns along."""

import contextlib
import dataclasses

import keras

from inclusive_tf.training import averaging, optimizers, second_heads


@dataclasses.dataclass(frozen=True)
class Learner:
    """A model that learns.

    Args:
        model: `keras.Model` from inputs to logits, whose layers are named as those of
            `models.head`.
        loss: a `losses.base.MultilabelLoss`.
        optimizer: built for `trainable_variables`.
        schedule: `optimizers.WarmupSchedule` of its learning rate.
        heads: `second_heads.SecondHeads` whose losses are added, or None.
        average: `averaging.Average` of the model's weights, or None.
    """

    model: keras.Model
    loss: object
    optimizer: keras.optimizers.Optimizer
    schedule: optimizers.WarmupSchedule
    heads: second_heads.SecondHeads | None = None
    average: averaging.Average | None = None

    @property
    def trainable_variables(self):
        """The variables that a step changes by their gradient, in order."""
        extra = [] if self.heads is None else self.heads.trainable_variables
        return [*self.model.trainable_variables, *extra]

    @property
    def variables_beside(self):
        """{name: variable} of what is neither the model's nor the optimiser's."""
        parts = {"loss": self.loss, "heads": self.heads, "average": self.average}
        return {
            f"{name}_{number:05d}": variable
            for name, part in parts.items()
            if part is not None
            for number, variable in enumerate(part.variables)
        }

    def predicting(self):
        """Returns a context in which the model is the one to predict with."""
        if self.average is None:
            return contextlib.nullcontext()
        return self.average.in_place()


def build(model, loss, config, total_steps, heads=None):
    """Returns the `Learner` of a training.

    Args:
        model: built `keras.Model`.
        loss: a `losses.base.MultilabelLoss`.
        config: `config.TrainingConfig`.
        total_steps: steps of the whole training.
        heads: `second_heads.SecondHeads`, or None.
    """
    optimizer, schedule = optimizers.build(config, total_steps)
    if model.dtype_policy.name == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    average = averaging.build(config, model)
    found = Learner(model, loss, optimizer, schedule, heads, average)
    optimizer.build(found.trainable_variables)
    return found
