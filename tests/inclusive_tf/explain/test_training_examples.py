import numpy as np
import pytest
from scipy import spatial

from data_pipelines import labels
from inclusive_tf import predictions
from inclusive_tf.explain import training_examples


@pytest.fixture
def truth():
    random = np.random.default_rng(0)
    return labels.SparseLabels.from_dense(random.random((60, 4)) < [0.5, 0.5, 0.2, 0])


def test_the_nearest_are_those_of_the_label(truth):
    random = np.random.default_rng(1)
    queries = random.random((3, 5), np.float32)
    features = random.random((60, 5), np.float32)
    asked = [(0, 1), (2, 1), (2, 0)]
    found = training_examples.nearest(queries, asked, truth, features, k=2)
    shown = truth.multi_hot()
    for image, label in asked:
        far = spatial.distance.cdist(queries[[image]], features)[0]
        far[~shown[:, label]] = np.inf
        order = np.argsort(far)[:2]
        rows, distances = zip(*found[image, label], strict=True)
        assert list(rows) == order.tolist()
        np.testing.assert_allclose(distances, far[order], rtol=1e-5)


def test_a_label_that_training_never_shows_has_no_example(truth):
    features = np.zeros((60, 5), np.float32)
    found = training_examples.nearest(features[:1], [(0, 3)], truth, features)
    assert found == {(0, 3): []}


def test_candidates_show_the_labels_and_obey_number_and_seed(truth):
    shown = truth.multi_hot()
    rows = training_examples.candidates(truth, {0, 2, 3}, 5, seed=1)
    assert (np.diff(rows) > 0).all()
    assert shown[rows][:, [0, 2]].any(axis=1).all()
    assert shown[rows, 0].sum() >= 5
    assert len(rows) <= 10
    again = training_examples.candidates(truth, {0, 2, 3}, 5, seed=1)
    np.testing.assert_array_equal(again, rows)
    assert rows.tolist() != training_examples.candidates(truth, {0, 2}, 5, 2).tolist()
    every = training_examples.candidates(truth, {2}, 99)
    np.testing.assert_array_equal(every, np.flatnonzero(shown[:, 2]))


def test_no_labels_have_no_candidates(truth):
    assert training_examples.candidates(truth, set(), 5).shape == (0,)


def test_of_stored_features_those_of_images_that_show_a_label_are_taken(
    truth, tmp_path
):
    """In whatever order they were predicted, and though some were not."""
    vocabulary = labels.Vocabulary(("a", "b", "c", "d"))
    names = np.array([f"image {row}" for row in range(60)])
    training = labels.LabelTable(
        ids=names, locations=names, labels=truth, vocabulary=vocabulary,
        group=np.zeros(60, np.int32), group_names=("all",),
        split=np.zeros(60, np.int32), split_names=("train",),
    )  # fmt: skip
    order = np.random.default_rng(2).permutation(60)[:50]
    stored = predictions.Predictions(
        ids=names[order],
        logits=np.zeros((50, 4), np.float32),
        features=np.repeat(order[:, None], 3, axis=1).astype(np.float32),
        truth=truth.take(order),
        unlisted_is_absent=True,
        group=np.zeros(50, np.int32),
        group_names=("all",),
        training_counts=truth.counts(),
        vocabulary=vocabulary,
        source={"step": 7},
    )
    stored.save(tmp_path / "train")
    found, features = training_examples.with_features(
        tmp_path / "train", 7, None, training, [2, 3], 5
    )
    shown = set(np.flatnonzero(truth.multi_hot()[:, 2])) & set(order.tolist())
    assert found.ids.tolist() == [f"image {row}" for row in sorted(shown)]
    np.testing.assert_array_equal(features[:, 0], sorted(shown))
