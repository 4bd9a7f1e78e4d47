"""The training loop: one compiled step, taken in order, stoppable and resumable.

Keras' `fit` is not used: what it resumes is not exact (dropout seeds, the order of
examples), it fails with two workers (keras#20585), and it averages losses a replica.
Keras callbacks work here all the same. Checkpoints are taken after each epoch, between
steps as often as the clock says, and when the training is told to stop.
"""

import dataclasses
import math
import time

import keras
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf.metrics import mean_f2
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints, optimizers, termination


class TrainingDivergedError(errors.StoppedError):
    """The loss is no longer a finite number."""


class TrainingStoppedError(errors.StoppedError):
    """The training was told to stop, and can be gone on with from its checkpoint."""

    exit_code = termination.EXIT_CODE


@dataclasses.dataclass(frozen=True)
class Data:
    """What a training reads.

    Args:
        training: (first_epoch, first_draw) → `tf.data.Dataset` of batches from there.
        validation: `tf.data.Dataset` of batches, or None.
        steps_per_epoch: optimiser steps an epoch.
        save_iterator: whether checkpoints hold the iterator's state, because the place
            in the stream cannot be had by arithmetic (streaming carrier).
    """

    training: object
    validation: object
    steps_per_epoch: int
    save_iterator: bool = False


def make_step(model, loss, optimizer, jit_compile=False, heads=None):
    """Returns the compiled step: (inputs, targets, groups, every) → float32 loss.

    Groups may be None, and so may `every`, float [B, C]: what second heads are told of
    where the targets show one label of several.

    The gradient is applied only when the loss is finite. Statistics of batch
    normalisation move before that is known, so after a loss that is no number the
    newest checkpoint is what is good, not the model in memory.

    Args:
        model: `keras.Model` from inputs to logits, whose layers are named as those of
            `models.head`.
        loss: a `losses.base.MultilabelLoss`.
        optimizer: built for `trainable_variables(model, heads)`.
        jit_compile: whether XLA compiles the step.
        heads: `second_heads.SecondHeads`, whose losses are added, or None.
    """
    both = None if heads is None else head.features_and_logits(model)
    variables = trainable_variables(model, heads)

    def loss_of(inputs, targets, groups, every):
        if heads is None:
            return loss.of_batch(targets, model(inputs, training=True), groups)
        outputs = both(inputs, training=True)
        value = loss.of_batch(targets, outputs[head.LOGITS], groups)
        told = targets if every is None else every
        return value + heads.loss(told, outputs[head.FEATURES])

    @tf.function(jit_compile=jit_compile)
    def step(inputs, targets, groups=None, every=None):
        with tf.GradientTape() as tape:
            value = loss_of(inputs, targets, groups, every)
            scaled = optimizer.scale_loss(value)
        gradients = tape.gradient(scaled, variables)
        if tf.math.is_finite(value):
            optimizer.apply(gradients, variables)
        return value

    return step


def trainable_variables(model, heads=None):
    """Returns the variables that a step changes by their gradient, in order."""
    extra = [] if heads is None else heads.trainable_variables
    return [*model.trainable_variables, *extra]


def evaluate(model, loss, dataset, score=None):
    """Returns {"loss", "mean_f2"} of a model on batches, at probability 0.5.

    The loss is the quotient of sums over the whole set, so batches may differ in size.
    """
    score = score or make_scoring(model)
    metric = mean_f2.MeanFBeta()
    numerator = denominator = 0.0
    for batch in dataset:
        logits = score(head.inputs_of(model, batch))
        numerator += float(tf.reduce_sum(loss.per_image(batch["target"], logits)))
        denominator += float(tf.reduce_sum(loss.normaliser(batch["target"])))
        metric.update_state(batch["target"], logits)
    return {
        "loss": numerator / max(denominator, 1e-7),
        "mean_f2": float(metric.result()),
    }


def make_scoring(model):
    """Returns the compiled forward pass, traced once for every batch size."""

    @tf.function(input_signature=[head.inputs_signature(model)])
    def score(inputs):
        return model(inputs, training=False)

    return score


def train(model, loss, data, config, folder, writer, callbacks=(), heads=None,
          stop=None):  # fmt: skip
    """Trains a model, from its newest checkpoint when there is one.

    Args:
        model: `keras.Model` from inputs (`head.inputs_of` a batch) to logits.
        loss: a `losses.base.MultilabelLoss`.
        data: `Data`.
        config: `config.TrainingConfig`.
        folder: folder of the checkpoints.
        writer: a `writers.Writer`, told the figures of every epoch.
        callbacks: Keras callbacks; `model.stop_training` is obeyed.
        heads: `second_heads.SecondHeads` that learn along, or None. Checkpoints hold
            them beside the model's weights, not among them.
        stop: () → bool, asked after each step; once it is true a checkpoint is taken
            and nothing more. None never stops.

    Returns:
        `checkpoints.State` after the last epoch.

    Raises:
        TrainingDivergedError: the loss became NaN or infinite; the newest checkpoint is
            from before.
        TrainingStoppedError: `stop` said so; the newest checkpoint is of this moment.
    """
    optimizer = optimizers.build(config, config.epochs * data.steps_per_epoch)
    if model.dtype_policy.name == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(trainable_variables(model, heads))
    beside = [*loss.variables, *(heads.variables if heads else ())]
    state = checkpoints.newest(folder) or checkpoints.State()
    epoch, first_step = divmod(state.step, data.steps_per_epoch)
    batches = iter(data.training(epoch, first_step * config.batch_size))
    iterator = batches if data.save_iterator else None
    if state.step:
        print(f"resuming after step {state.step:,}", flush=True)
        checkpoints.restore(folder, state.step, model, optimizer, iterator, beside)
    model.optimizer, model.stop_training = optimizer, False
    listeners = keras.callbacks.CallbackList(list(callbacks), model=model)
    step = make_step(model, loss, optimizer, config.jit_compile, heads)
    score = make_scoring(model)

    def save(state):
        _check_weights([*model.weights, *beside], state.step)
        checkpoints.save(folder, model, optimizer, state, config.keep, iterator, beside)

    pause = _Pause(config.checkpoint_minutes, stop, save)
    listeners.on_train_begin()
    while epoch < config.epochs and not model.stop_training:
        listeners.on_epoch_begin(epoch)
        state = _epoch(model, step, batches, listeners, state, data, config, pause)
        figures = _figures(state, data, config)
        if data.validation is not None:
            found = evaluate(model, loss, data.validation, score)
            figures |= {f"validation_{name}": value for name, value in found.items()}
            _check(found["loss"], state.step)
        state = _next_state(state, figures)
        figures["learning_rate"] = float(optimizer.learning_rate)
        pause.save(state)
        writer.epoch(epoch + 1, config.epochs, state.step, figures)
        listeners.on_epoch_end(epoch, figures)
        epoch += 1
        if epoch < config.epochs:
            pause.end_if_told(state)
    listeners.on_train_end()
    return state


class _Pause:
    """Knows when a checkpoint is due between steps, by the clock or when told to stop.

    The clock starts anew with every checkpoint, whoever asked for it.
    """

    def __init__(self, minutes, stop, save):
        self._seconds, self._stop, self._save = 60 * minutes, stop, save
        self._last = self._now()

    def due(self):
        """Returns whether a checkpoint is to be taken now."""
        return self._stops() or 0 < self._seconds <= self._now() - self._last

    def save(self, state):
        """Takes a checkpoint."""
        self._save(state)
        self._last = self._now()

    def _now(self):
        return time.perf_counter()

    def end_if_told(self, state):
        """Ends a training that was told to stop and whose checkpoint is taken.

        Raises:
            TrainingStoppedError: it was.
        """
        if self._stops():
            raise TrainingStoppedError(
                f"The training was told to stop after step {state.step:,}, and a "
                "checkpoint holds it. Started again with the same flags, it goes on "
                "from there."
            )

    def _stops(self):
        return self._stop is not None and self._stop()


def _epoch(model, step, batches, listeners, state, data, config, pause):
    """Takes the steps that are left of an epoch; returns the state after them."""
    first = state.step % data.steps_per_epoch
    # the sum of a resumed epoch has the bits of one that was not interrupted
    total = tf.constant(state.epoch_loss)
    started, waited = time.perf_counter(), 0.0

    def now(taken):
        return dataclasses.replace(
            state,
            step=state.step + taken,
            epoch_loss=float(total),
            epoch_seconds=state.epoch_seconds + time.perf_counter() - started,
            epoch_waited=state.epoch_waited + waited,
        )

    for taken in range(1, data.steps_per_epoch - first + 1):
        before = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - before
        number = first + taken - 1
        listeners.on_train_batch_begin(number)
        inputs = head.inputs_of(model, batch)
        value = step(inputs, batch["target"], batch.get("group"), batch.get("every"))
        total += value
        last = first + taken == data.steps_per_epoch
        due = pause.due() and not last
        if (number + 1) % config.check_every == 0 or last or due:
            _check(float(total), state.step + taken)
        listeners.on_train_batch_end(number, {"loss": value})
        if due:
            pause.save(now(taken))
            pause.end_if_told(now(taken))
    return now(data.steps_per_epoch - first)


def _figures(state, data, config):
    """The figures of the epoch whose last step was taken."""
    seconds = state.epoch_seconds
    return {
        "loss": state.epoch_loss / data.steps_per_epoch,
        "seconds": seconds,
        "images_per_second": data.steps_per_epoch * config.batch_size / seconds,
        "waiting_for_data": state.epoch_waited / seconds,
    }


def _check(total, step, what="loss"):
    """Stops a training whose summed loss is no number: one NaN makes the sum one."""
    if not math.isfinite(total):
        raise TrainingDivergedError(
            f"The {what} is no finite number. Expected: a finite one. Received: "
            f"{total} at or shortly before step {step}. The newest checkpoint, if "
            "there is one, is from before; a lower --learning_rate or --clip_norm=1 "
            "may help."
        )


def _check_weights(weights, step):
    """Stops before weights that are no numbers become a checkpoint."""
    for weight in weights:
        _check(float(keras.ops.sum(keras.ops.absolute(weight))), step, weight.path)


def _next_state(state, figures):
    figure = figures.get("validation_mean_f2")
    best = figure is not None and (
        state.best_figure is None or figure > state.best_figure
    )
    return checkpoints.State(
        step=state.step,
        history=(*state.history, dict(figures)),
        best_step=state.step if best else state.best_step,
        best_figure=figure if best else state.best_figure,
    )
