"""A phase starts from a run's weights, and only what shall learn learns."""

import dataclasses

import keras
import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import losses, models
from inclusive_tf import run as run_directory
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints, config, learner, starting

CONFIG = models.ModelConfig(
    "densenet_small", num_classes=3, height=8, width=8, growth=2, blocks=(1,),
    mean=(0.3,), deviation=(0.2,),
)  # fmt: skip
VOCABULARY = labels.Vocabulary(("a", "b", "c"))


@pytest.fixture
def source(tmp_path):
    """A run with a checkpoint of random weights."""
    run = run_directory.Run(tmp_path / "before")
    run.path.mkdir()
    model, _ = models.build(CONFIG)
    generator = np.random.default_rng(0)
    model.set_weights(
        [generator.uniform(0.1, 1.0, weight.shape) for weight in model.get_weights()]
    )
    built = learner.build(model, losses.build("focal"), config.TrainingConfig(), 10)
    checkpoints.save(run.checkpoints, built, checkpoints.State(step=5), 1)
    run.write_json("model.json", {"model": dataclasses.asdict(CONFIG)})
    run.write_vocabulary(VOCABULARY, [7, 2, 1])
    return run, model


def test_all_weights_are_taken_where_the_labels_are_the_same(source):
    run, before = source
    after, _ = models.build(dataclasses.replace(CONFIG, seed=9))
    (note,) = starting.take_weights(after, CONFIG, VOCABULARY, run.path)
    for mine, its in zip(after.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert note.endswith(
        "after step 5; the last layer has 3 labels of it and 0 new ones"
    )


def test_the_last_layer_keeps_what_both_know_and_is_new_for_other_labels(source):
    run, before = source
    other = labels.Vocabulary(("c", "x"))
    chosen = dataclasses.replace(CONFIG, num_classes=2, initial_bias=(0.5, -0.5))
    after, _ = models.build(chosen)
    new_kernel, _ = head.last_layer(after)
    starting.take_weights(after, chosen, other, run.path)
    kernel, bias = head.last_layer(after)
    old_kernel, old_bias = head.last_layer(before)
    np.testing.assert_array_equal(kernel[:, 0], old_kernel[:, 2])
    np.testing.assert_array_equal(kernel[:, 1], new_kernel[:, 1])
    np.testing.assert_array_equal(bias, [old_bias[2], np.float32(-0.5)])
    np.testing.assert_array_equal(
        after.get_layer("stem").get_weights()[0],
        before.get_layer("stem").get_weights()[0],
    )


def test_another_architecture_is_refused_and_what_differs_is_named(source):
    run, _ = source
    other = dataclasses.replace(CONFIG, growth=3, dropout=0.5)
    model, _ = models.build(other)
    with pytest.raises(errors.DataError, match=r"growth 2 → 3[^;]*$"):
        starting.take_weights(model, other, VOCABULARY, run.path)


def test_labels_keep_their_counts_of_the_first_training(source):
    run, _ = source
    wanted = labels.Vocabulary(("c", "x", "a"))
    assert starting.training_counts(run.path, wanted).tolist() == [1, 0, 7]
    assert starting.pixel_statistics(run.path) == ((0.3,), (0.2,))


@pytest.mark.parametrize(
    ("trainable", "learns"),
    [
        ("last_layer", lambda path: path.startswith("logits/")),
        ("batch_norm", lambda path: path.endswith(("gamma", "beta"))),
        ("all", lambda path: not path.endswith(("moving_mean", "moving_variance"))),
    ],
)
def test_only_the_part_that_was_asked_for_learns(trainable, learns):
    model, _ = models.build(CONFIG)
    everything = {variable.path for variable in model.weights}
    starting.freeze(model, trainable)
    assert {variable.path for variable in model.trainable_variables} == {
        path for path in everything if learns(path)
    }


def test_with_the_last_layer_alone_statistics_stay_as_they_are():
    model, _ = models.build(CONFIG)
    starting.freeze(model, "last_layer")
    before = model.get_layer("final_norm").moving_mean.numpy()
    model(np.random.default_rng(0).random((4, 8, 8, 1), np.float32), training=True)
    np.testing.assert_array_equal(model.get_layer("final_norm").moving_mean, before)


def test_a_model_without_batch_normalisation_cannot_learn_it():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(inputs))
    with pytest.raises(errors.SettingError, match="no batch normalisation"):
        starting.freeze(model, "batch_norm")


def test_a_part_of_a_new_model_and_an_unknown_part_are_refused():
    with pytest.raises(errors.SettingError, match="--initial_run"):
        starting.StartConfig(trainable="last_layer")
    with pytest.raises(errors.SettingError, match="all, last_layer, batch_norm"):
        starting.StartConfig("run", "first_layer")
