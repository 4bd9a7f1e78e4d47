"""Small made-up predictions."""

import numpy as np
import pytest

from data_pipelines import labels
from inclusive_tf import predictions


@pytest.fixture
def make_predictions():
    def make(seed=0, rows=60, classes=7, unlisted_is_absent=True, truth=None):
        generator = np.random.default_rng(seed)
        dense = generator.random((rows, classes)) < np.linspace(0.6, 0.1, classes)
        if truth is None:
            truth = labels.SparseLabels.from_dense(dense)
        logits = generator.normal(size=(rows, classes)) + 2 * truth.multi_hot() - 1
        return predictions.Predictions(
            ids=np.array([f"image {row}" for row in range(rows)]),
            logits=logits.astype(np.float32),
            features=generator.normal(size=(rows, 3)).astype(np.float32),
            truth=truth,
            unlisted_is_absent=unlisted_is_absent,
            group=(np.arange(rows) % 3).astype(np.int32),
            group_names=("north", "east", "south", "nowhere"),
            training_counts=np.arange(classes)[::-1] * 10,
            vocabulary=labels.Vocabulary(tuple(f"/m/{c}" for c in range(classes))),
        )

    return make
