"""Learning rates over a training, and optimisers that survive serialisation."""

import keras
import numpy as np
import pytest

from inclusive_tf.training import config, optimizers


def rates(**fields):
    settings = config.TrainingConfig(learning_rate=0.1, **fields)
    _, schedule = optimizers.build(settings, 100)
    return np.array([float(schedule(step)) for step in range(100)])


def test_the_warm_up_is_linear_and_the_cosine_ends_near_zero():
    found = rates(warmup_steps=10)
    np.testing.assert_allclose(found[:10], 0.1 * np.arange(1, 11) / 10, rtol=1e-5)
    assert (np.diff(found[10:]) < 0).all()
    assert found[55] == pytest.approx(0.05, rel=1e-3)
    assert found[99] < 1e-4


def test_a_constant_rate_stays():
    assert (rates(warmup_steps=0, schedule="constant") == np.float32(0.1)).all()


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_the_factor_reaches_the_optimiser_between_steps(name):
    built, schedule = optimizers.build(
        config.TrainingConfig(optimizer=name, learning_rate=0.1, warmup_steps=0), 50
    )
    before = float(built.learning_rate)
    schedule.factor.assign(0.1)
    assert float(built.learning_rate) == pytest.approx(0.1 * before)


def test_a_warm_up_longer_than_the_training_still_reaches_the_peak():
    assert rates(warmup_steps=1000).max() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_an_optimiser_survives_serialisation(name):
    built, _ = optimizers.build(
        config.TrainingConfig(optimizer=name, weight_decay=0.01), 50
    )
    again = keras.optimizers.deserialize(keras.optimizers.serialize(built))
    assert again.get_config() == built.get_config()


@pytest.mark.parametrize(
    "field",
    [
        {"epochs": 0}, {"batch_size": 0}, {"optimizer": "lion"}, {"learning_rate": 0},
        {"schedule": "step"}, {"keep": 0}, {"steps_per_epoch": -1}, {"accumulate": 0},
        {"average": "mean"}, {"average_decay": 1}, {"average_from": -1},
        {"average_batches": 0}, {"best_by": "accuracy"}, {"patience": -1},
        {"plateau_patience": 0}, {"plateau_factor": 1},
    ],
)  # fmt: skip
def test_a_training_that_cannot_be_is_refused_by_field(field):
    (name,) = field
    with pytest.raises(ValueError, match=f"this {name}. Expected:"):
        config.TrainingConfig(**field)


def test_an_epoch_shows_each_image_once_unless_told_otherwise():
    assert config.TrainingConfig(batch_size=64).steps_an_epoch(1000) == 15
    assert config.TrainingConfig(batch_size=64).steps_an_epoch(10) == 1
    assert config.TrainingConfig(steps_per_epoch=7).steps_an_epoch(1000) == 7
