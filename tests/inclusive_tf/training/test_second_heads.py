"""Second heads learn along in one step, resume to the same bits, and leave no trace."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors, label_embeddings, labels
from inclusive_tf import losses, models, writers
from inclusive_tf.losses import auxiliary
from inclusive_tf.models import head
from inclusive_tf.training import (
    checkpoints,
    config,
    distribution,
    learner,
    loop,
    second_heads,
    step,
)

STEPS, BATCH, EPOCHS, CLASSES = 3, 8, 2, 4
CONFIG = config.TrainingConfig(epochs=EPOCHS, batch_size=BATCH, learning_rate=0.01)
HEADS = second_heads.SecondHeadsConfig(0.01, 0.5, 3)
TRUTH = labels.SparseLabels.from_dense(
    np.random.default_rng(0).random((40, CLASSES)) < 0.4
)
MODEL = models.ModelConfig(num_classes=CLASSES, height=8, width=8, blocks=(1,),
                           growth=2, dropout=0.3)  # fmt: skip


def build(heads=HEADS):
    model, _ = models.build(MODEL)
    return model, second_heads.build(heads, model, TRUTH, seed=0)


def batch(place, every=False):
    generator = np.random.default_rng(place)
    targets = (generator.random((BATCH, CLASSES)) < 0.4).astype(np.float32)
    found = {
        "image": tf.constant(generator.random((BATCH, 8, 8, 1)), tf.float32),
        "target": tf.constant(targets),
    }
    if every:
        found["every"] = tf.ones_like(found["target"])
    return found


def make_data():
    def training(epoch, draw):
        for place in range(epoch * STEPS + draw // BATCH, EPOCHS * STEPS):
            yield batch(place)

    return loop.Data(training, [batch(100)], STEPS)


def train(folder, stop=None, heads=HEADS):
    model, built = build(heads)
    state = loop.train(model, losses.build("binary_cross_entropy"), make_data(),
                       CONFIG, loop.Surroundings(folder, writers.Several(), stop=stop),
                       built)  # fmt: skip
    return model, built, state


def test_a_head_without_weight_is_not_there():
    assert build(second_heads.SecondHeadsConfig())[1] is None
    _, only = build(second_heads.SecondHeadsConfig(count_weight=0.1))
    assert [weight.shape for weight in only.variables] == [(6, 1), (1,)]


def test_the_loss_is_the_weighed_sum_of_both():
    _, heads = build()
    features = tf.constant(np.random.default_rng(1).random((BATCH, 6)), tf.float32)
    targets = batch(0)["target"]
    kernel, bias, wide, offset = (np.asarray(one) for one in heads.variables)
    error = auxiliary.count_error(targets, (features @ kernel + bias)[:, 0])
    distance = auxiliary.embedding_distance(
        targets, label_embeddings.embed(TRUTH, 3), features @ wide + offset
    )
    expected = 0.01 * float(error) + 0.5 * float(distance)
    assert float(heads.loss(targets, features)) == pytest.approx(expected, rel=1e-5)


def test_heads_and_what_lies_before_them_learn(tmp_path):
    model, heads = build()
    before = [np.array(one) for one in heads.variables]
    plain, _, _ = train(tmp_path / "plain", heads=second_heads.SecondHeadsConfig())
    model, heads, _ = train(tmp_path / "heads")
    for one, other in zip(before, heads.variables, strict=True):
        assert (one != np.asarray(other)).any()
    stems = [one.get_layer("stem").get_weights()[0] for one in (plain, model)]
    assert (stems[0] != stems[1]).any()


def test_a_stopped_training_resumes_to_the_same_bits(tmp_path):
    whole, whole_heads, _ = train(tmp_path / "whole")
    after_first = iter([False] * (STEPS - 1))
    with pytest.raises(loop.TrainingStoppedError):
        train(tmp_path / "parts", lambda: next(after_first, True))
    assert checkpoints.newest(tmp_path / "parts").step == STEPS
    parts, parts_heads, state = train(tmp_path / "parts")
    assert state.step == EPOCHS * STEPS
    for first, second in zip(
        [*whole.weights, *whole_heads.variables],
        [*parts.weights, *parts_heads.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)


def test_the_model_of_a_checkpoint_knows_nothing_of_them(tmp_path):
    trained, _, state = train(tmp_path)
    model, _ = models.build(MODEL)
    checkpoints.load_weights(tmp_path, state.step, model)
    assert model.output_names == [head.LOGITS]
    image = batch(0)["image"]
    np.testing.assert_array_equal(model(image), trained(image))


def test_they_are_told_of_every_label_where_targets_show_one():
    def first_loss(every):
        model, heads = build()
        loss = losses.build("binary_cross_entropy")
        learns = learner.build(model, loss, CONFIG, 8, heads)
        taken = step.make(learns, distribution.one_device())
        found = batch(0)
        return float(taken(found["image"], found["target"], every=every))

    target = batch(0)["target"]
    assert first_loss(None) == first_loss(target)
    assert first_loss(tf.ones_like(target)) != first_loss(target)


def test_mixed_precision_learns_along(tmp_path):
    model, _ = models.build(dataclasses.replace(MODEL, dtype="mixed_float16"))
    heads = second_heads.build(HEADS, model, TRUTH, seed=0)
    state = loop.train(model, losses.build("focal"), make_data(), CONFIG,
                       loop.Surroundings(tmp_path, writers.Several()),
                       heads)  # fmt: skip
    assert np.isfinite(state.history[-1]["loss"])


@pytest.mark.parametrize(
    "settings",
    [{"count_weight": -1}, {"embedding_weight": -0.1}, {"embedding_size": 0}],
)
def test_what_cannot_be_is_refused(settings):
    with pytest.raises(errors.SettingError, match=next(iter(settings))):
        second_heads.SecondHeadsConfig(**settings)
    with pytest.raises(errors.SettingError, match="1 to 4, the number of labels"):
        build(second_heads.SecondHeadsConfig(0, 1, 5))
