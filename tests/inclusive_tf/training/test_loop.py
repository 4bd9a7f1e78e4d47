"""The loop takes its steps, resumes exactly, and stops when the loss is no number."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from inclusive_tf import losses, models, writers
from inclusive_tf.training import checkpoints, config, loop

STEPS, BATCH, EPOCHS = 4, 8, 3
CONFIG = config.TrainingConfig(
    epochs=EPOCHS, batch_size=BATCH, warmup_steps=2, check_every=1, learning_rate=0.01
)


class Recorder(writers.Writer):
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def epoch(self, epoch, epochs, step, figures):
        self.told.append((epoch, epochs, step, figures))


def build():
    return models.build(
        models.ModelConfig(
            num_classes=3, height=8, width=8, blocks=(1, 1), growth=2, dropout=0.2
        )
    )[0]


def make_data(poison_step=None):
    """Batches as a function of their place, so that any place can be gone on from."""

    def batch(place):
        generator = np.random.default_rng(place)
        targets = (generator.random((BATCH, 3)) < 0.4).astype(np.float32)
        images = generator.random((BATCH, 8, 8, 1)).astype(np.float32)
        images[..., 0] += targets.mean(axis=1)[:, None, None]
        if place == poison_step:
            images[0] = np.nan
        return {
            "image": tf.constant(images),
            "target": tf.constant(targets),
            "group": tf.constant([0, 0, 0, 0, 0, 1, 1, 1]),
        }

    def training(epoch, draw):
        for place in range(epoch * STEPS + draw // BATCH, EPOCHS * STEPS):
            yield batch(place)

    def whole(epoch):
        first = batch(2000 + epoch)
        return tf.data.Dataset.from_tensors(first).concatenate(
            tf.data.Dataset.from_tensors(batch(3000))
        )

    return loop.Data(training, [batch(1000), batch(1001)], STEPS, whole=whole)


def train(folder, data=None, changes=None, callbacks=(), loss="binary_cross_entropy",
          stop=None):  # fmt: skip
    recorder, model = Recorder(), build()
    state = loop.train(
        model,
        losses.build(loss) if isinstance(loss, str) else loss,
        data or make_data(),
        dataclasses.replace(CONFIG, **(changes or {})),
        loop.Surroundings(folder, recorder, tuple(callbacks), stop),
    )
    return model, state, recorder.told


class ToldAfter(keras.callbacks.Callback):
    """Tells a training to stop once it has begun so many steps."""

    def __init__(self, steps):
        super().__init__()
        self._left = steps

    def on_train_batch_begin(self, batch, logs=None):
        self._left -= 1

    def __call__(self):
        return self._left <= 0


def train_until(folder, steps, callbacks=(), **settings):
    told = ToldAfter(steps)
    with pytest.raises(loop.TrainingStoppedError, match=f"after step {steps},"):
        train(folder, callbacks=[told, *callbacks], stop=told, **settings)


def figures_of(state):
    return [
        {name: figure for name, figure in epoch.items() if name in KEPT}
        for epoch in state.history
    ]


KEPT = ("loss", "validation_loss", "validation_mean_f2", "learning_rate")
"""Figures of an epoch that do not hang on the clock."""


def assert_same_weights(first, second):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_takes_all_steps_and_tells_every_epoch(tmp_path):
    _, state, told = train(tmp_path)
    assert state.step == EPOCHS * STEPS
    assert [row[:3] for row in told] == [(1, 3, 4), (2, 3, 8), (3, 3, 12)]
    assert set(told[0][3]) == {
        "loss", "seconds", "images_per_second", "waiting_for_data", "validation_loss",
        "validation_mean_f2", "validation_worst_class_f2", "validation_worst_group_f2",
        "learning_rate",
    }  # fmt: skip


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "multilabel_softmax"])
def test_it_learns(tmp_path, loss):
    changes = {"learning_rate": 0.05, "schedule": "constant", "optimizer": "adam"}
    model, _, _ = train(tmp_path, changes=changes, loss=loss)
    start, batch = build(), make_data().validation[0]
    built = losses.build(loss)
    before, after = (
        float(built(batch["target"], one(batch["image"]))) for one in (start, model)
    )
    assert after < before


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_stopped_training_resumes_to_the_same_bits(tmp_path, optimizer):
    """Weights, optimiser, dropout and schedule go on as if nothing had happened."""
    changes = {"optimizer": optimizer}
    whole, _, _ = train(tmp_path / "whole", changes=changes)
    train_until(tmp_path / "parts", STEPS, changes=changes)
    resumed, state, told = train(tmp_path / "parts", changes=changes)
    assert [row[0] for row in told] == [2, 3]
    assert len(state.history) == EPOCHS
    assert_same_weights(whole, resumed)


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_a_training_ends_as_its_average_and_resumes_to_the_same_bits(tmp_path, average):
    changes = {"average": average, "average_batches": 2}
    whole, _, _ = train(tmp_path / "whole", changes=changes)
    last, _, _ = train(tmp_path / "last")
    kernels = [one.layers[-1].kernel for one in (whole, last)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4
    train_until(tmp_path / "parts", STEPS + 1, changes=changes)
    assert_same_weights(whole, train(tmp_path / "parts", changes=changes)[0])


def validated_as(monkeypatch, figures):
    """Lets every training find these figures on its validation images."""

    def make(*_):
        left = iter(figures)
        return lambda _: {"loss": 1.0, "mean_f2": next(left)}

    monkeypatch.setattr(loop.validation, "make", make)


def test_a_plateau_lowers_the_learning_rate(tmp_path, monkeypatch):
    validated_as(monkeypatch, [0.5, 0.4, 0.3])
    changes = {"schedule": "plateau", "plateau_patience": 1, "plateau_factor": 0.5,
               "warmup_steps": 0}  # fmt: skip
    _, state, _ = train(tmp_path, changes=changes)
    rates = [epoch["learning_rate"] for epoch in state.history]
    assert rates == pytest.approx([0.01, 0.01, 0.005])


@pytest.mark.parametrize(
    ("figures", "epochs", "best"), [((0.5, 0.4, 0.6), 2, 1), ((0.5, 0.6, 0.4), 3, 2)]
)
def test_patience_ends_a_training_whose_best_epoch_is_known(
    tmp_path, monkeypatch, figures, epochs, best
):
    validated_as(monkeypatch, figures)
    _, state, _ = train(tmp_path, changes={"patience": 1, "keep": 1})
    assert state.step == epochs * STEPS
    assert (state.best_step, state.best_figure) == (best * STEPS, figures[best - 1])
    assert checkpoints.steps(tmp_path) == [best * STEPS, epochs * STEPS]


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_a_training_told_to_stop_within_an_epoch_resumes_to_the_same_bits(
    tmp_path, steps
):
    whole, expected, _ = train(tmp_path / "whole")
    train_until(tmp_path / "parts", steps)
    assert checkpoints.steps(tmp_path / "parts")[-1] == steps
    resumed, state, _ = train(tmp_path / "parts")
    assert figures_of(state) == figures_of(expected)
    for first, second in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_stop_at_the_end_of_an_epoch_keeps_its_figures(tmp_path):
    train_until(tmp_path, STEPS)
    assert len(checkpoints.newest(tmp_path).history) == 1


def test_checkpoints_are_taken_by_the_clock_and_by_nothing_else(tmp_path):
    seen = []
    listener = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(
            checkpoints.steps(tmp_path / "often")
        )
    )
    # a thousandth of a millisecond is over after every step
    train(
        tmp_path / "often", changes={"checkpoint_minutes": 1e-8}, callbacks=[listener]
    )
    assert [steps[-1:] for steps in seen] == [[], *([n] for n in range(1, 12))]
    _, state, _ = train(tmp_path / "never", changes={"checkpoint_minutes": 0})
    assert checkpoints.steps(tmp_path / "never")[-1] == state.step
    assert all(step % STEPS == 0 for step in checkpoints.steps(tmp_path / "never"))


def test_the_clock_starts_anew_with_every_checkpoint(tmp_path, monkeypatch):
    """A step takes a minute, and one checkpoint in three is asked for by the clock."""
    minutes = iter(range(0, 10**6, 1))
    monkeypatch.setattr(loop._Pause, "_now", lambda self: 60.0 * next(minutes))
    taken = []
    original = checkpoints.save

    def save(folder, learns, state, *others):
        taken.append(state.step)
        original(folder, learns, state, *others)

    monkeypatch.setattr(checkpoints, "save", save)
    train(tmp_path, changes={"checkpoint_minutes": 3})
    # asked once a step and once a checkpoint: the epoch's own comes before the third
    # minute is over, but for the one that the clock asks for
    assert taken == [3, 4, 7, 8, 11, 12]


def test_a_loss_that_is_no_number_never_becomes_a_checkpoint_by_the_clock(tmp_path):
    changes = {"checkpoint_minutes": 1e-8, "check_every": 100}
    with pytest.raises(loop.TrainingDivergedError, match="shortly before step 7"):
        train(tmp_path, make_data(poison_step=6), changes)
    assert checkpoints.steps(tmp_path)[-1] == 6


def test_group_weights_are_saved_and_gone_on_from(tmp_path):
    """A stopped training has the weights, and the group weights, of a whole one."""
    found = {}
    settings = losses.LossConfig("group_dro", group_counts=(5, 3), step_size=0.1)
    train_until(tmp_path / "parts", STEPS, loss=losses.build(settings))
    for name in ("whole", "parts"):
        loss = losses.build(settings)
        model, _, _ = train(tmp_path / name, loss=loss)
        found[name] = [*model.get_weights(), np.asarray(loss.group_weights)]
    assert found["whole"][-1][0] != pytest.approx(0.5, abs=1e-4)
    for first, second in zip(found["whole"], found["parts"], strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_finished_training_is_not_taken_again(tmp_path):
    first, _, _ = train(tmp_path)
    again, state, told = train(tmp_path)
    assert told == []
    assert state.step == EPOCHS * STEPS
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    with pytest.raises(loop.TrainingDivergedError, match="shortly before step 7"):
        train(tmp_path, make_data(poison_step=6))
    state = checkpoints.newest(tmp_path)
    assert state.step == STEPS
    model = build()
    checkpoints.load_weights(tmp_path, state.step, model)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def never_better():
    return keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)


def test_keras_callbacks_are_called_and_may_stop(tmp_path):
    calls, steps = [], []
    listener = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append((epoch, logs["loss"])),
        on_train_batch_end=lambda step, logs: steps.append((step, logs["loss"])),
    )
    _, state, _ = train(tmp_path, callbacks=[listener, never_better()])
    assert [epoch for epoch, _ in calls] == [0, 1]
    assert state.step == 2 * STEPS
    assert [step for step, _ in steps] == 2 * list(range(STEPS))
    # a number would have waited for the device
    assert all(isinstance(loss, tf.Tensor) for _, loss in steps)


def test_a_training_that_a_callback_ended_stays_ended(tmp_path):
    ended, _, _ = train(tmp_path, callbacks=[never_better()])
    again, state, told = train(tmp_path, callbacks=[never_better()])
    assert told == []
    assert state.step == 2 * STEPS
    assert_same_weights(ended, again)


def test_an_epoch_within_which_a_callback_said_the_end_is_gone_on_with(tmp_path):
    def says_it():
        def at(step, logs):
            if step == 1:
                listener.model.stop_training = True

        listener = keras.callbacks.LambdaCallback(on_train_batch_end=at)
        return listener

    whole, _, _ = train(tmp_path / "whole", callbacks=[says_it()])
    train_until(tmp_path / "parts", 3, [says_it()])
    parts, state, _ = train(tmp_path / "parts")
    assert state.step == STEPS
    assert_same_weights(whole, parts)


def test_mixed_precision_trains(tmp_path):
    model, _ = models.build(
        models.ModelConfig(
            num_classes=3, height=8, width=8, blocks=(1,), growth=2,
            dtype="mixed_bfloat16",
        )
    )  # fmt: skip
    state = loop.train(
        model, losses.build("binary_cross_entropy"), make_data(), CONFIG,
        loop.Surroundings(tmp_path, Recorder()),
    )  # fmt: skip
    assert np.isfinite(state.history[-1]["loss"])
