"""What a training needs to be told."""

import dataclasses
import math

from data_pipelines import errors

SCHEDULES = ("cosine", "constant", "plateau")
AVERAGES = ("none", "ema", "swa")
DISTRIBUTIONS = ("auto", "one_device", "mirrored", "multi_worker")
BEST_BY = ("mean_f2", "worst_class_f2", "worst_group_f2", "loss")


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
        schedule: `cosine` (to 0), `constant`, or `plateau`: constant until the watched
            figure gets no better.
        plateau_patience: epochs without a gain after which the learning rate falls.
        plateau_factor: what it falls by.
        warmup_steps: steps of linear warm-up from 0.
        weight_decay: decoupled weight decay (adamw, sgd).
        clip_norm: largest global norm of the gradients; 0 leaves them.
        accumulate: parts of a batch that go through the model one after the other.
        average: `none`, `ema` or `swa`, as `averaging` says.
        average_decay: of the moving average `ema`.
        average_from: epochs before the first that counts in the mean `swa`.
        average_batches: batches that batch normalisation is counted on for `swa`.
        best_by: a figure of `validation`: decides the best checkpoint, plateaus and
            the end. Without a validation split that is the training loss.
        patience: epochs without a gain after which the training ends; 0: never.
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
    plateau_patience: int = 2
    plateau_factor: float = 0.1
    warmup_steps: int = 50
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    accumulate: int = 1
    average: str = "none"
    average_decay: float = 0.999
    average_from: int = 0
    average_batches: int = 50
    best_by: str = "mean_f2"
    patience: int = 0
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
            ("learning_rate", 0 < self.learning_rate < math.inf, "above 0"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more"),
            ("weight_decay", not self.weight_decay or self.optimizer != "adam",
             "0 with adam; adamw and sgd decay weights"),
            ("clip_norm", 0 <= self.clip_norm < math.inf, "0 or more"),
            ("schedule", self.schedule in SCHEDULES, " or ".join(SCHEDULES)),
            ("plateau_patience", self.plateau_patience >= 1, "at least 1"),
            ("plateau_factor", 0 < self.plateau_factor < 1, "between 0 and 1"),
            ("accumulate", self.accumulate >= 1, "at least 1"),
            ("average", self.average in AVERAGES, ", ".join(AVERAGES)),
            ("average_decay", 0 <= self.average_decay < 1, "from 0 to below 1"),
            ("average_from", self.average_from >= 0, "0 or more"),
            ("average_batches", self.average_batches >= 1, "at least 1"),
            ("best_by", self.best_by in BEST_BY, ", ".join(BEST_BY)),
            ("patience", self.patience >= 0, "0 or more"),
            ("warmup_steps", self.warmup_steps >= 0, "0 or more"),
            ("check_every", self.check_every >= 1, "at least 1"),
            ("checkpoint_minutes", 0 <= self.checkpoint_minutes < math.inf,
             "0 or more"),
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
