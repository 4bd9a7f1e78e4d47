"""Checkpoints are sound or passed over, and old ones make room."""

import keras
import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.training import checkpoints


def build(units=3):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(units),
            keras.layers.Dropout(0.5, seed=1),
        ]
    )
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    return model, optimizer


def save(folder, step, **fields):
    keep = fields.pop("keep", 10)
    state = checkpoints.State(step=step, **fields)
    checkpoints.save(folder, *build(), state, keep)


def test_everything_comes_back(tmp_path):
    model, optimizer = build()
    for variable in [*model.variables, *optimizer.variables]:
        variable.assign(np.ones(variable.shape) * 7)
    state = checkpoints.State(5, ({"loss": 1.0},), 5, 0.5)
    checkpoints.save(tmp_path, model, optimizer, state, 1)
    other, other_optimizer = build()
    assert checkpoints.restore(tmp_path, 5, other, other_optimizer) == state
    for variable in [*other.variables, *other_optimizer.variables]:
        assert (np.asarray(variable) == 7).all()


def test_the_variables_of_a_loss_come_back_and_are_missed(tmp_path):
    model, optimizer = build()
    variable = keras.Variable([0.25, 0.75], trainable=False)
    state = checkpoints.State(1)
    checkpoints.save(tmp_path, model, optimizer, state, 1, of_loss=[variable])
    variable.assign([0.5, 0.5])
    checkpoints.restore(tmp_path, 1, model, optimizer, of_loss=[variable])
    np.testing.assert_array_equal(variable, [0.25, 0.75])
    with pytest.raises(errors.DataError, match="loss's variables are of another kind"):
        checkpoints.restore(tmp_path, 1, model, optimizer)


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
        checkpoints.load_weights(tmp_path, 1, build(units=4)[0])


def test_the_state_of_another_optimiser_is_refused(tmp_path):
    save(tmp_path, 1)
    model, _ = build()
    sgd = keras.optimizers.SGD()
    sgd.build(model.trainable_variables)
    with pytest.raises(errors.DataError, match="variables are of another kind"):
        checkpoints.restore(tmp_path, 1, model, sgd)


def test_an_interrupted_write_leaves_the_old_checkpoints_alone(tmp_path, monkeypatch):
    save(tmp_path, 1)

    def fail(*arguments, **settings):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path, 2)
    assert checkpoints.steps(tmp_path) == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
