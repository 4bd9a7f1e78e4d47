"""What a training needs to be told."""

import dataclasses

from data_pipelines import errors


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The steps of a training.

    Args:
        epochs: epochs; validation and a checkpoint follow each.
        steps_per_epoch: optimiser steps an epoch; 0 means as many as show each training
            image once, rounded down. Policies are compared at equal steps.
        batch_size: images a step.
        loss: a name in `losses.LOSSES`.
        optimizer: `adam`, `adamw` or `sgd` (Nesterov momentum 0.9).
        learning_rate: peak learning rate.
        schedule: `cosine` (to 0) or `constant`.
        warmup_steps: steps of linear warm-up from 0.
        weight_decay: decoupled weight decay (adamw, sgd).
        clip_norm: largest global norm of the gradients; 0 leaves them.
        jit_compile: whether XLA compiles the step.
        check_every: steps between looks at the loss (a look waits for the device).
        checkpoint_minutes: a checkpoint is taken between steps when the last one is so
            long ago; 0 takes them after epochs only.
        keep: how many checkpoints stay beside the best one.
        seed: decides initial weights, draws, augmentation and dropout.
    """

    epochs: int = 5
    steps_per_epoch: int = 0
    batch_size: int = 64
    loss: str = "binary_cross_entropy"
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_steps: int = 50
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    jit_compile: bool = False
    check_every: int = 20
    checkpoint_minutes: float = 10.0
    keep: int = 2
    seed: int = 0

    def __post_init__(self):
        checks = (
            ("epochs", self.epochs >= 1, "at least 1"),
            ("steps_per_epoch", self.steps_per_epoch >= 0, "0 or more"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("optimizer", self.optimizer in ("adam", "adamw", "sgd"),
             "adam, adamw or sgd"),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("schedule", self.schedule in ("cosine", "constant"),
             "cosine or constant"),
            ("warmup_steps", self.warmup_steps >= 0, "0 or more"),
            ("check_every", self.check_every >= 1, "at least 1"),
            ("checkpoint_minutes", self.checkpoint_minutes >= 0, "0 or more"),
            ("keep", self.keep >= 1, "at least 1"),
        )  # fmt: skip
        for name, right, expected in checks:
            if not right:
                raise errors.SettingError(
                    f"A training cannot have this {name}. Expected: {expected}. "
                    f"Received: {getattr(self, name)}."
                )

    def steps_an_epoch(self, training_images):
        """Returns the optimiser steps an epoch, at least 1."""
        return self.steps_per_epoch or max(1, training_images // self.batch_size)
