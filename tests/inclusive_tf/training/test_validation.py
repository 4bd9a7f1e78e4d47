"""Figures of held-out batches, against scikit-learn and plain NumPy."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from inclusive_tf import losses
from inclusive_tf.training import distribution, validation

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.normal(size=(23, 2, 2, 1)).astype(np.float32)
TARGETS = (GENERATOR.random((23, 4)) < 0.4).astype(np.float32)
TARGETS[:, 3] = 0
GROUPS = GENERATOR.integers(0, 3, 23) * 2
"""Groups 1 and 3 have no image."""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    image = keras.Input((2, 2, 1), name="image")
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, keras.layers.Dense(4, name="logits")(flat))


def evaluate(model, size, targets=TARGETS):
    made = validation.make(
        model, losses.build("multilabel_softmax"), distribution.one_device()
    )
    return made(
        {
            "image": IMAGES[start : start + size],
            "target": targets[start : start + size],
            "group": GROUPS[start : start + size],
        }
        for start in range(0, 23, size)
    )


@pytest.mark.parametrize("size", [1, 5, 23])
def test_figures_are_those_of_the_whole_set_in_batches_of_any_size(model, size):
    logits = np.asarray(model(IMAGES))
    found = evaluate(model, size)
    truth, given = TARGETS > 0, logits >= 0
    by_image = np.array([
        metrics.fbeta_score(one, other, beta=2, zero_division=0)
        for one, other in zip(truth, given, strict=True)
    ])  # fmt: skip
    by_class = metrics.fbeta_score(truth, given, beta=2, average=None, zero_division=0)
    by_group = [by_image[group == GROUPS].mean() for group in np.unique(GROUPS)]
    loss = losses.build("multilabel_softmax")
    assert found == pytest.approx(
        {
            "loss": float(loss(TARGETS, logits)),
            "mean_f2": by_image.mean(),
            # the fourth label is never shown
            "worst_class_f2": by_class[:3].min(),
            "worst_group_f2": min(by_group),
        },
        rel=1e-5,
    )


def test_unknown_labels_are_on_neither_side(model):
    targets = TARGETS.copy()
    targets[:, 0] = -1
    logits = np.asarray(model(IMAGES))[:, 1:]
    expected = metrics.fbeta_score(
        TARGETS[:, 1:] > 0, logits >= 0, beta=2, average="samples", zero_division=0
    )
    assert evaluate(model, 5, targets)["mean_f2"] == pytest.approx(expected)
