"""The training loop: steps taken in order, stoppable and resumable, on many devices.

Keras' `fit` is not used: what it resumes is not exact (dropout seeds, the order of
examples), it fails with two workers (keras#20585), and it averages losses a replica.
Keras callbacks work here all the same, unless they set the learning rate. Checkpoints
are taken after each epoch, between steps as often as the clock says, and when the
training is told to stop.
"""

import dataclasses
import math
import time

import keras
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf.models import head
from inclusive_tf.training import (
    checkpoints,
    distribution,
    learner,
    plateaus,
    step,
    symptoms,
    termination,
    validation,
)
from inclusive_tf.training.listeners import Listeners


class TrainingDivergedError(errors.StoppedError):
    """The loss is no longer a finite number."""


class TrainingStoppedError(errors.StoppedError):
    """The training was told to stop, and can be gone on with from its checkpoint."""

    exit_code = termination.EXIT_CODE


@dataclasses.dataclass(frozen=True)
class Data:
    """What a training reads.

    Args:
        training: (first_epoch, first_draw) → `tf.data.Dataset` of batches from there,
            of this worker's share of each.
        validation: batches to go through each epoch, this worker's part, or None.
        steps_per_epoch: optimiser steps an epoch.
        save_iterator: whether checkpoints hold the iterator's state, because the place
            in the stream cannot be had by arithmetic (streaming carrier).
        whole: epoch → `tf.data.Dataset` of whole batches, the same at all workers, to
            count batch normalisation on; None only where weights are not averaged over
            epochs.
    """

    training: object
    validation: object
    steps_per_epoch: int
    save_iterator: bool = False
    whole: object = None


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Where a training takes place, and who is told of it.

    Args:
        folder: folder of the checkpoints.
        writer: a `writers.Writer`, told the figures of every epoch.
        callbacks: Keras callbacks; `model.stop_training` is obeyed after the epoch, and
            the loss that they are told after a step stays a tensor.
        stop: () → bool, asked after each step; once it is true a checkpoint is taken
            and nothing more. None never stops.
        distribution: `distribution.Distribution` whose scope the model was made in;
            None is one device.
    """

    folder: object
    writer: object
    callbacks: tuple = ()
    stop: object = None
    distribution: object = None


def train(model, loss, data, config, surroundings, heads=None):
    """Trains a model, from its newest checkpoint when there is one.

    Args:
        model: `keras.Model` from inputs (`head.inputs_of` a batch) to logits. With an
            average, it ends as that.
        loss: a `losses.base.MultilabelLoss`.
        data: `Data`.
        config: `config.TrainingConfig`.
        surroundings: `Surroundings`.
        heads: `second_heads.SecondHeads` that learn along, or None. Checkpoints hold
            them beside the model's weights, not among them.

    Returns:
        `checkpoints.State` after the last epoch.

    Raises:
        TrainingDivergedError: the loss became NaN or infinite; the newest checkpoint is
            from before.
        TrainingStoppedError: `stop` said so; the newest checkpoint is of this moment.
        distribution.WorkerLostError: another worker is gone.
        errors.SettingError: devices and parts do not divide a batch.
        errors.DataError: the data end before the epoch does.
    """
    devices = surroundings.distribution or distribution.one_device()
    devices.require_divides(config.batch_size, config.accumulate)
    devices.prepare(model)
    with devices.scope():
        learns = learner.build(
            model, loss, config, config.epochs * data.steps_per_epoch, heads
        )
    training = _Training(learns, data, config, surroundings, devices)
    state = training.run()
    if learns.average is not None:
        learns.average.swap()
    return state


class _Training:
    """One training from its start or a checkpoint to its end."""

    def __init__(self, learns, data, config, surroundings, devices):
        self._learner, self._data, self._config = learns, data, config
        self._folder, self._writer = surroundings.folder, surroundings.writer
        self._devices = devices
        self._listeners = Listeners(surroundings.callbacks, learns.model)
        self._pause = _Pause(config.checkpoint_minutes, surroundings.stop)
        self._step = devices.guard(
            step.make(
                learns, devices, config.clip_norm, config.accumulate, config.jit_compile
            )
        )
        self._evaluate = validation.make(learns.model, learns.loss, devices)

    def run(self):
        """Takes all epochs that are left; returns the `checkpoints.State` then."""
        state = checkpoints.newest(self._folder) or checkpoints.State()
        epoch, first_step = divmod(state.step, self._data.steps_per_epoch)
        draw = first_step * self._config.batch_size
        batches = iter(self._data.training(epoch, draw))
        self._iterator = batches if self._data.save_iterator else None
        if state.step:
            self._writer.note(f"resuming after step {state.step:,}")
            checkpoints.restore(self._folder, state.step, self._learner, self._iterator)
        model = self._learner.model
        model.optimizer, model.stop_training = self._learner.optimizer, state.ended
        self._listeners.begin(state.listeners)
        while self._goes_on(epoch, state):
            state = self._epoch(epoch, batches, state)
            epoch += 1
            if epoch < self._config.epochs:
                self._end_if_told(state)
        self._listeners.tell.on_train_end()
        return state

    def _goes_on(self, epoch, state):
        patience = self._config.patience
        between = state.step % self._data.steps_per_epoch == 0
        if epoch >= self._config.epochs or (state.ended and between):
            return False
        if not patience or not state.history:
            return True
        since = plateaus.epochs_without_gain(state.history, self._config.best_by)
        return since < patience

    def _epoch(self, epoch, batches, state):
        self._listeners.tell.on_epoch_begin(epoch)
        self._learner.schedule.factor.assign(self._factor(state.history))
        state = self._steps(batches, state)
        if self._learner.average is not None:
            self._learner.average.after_epoch(epoch, self._whole_batches(epoch))
        figures = self._figures(state) | self._validate(state)
        figures["learning_rate"] = float(self._learner.optimizer.learning_rate)
        state = self._next_state(state, figures)
        self._listeners.tell.on_epoch_end(epoch, figures)
        state = self._save(state)
        self._writer.epoch(epoch + 1, self._config.epochs, state.step, figures)
        for warning in symptoms.of_history(state.history, state.first_loss):
            self._writer.note(f"warning: {warning}")
        return state

    def _steps(self, batches, state):
        """Takes the steps that are left of an epoch; returns the state after them."""
        steps, look = self._data.steps_per_epoch, self._config.check_every
        first = state.step % steps
        # the sum of a resumed epoch has the bits of one that was not interrupted
        total = tf.constant(state.epoch_loss)
        started, waited, first_loss = time.perf_counter(), 0.0, state.first_loss

        def now(taken):
            return dataclasses.replace(
                state,
                step=state.step + taken,
                epoch_loss=float(total),
                epoch_seconds=state.epoch_seconds + time.perf_counter() - started,
                epoch_waited=state.epoch_waited + waited,
                first_loss=first_loss,
            )

        for taken in range(1, steps - first + 1):
            before = time.perf_counter()
            batch = self._next(batches, state.step + taken)
            waited += time.perf_counter() - before
            number = first + taken
            self._listeners.step_begins(number - 1)
            inputs = head.inputs_of(self._learner.model, batch)
            value = self._step(
                inputs, batch["target"], batch.get("group"), batch.get("every")
            )
            total += value
            last = number == steps
            looks = number % look == 0 or last
            due = not last and self._is_due(looks)
            if looks or due:
                _check(float(total), state.step + taken)
            if looks and not first_loss:
                first_loss = float(total) / number
            self._listeners.step_ended(
                number - 1, {"loss": value, "seconds_waited": waited}
            )
            if due:
                self._save(now(taken))
                self._end_if_told(now(taken))
        return now(steps - first)

    def _next(self, batches, number):
        try:
            return next(batches)
        except StopIteration:
            raise errors.DataError(
                "the data end before the epoch does",
                expected=f"a batch for step {number:,}",
                received="none",
            ) from None

    def _is_due(self, looks):
        """Whether all workers take a checkpoint now."""
        if self._devices.workers == 1:
            return self._pause.due()
        # asking the others costs time, so it is asked with the looks at the loss
        if not looks:
            return False
        return self._devices.sum_of_workers(float(self._pause.due())) > 0

    def _end_if_told(self, state):
        told = self._devices.sum_of_workers(float(self._pause.told()))
        if told > 0:
            raise TrainingStoppedError(
                f"The training was told to stop after step {state.step:,}, and a "
                "checkpoint holds it. Started again with the same flags, it goes on "
                "from there."
            )

    def _save(self, state):
        """Takes a checkpoint; returns its state, with what the callbacks made of it."""
        # a callback at one worker ends the training of all
        ended = float(self._learner.model.stop_training)
        state = dataclasses.replace(
            state,
            listeners=self._listeners.counters(),
            ended=bool(self._devices.sum_of_workers(ended) > 0),
        )
        beside = self._learner.variables_beside.values()
        _check_weights([*self._learner.model.weights, *beside], state.step)
        if self._devices.is_chief:
            checkpoints.save(
                self._folder,
                self._learner,
                state,
                self._config.keep,
                self._iterator,
            )
        self._pause.taken()
        return state

    def _factor(self, history):
        if self._config.schedule != "plateau":
            return 1.0
        return plateaus.learning_rate_factor(
            history,
            self._config.best_by,
            self._config.plateau_patience,
            self._config.plateau_factor,
        )

    def _whole_batches(self, epoch):
        """Yields the model's inputs, of batches of an epoch."""
        if self._data.whole is None:
            return
        for batch in self._data.whole(epoch).take(self._config.average_batches):
            yield head.inputs_of(self._learner.model, batch)

    def _validate(self, state):
        if self._data.validation is None:
            return {}
        with self._learner.predicting():
            found = self._evaluate(self._data.validation)
        _check(found["loss"], state.step)
        return {f"validation_{name}": value for name, value in found.items()}

    def _figures(self, state):
        """The figures of the epoch whose last step was taken."""
        steps, seconds = self._data.steps_per_epoch, state.epoch_seconds
        return {
            "loss": state.epoch_loss / steps,
            "seconds": seconds,
            "images_per_second": steps * self._config.batch_size / seconds,
            "waiting_for_data": state.epoch_waited / seconds,
        }

    def _next_state(self, state, figures):
        history = (*state.history, dict(figures))
        name, watched = plateaus.values(history, self._config.best_by)
        is_best = name != "loss" and plateaus.better(
            watched[-1], state.best_figure, name
        )
        return checkpoints.State(
            step=state.step,
            history=history,
            best_step=state.step if is_best else state.best_step,
            best_figure=watched[-1] if is_best else state.best_figure,
            first_loss=state.first_loss,
        )


class _Pause:
    """Knows when a checkpoint is due between steps, by the clock or when told to stop.

    The clock starts anew with every checkpoint, whoever asked for it.
    """

    def __init__(self, minutes, stop):
        self._seconds, self._stop = 60 * minutes, stop
        self._last = self._now()

    def due(self):
        """Returns whether a checkpoint is to be taken now."""
        return self.told() or 0 < self._seconds <= self._now() - self._last

    def told(self):
        """Returns whether the training is told to stop."""
        return self._stop is not None and self._stop()

    def taken(self):
        """Starts the clock anew."""
        self._last = self._now()

    def _now(self):
        return time.perf_counter()


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
