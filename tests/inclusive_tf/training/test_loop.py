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

    return loop.Data(training, [batch(1000), batch(1001)], STEPS)


def train(folder, data=None, changes=None, callbacks=(), loss="binary_cross_entropy"):
    recorder, model = Recorder(), build()
    state = loop.train(
        model,
        losses.build(loss) if isinstance(loss, str) else loss,
        data or make_data(),
        dataclasses.replace(CONFIG, **(changes or {})),
        folder,
        recorder,
        callbacks,
    )
    return model, state, recorder.told


class StopAfter(keras.callbacks.Callback):
    """Ends a training as a killed process does, but for the kill."""

    def __init__(self, epochs):
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self._epochs


def test_it_takes_all_steps_and_tells_every_epoch(tmp_path):
    _, state, told = train(tmp_path)
    assert state.step == EPOCHS * STEPS
    assert [row[:3] for row in told] == [(1, 3, 4), (2, 3, 8), (3, 3, 12)]
    assert set(told[0][3]) == {
        "loss", "seconds", "images_per_second", "waiting_for_data", "validation_loss",
        "validation_mean_f2", "learning_rate",
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
    _, stopped, _ = train(tmp_path / "parts", changes=changes, callbacks=[StopAfter(1)])
    assert stopped.step == STEPS
    resumed, state, told = train(tmp_path / "parts", changes=changes)
    assert [row[0] for row in told] == [2, 3]
    assert len(state.history) == EPOCHS
    for first, second in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_group_weights_are_saved_and_gone_on_from(tmp_path):
    """A stopped training has the weights, and the group weights, of a whole one."""
    found = {}
    settings = losses.LossConfig("group_dro", group_counts=(5, 3), step_size=0.1)
    for name, callbacks in (("whole", ()), ("parts", [StopAfter(1)]), ("parts", ())):
        loss = losses.build(settings)
        model, _, _ = train(tmp_path / name, callbacks=callbacks, loss=loss)
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


def test_a_bad_step_never_reaches_the_weights():
    model = build()
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    step = loop.make_step(model, losses.build("binary_cross_entropy"), optimizer)
    before = [np.array(variable) for variable in model.trainable_variables]
    targets = tf.zeros((BATCH, 3))
    assert np.isnan(step(tf.fill((BATCH, 8, 8, 1), np.nan), targets))
    for one, other in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_keras_callbacks_are_called_and_may_stop(tmp_path):
    calls = []
    listener = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append((epoch, logs["loss"]))
    )
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)
    _, state, _ = train(tmp_path, callbacks=[listener, stopping])
    assert [epoch for epoch, _ in calls] == [0, 1]
    assert state.step == 2 * STEPS


def test_the_step_is_traced_once():
    model, traces = build(), []

    class Counting(type(losses.build("binary_cross_entropy"))):
        def call(self, y_true, y_pred):
            traces.append(1)
            return super().call(y_true, y_pred)

    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    step = loop.make_step(model, Counting(), optimizer)
    for batch in make_data().training(0, 0):
        step(batch["image"], batch["target"])
    assert len(traces) == 1


def test_validation_is_the_same_in_batches_of_any_size():
    model, loss = build(), losses.build("binary_cross_entropy")
    whole = {
        name: np.concatenate([batch[name] for batch in make_data().validation])
        for name in ("image", "target")
    }

    def batches(size):
        for start in range(0, 2 * BATCH, size):
            yield {name: values[start : start + size] for name, values in whole.items()}

    first = loop.evaluate(model, loss, batches(2 * BATCH))
    for size in (1, 5, BATCH):
        found = loop.evaluate(model, loss, batches(size))
        assert found == pytest.approx(first, rel=1e-5)


def test_mixed_precision_trains(tmp_path):
    model, _ = models.build(
        models.ModelConfig(
            num_classes=3, height=8, width=8, blocks=(1,), growth=2,
            dtype="mixed_bfloat16",
        )
    )  # fmt: skip
    state = loop.train(
        model, losses.build("binary_cross_entropy"), make_data(), CONFIG, tmp_path,
        Recorder(),
    )  # fmt: skip
    assert np.isfinite(state.history[-1]["loss"])
