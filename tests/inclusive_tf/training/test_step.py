"""A step is that of the whole batch, in whatever parts, its gradients clipped."""

import dataclasses
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf import losses
from inclusive_tf.training import config, distribution, learner, step

CONFIG = config.TrainingConfig(optimizer="sgd", learning_rate=0.1, warmup_steps=0)
IMAGES = np.random.default_rng(0).random((8, 4, 4, 1)).astype(np.float32)
TARGETS = (np.random.default_rng(1).random((8, 3)) < 0.4).astype(np.float32)
TARGETS[0, 1] = -1


def build(loss="multilabel_softmax", dtype="float32"):
    """A model without batch normalisation, which would look at parts."""
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 1), name="image")
    features = keras.layers.Flatten(name="features")(image)
    logits = keras.layers.Dense(3, name="logits", dtype=dtype)(features)
    model = keras.Model(image, logits)
    return learner.build(model, losses.build(loss), CONFIG, 100)


def take(learns, **settings):
    made = step.make(learns, distribution.one_device(), **settings)
    value = float(made(tf.constant(IMAGES), tf.constant(TARGETS)))
    return value, learns.model.get_weights()


def test_it_goes_down_the_gradient_of_the_loss():
    learns = build()
    before = [tf.identity(weight) for weight in learns.model.weights]
    with tf.GradientTape() as tape:
        expected = learns.loss(TARGETS, learns.model(IMAGES))
    gradients = tape.gradient(expected, learns.model.trainable_variables)
    value, after = take(learns)
    assert value == pytest.approx(float(expected), rel=1e-6)
    # the first step of Nesterov momentum 0.9 goes 1.9 times as far
    for old, gradient, new in zip(before, gradients, after, strict=True):
        np.testing.assert_allclose(new, old - 0.19 * gradient, atol=1e-6)


@pytest.mark.parametrize("loss", ["multilabel_softmax", "binary_cross_entropy"])
@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.01}])
def test_parts_of_a_batch_take_the_step_of_the_whole(loss, settings):
    """Though their targets differ in number, and so their own means would."""
    value, weights = take(build(loss), **settings)
    for parts in (2, 8):
        found, others = take(build(loss), accumulate=parts, **settings)
        assert found == pytest.approx(value, rel=1e-6)
        for one, other in zip(weights, others, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 0.01}])
def test_parts_of_a_batch_of_texts_take_the_step_of_the_whole(settings):
    """Whose gradients of words' vectors are slices, not tensors."""
    tokens = tf.constant(np.random.default_rng(2).integers(0, 9, (8, 5)), tf.int32)
    taken = []
    for parts in (1, 4):
        keras.utils.set_random_seed(0)
        text = keras.Input((5,), dtype="int32", name="text")
        words = keras.layers.Embedding(9, 4)(text)
        features = keras.layers.GlobalAveragePooling1D(name="features")(words)
        model = keras.Model(text, keras.layers.Dense(3, name="logits")(features))
        learns = learner.build(model, losses.build("multilabel_softmax"), CONFIG, 100)
        one = distribution.one_device()
        step.make(learns, one, accumulate=parts, **settings)(tokens, TARGETS)
        taken.append(model.get_weights())
    for whole, added in zip(*taken, strict=True):
        np.testing.assert_allclose(whole, added, atol=1e-6)


def test_gradients_are_clipped_to_a_global_norm():
    learns = build()
    before = learns.model.get_weights()
    _, after = take(learns, clip_norm=0.01)
    moved = np.concatenate(
        [(new - old).ravel() for old, new in zip(before, after, strict=True)]
    )
    assert np.linalg.norm(moved) == pytest.approx(0.1 * 1.9 * 0.01, rel=1e-4)


def test_gradients_under_the_norm_are_left_alone():
    first, second = take(build()), take(build(), clip_norm=1e6)
    for one, other in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_clipping_looks_at_gradients_without_the_loss_scale():
    plain, scaled = build(), build()
    optimizer = keras.optimizers.LossScaleOptimizer(scaled.optimizer, 1024.0)
    optimizer.build(scaled.trainable_variables)
    scaled = dataclasses.replace(scaled, optimizer=optimizer)
    for one, other in zip(
        take(plain, clip_norm=0.01)[1], take(scaled, clip_norm=0.01)[1], strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_it_is_traced_once(monkeypatch):
    learns, traces = build(), []
    original = type(learns.loss).per_image
    monkeypatch.setattr(
        type(learns.loss),
        "per_image",
        lambda self, *pair: traces.append(1) or original(self, *pair),
    )
    made = step.make(learns, distribution.one_device())
    for _ in range(3):
        made(tf.constant(IMAGES), tf.constant(TARGETS))
    assert len(traces) == 1


def test_a_loss_that_needs_its_batch_whole_is_refused_in_parts():
    learns = dataclasses.replace(
        build(),
        loss=losses.build(losses.LossConfig("group_dro", group_counts=(5, 3))),
    )
    with pytest.raises(errors.SettingError, match="needs a batch whole"):
        step.make(learns, distribution.one_device(), accumulate=2)


OVERFLOW = """
import json
from tools import tensorflow_start
tensorflow_start.prepare()
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
from inclusive_tf import losses, models
from inclusive_tf.training import config, distribution, learner, step
both = distribution.build("mirrored")
with both.scope():
    model, _ = models.build(models.ModelConfig(
        "alexnet_small", num_classes=3, height=8, width=8, blocks=(1,), filters=4,
        dtype="mixed_float16"))
    learns = learner.build(model, losses.build("binary_cross_entropy"),
                           config.TrainingConfig(batch_size=8), 10)
learns.optimizer.dynamic_scale.assign(1e7)
targets = np.ones((8, 3), np.float32)
# nothing is known on the first device, whose gradients are 0
targets[:4] = -1
before = model.get_weights()
step.make(learns, both)(tf.random.uniform((8, 8, 8, 1)), tf.constant(targets))
same = all(map(np.array_equal, before, model.get_weights()))
print(json.dumps([same, float(learns.optimizer.dynamic_scale.numpy())]))
"""


def test_a_step_that_overflows_on_any_device_is_left_out_on_all(root):
    """In a process of its own, as devices cannot be divided later."""
    done = subprocess.run(
        [sys.executable, "-c", OVERFLOW], cwd=root, check=True, text=True,
        capture_output=True, timeout=200,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == [True, 5e6]
