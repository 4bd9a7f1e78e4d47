"""Learning rates over a training, and optimisers that survive serialisation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

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


@pytest.mark.parametrize(
    ("name", "weight_decay"), [("adam", 0.0), ("adamw", 0.01), ("sgd", 0.01)]
)
def test_an_optimiser_survives_serialisation(name, weight_decay):
    settings = config.TrainingConfig(optimizer=name, weight_decay=weight_decay)
    built, _ = optimizers.build(settings, 50)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(built))
    assert again.get_config() == built.get_config()


def path_of(kind, settings, sparse):
    """Returns the variables of five steps of an optimiser, a list of arrays each."""
    optimizer = kind(optimizers.WarmupSchedule(0.1, 2, 9, "cosine"), **settings)
    variable = keras.Variable(np.linspace(-1, 1, 12).reshape(4, 3))
    optimizer.build([variable])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient], [variable])

    generator, path = np.random.default_rng(0), []
    for _ in range(5):
        gradient = tf.constant(generator.normal(size=(4, 3)), "float32")
        if sparse:
            gradient = tf.IndexedSlices(
                gradient[:2], tf.constant([3, 1]), tf.constant([4, 3])
            )
        step(gradient)
        path.append([np.array(one) for one in (variable, *optimizer.variables)])
    return path


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}],
    ids=str,
)
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_adam_by_one_op_is_that_of_keras(name, settings, sparse):
    paths = [
        path_of(getattr(module, name), settings, sparse)
        for module in (optimizers, keras.optimizers)
    ]
    for ours, theirs in zip(*paths, strict=True):
        for found, expected in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


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
