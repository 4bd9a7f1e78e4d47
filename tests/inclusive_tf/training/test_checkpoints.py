"""Checkpoints are sound or passed over, and old ones make room."""

import dataclasses

import h5py
import keras
import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf import losses, models
from inclusive_tf.training import checkpoints, config, learner

CONFIG = config.TrainingConfig()


def build(units=3, loss=None, **changes):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(units),
            keras.layers.Dropout(0.5, seed=1),
        ]
    )
    return learner.build(
        model, loss or losses.build("focal"), dataclasses.replace(CONFIG, **changes), 9
    )


def save(folder, step, **fields):
    keep = fields.pop("keep", 10)
    state = checkpoints.State(step=step, **fields)
    checkpoints.save(folder, build(), state, keep)


@pytest.mark.parametrize("average", ["none", "ema"])
def test_everything_comes_back(tmp_path, average):
    learns = build(average=average)
    for number, variable in enumerate(variables(learns)):
        variable.assign(np.full(variable.shape, number))
    listeners = ({"callback": "EarlyStopping", "changed": {"wait": 1}},)
    state = checkpoints.State(5, ({"loss": 1.0},), 5, 0.5, listeners=listeners)
    checkpoints.save(tmp_path, learns, state, 1)
    other = build(average=average)
    assert checkpoints.restore(tmp_path, 5, other) == state
    for one in (learns, other):
        for number, variable in enumerate(variables(one)):
            assert (np.asarray(variable) == number).all(), variable.path


def variables(learns):
    return [
        *learns.model.variables,
        *learns.optimizer.variables,
        *learns.variables_beside.values(),
    ]


def test_the_weights_of_a_checkpoint_are_the_average(tmp_path):
    learns = build(average="ema")
    for average in learns.average.variables:
        average.assign(np.full(average.shape, 3))
    checkpoints.save(tmp_path, learns, checkpoints.State(1), 1)
    model = build().model
    checkpoints.load_weights(tmp_path, 1, model)
    assert all((weight == 3).all() for weight in model.get_weights())


def test_no_layer_is_built_to_save_one_and_the_file_is_that_of_keras(
    tmp_path, monkeypatch
):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Dense(4)(inputs)))
    learns = learner.build(model, losses.build("focal"), CONFIG, 9)
    keras.utils.clear_session()
    model.save_weights(tmp_path / "keras.weights.h5")
    checkpoints.save(tmp_path, learns, checkpoints.State(1), 1)
    built, init = [], keras.layers.Layer.__init__
    monkeypatch.setattr(
        keras.layers.Layer,
        "__init__",
        lambda self, *args, **kwargs: (
            built.append(type(self)),
            init(self, *args, **kwargs),
        )[1],
    )
    checkpoints.save(tmp_path, learns, checkpoints.State(2), 1)
    assert built == []
    theirs, ours = (
        contents(path)
        for path in (
            tmp_path / "keras.weights.h5",
            tmp_path / "step-00000002" / "model.weights.h5",
        )
    )
    assert theirs.keys() == ours.keys()
    assert len(theirs) == 4
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values)


def contents(path):
    """Returns {name: array} of the data sets of an HDF5 file."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def test_the_variables_of_a_loss_come_back_and_are_missed(tmp_path):
    settings = losses.LossConfig("group_dro", group_counts=(5, 3))
    learns = build(loss=losses.build(settings))
    learns.loss.group_weights.assign([0.25, 0.75])
    checkpoints.save(tmp_path, learns, checkpoints.State(1), 1)
    learns.loss.group_weights.assign([0.5, 0.5])
    checkpoints.restore(tmp_path, 1, learns)
    np.testing.assert_array_equal(learns.loss.group_weights, [0.25, 0.75])
    with pytest.raises(errors.DataError, match="loss's variables are of another kind"):
        checkpoints.restore(tmp_path, 1, build())


def test_the_newest_stay_and_the_best_too(tmp_path):
    for step in range(1, 7):
        save(tmp_path, step, best_step=2, best_figure=0.9, keep=2)
    assert checkpoints.steps(tmp_path) == [2, 5, 6]


@pytest.mark.parametrize("keep", [1, 2])
def test_damaged_ones_ahead_make_room_for_what_is_taken_now(tmp_path, keep):
    """Else they would be the newest, and what was gone on from would go for them."""
    for step in (10, 20, 30):
        save(tmp_path, step)
    for step in (20, 30):
        (tmp_path / f"step-{step:08d}" / "variables.npz").write_bytes(b"")
    save(tmp_path, 13, keep=keep)
    assert checkpoints.steps(tmp_path) == [10, 13][-keep:]
    assert checkpoints.newest(tmp_path).step == 13


@pytest.mark.parametrize("victim", ["model.weights.h5", "variables.npz", "state.json"])
@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_damaged_checkpoint_is_passed_over_and_named(
    tmp_path, caplog, victim, damage
):
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / "step-00000002" / victim
    data = path.read_bytes()
    path.unlink()
    if damage == "change":
        path.write_bytes(data[:-3] + b"xyz")
    assert checkpoints.newest(tmp_path).step == 1
    assert "step-00000002" in caplog.text


def test_without_any_checkpoint_there_is_no_state(tmp_path):
    assert checkpoints.newest(tmp_path) is None
    assert checkpoints.newest(tmp_path / "absent") is None


def test_the_weights_of_another_model_are_refused(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(errors.DataError, match="the weights are of another model"):
        checkpoints.load_weights(tmp_path, 1, build(units=4).model)


def test_the_state_of_another_optimiser_is_refused(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(errors.DataError, match="variables are of another kind"):
        checkpoints.restore(tmp_path, 1, build(optimizer="sgd"))


def test_an_interrupted_write_leaves_the_old_checkpoints_alone(tmp_path, monkeypatch):
    save(tmp_path, 1)

    def fail(*arguments, **settings):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(errors.StoppedError, match="No space left"):
        save(tmp_path, 2)
    assert checkpoints.steps(tmp_path) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


@pytest.mark.parametrize("name", ["densenet_small", "resnet_small", "alexnet_small"])
def test_room_is_asked_for_all_of_the_weights(tmp_path, name):
    model, _ = models.build(
        models.ModelConfig(name, 3, 32, 32, filters=2, growth=2, blocks=(1, 1))
    )
    model.save_weights(tmp_path / "model.weights.h5")
    size = (tmp_path / "model.weights.h5").stat().st_size
    assert size <= checkpoints._most_bytes(model)
