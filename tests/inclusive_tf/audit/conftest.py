"""Predictions that the tests of an audit share."""

import numpy as np
import pytest

from data_pipelines import labels
from inclusive_tf import predictions


@pytest.fixture
def make_predictions():
    """Returns a function that makes predictions of given logits and truth."""

    def make(logits, shown, **changes):
        logits, shown = np.asarray(logits, np.float32), np.asarray(shown, bool)
        count, classes = shown.shape
        fields = {
            "ids": np.array([f"i{row:04d}" for row in range(count)]),
            "logits": logits,
            "features": np.zeros((count, 0), np.float32),
            "truth": labels.SparseLabels.from_dense(shown),
            "unlisted_is_absent": True,
            "group": np.zeros(count, np.int32),
            "group_names": ("here",),
            "training_counts": shown.sum(axis=0).astype(np.int64) * 2,
            "vocabulary": labels.Vocabulary(tuple("abcdefgh"[:classes])),
            "source": {"split": "test"},
        }
        return predictions.Predictions(**fields | changes)

    return make


@pytest.fixture
def clustered(make_predictions):
    """600 images of 3 exclusive classes whose features tell them apart, some of them
    labelled wrongly; returns (predictions, {row: (true, given)})."""
    generator = np.random.default_rng(0)
    true = np.repeat([0, 1, 2], (360, 180, 60))
    features = generator.normal(size=(600, 6)).astype(np.float32)
    features[np.arange(600), true] += 4
    given = true.copy()
    wrong = generator.choice(600, 30, replace=False)
    given[wrong] = (true[wrong] + generator.integers(1, 3, 30)) % 3
    shown = np.arange(3) == given[:, None]
    # a network that has learnt its labels by heart
    logits = np.where(shown, 5.0, -5.0)
    made = make_predictions(
        logits, shown, features=features, source={"split": "train"},
        kernel=np.zeros((6, 3), np.float32), bias=np.zeros(3, np.float32),
    )  # fmt: skip
    return made, {int(row): (int(true[row]), int(given[row])) for row in wrong}


@pytest.fixture
def twins(make_predictions):
    """Four classes; b and c are given by chance where either is shown."""
    generator = np.random.default_rng(0)
    true = np.arange(400) % 4
    shown = np.arange(4) == true[:, None]
    logits = np.where(shown, 3.0, -3.0) + generator.normal(size=(400, 4))
    either = (true == 1) | (true == 2)
    coin = generator.random(400) < 0.5
    logits[either, 1] = np.where(coin[either], 2, -2) + generator.normal(size=200)
    logits[either, 2] = np.where(coin[either], -2, 2) + generator.normal(size=200)
    return make_predictions(logits, shown)


@pytest.fixture
def triplets(make_predictions):
    """Five classes; of b, c and d one is given by chance where any is shown."""
    generator = np.random.default_rng(1)
    true = np.arange(1000) % 5
    shown = np.arange(5) == true[:, None]
    logits = np.where(shown, 3.0, -3.0) + generator.normal(size=shown.shape)
    alike = (true > 0) & (true < 4)
    drawn = generator.integers(1, 4, alike.sum())[:, None] == np.arange(1, 4)
    noise = generator.normal(size=drawn.shape)
    logits[alike, 1:4] = np.where(drawn, 2, -2) + noise
    return make_predictions(logits, shown)
