"""Probabilities in which an image's own labels had no say."""

import dataclasses

import numpy as np
import pytest
from scipy import special
from sklearn import neighbors

from data_pipelines import errors
from inclusive_tf.audit import out_of_sample


def logits(predictions, way, **settings):
    return out_of_sample.logits(predictions, out_of_sample.WayConfig(way, **settings))


def test_held_out_logits_count_as_they_are(clustered):
    predictions, _ = clustered
    np.testing.assert_array_equal(logits(predictions, "held_out"), predictions.logits)


@pytest.mark.parametrize("way", ["refit", "neighbours", "agreement"])
def test_wrong_labels_are_seen_through(clustered, way):
    predictions, planted = clustered
    found = logits(predictions, way)
    rows = list(planted)
    best = found[rows].argmax(axis=1)
    assert np.mean(best == [planted[row][0] for row in rows]) > 0.9


@pytest.mark.parametrize("way", ["refit", "neighbours"])
def test_an_images_own_label_has_no_say(clustered, way):
    predictions, _ = clustered
    shown = predictions.truth.multi_hot()
    shown[7] = ~shown[7]
    changed = dataclasses.replace(
        predictions, truth=type(predictions.truth).from_dense(shown)
    )
    before, after = (logits(one, way) for one in (predictions, changed))
    # the common prior moves by one image in 600
    np.testing.assert_allclose(before[7], after[7], atol=0.1)


def test_neighbours_are_those_of_scikit_learn(clustered):
    predictions, _ = clustered
    found = special.expit(logits(predictions, "neighbours", neighbours=9))
    features = np.asarray(predictions.features, np.float64)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    near = neighbors.NearestNeighbors(n_neighbors=9).fit(standard).kneighbors()[1]
    shown = predictions.truth.multi_hot()
    prior = (shown.sum(axis=0) + 0.5) / (len(shown) + 1)
    expected = (shown[near].sum(axis=1) + prior) / (9 + 1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_neighbours_are_counted_some_rows_at_a_time(clustered, monkeypatch):
    predictions, _ = clustered
    whole = logits(predictions, "neighbours", neighbours=9)
    monkeypatch.setattr(out_of_sample, "_CHUNK_CELLS", 7 * 9 * 3)
    found = logits(predictions, "neighbours", neighbours=9)
    np.testing.assert_array_equal(found, whole)


def test_images_of_one_cluster_do_not_vouch_for_each_other(clustered):
    predictions, _ = clustered
    # ten images that are the same and share one label, which nothing else has here
    features = np.array(predictions.features)
    features[:10] = features[0]
    shown = predictions.truth.multi_hot()
    shown[:10] = (False, False, True)
    cluster = np.arange(len(shown), dtype=np.int32)
    cluster[:10] = 0
    same = dataclasses.replace(
        predictions, features=features, cluster=cluster,
        truth=type(predictions.truth).from_dense(shown),
    )  # fmt: skip
    alone = dataclasses.replace(same, cluster=None)
    for way in ("refit", "neighbours"):
        with_clusters = logits(same, way, neighbours=5)[:10, 2]
        without = logits(alone, way, neighbours=5)[:10, 2]
        assert (with_clusters < without).all()


def test_a_refit_needs_features(make_predictions):
    made = make_predictions(np.zeros((20, 2)), np.eye(2, dtype=bool)[[0, 1] * 10])
    with pytest.raises(errors.DataError, match="no features"):
        logits(made, "refit")


def test_predictions_without_truth_are_refused(make_predictions):
    made = make_predictions(np.zeros((20, 2)), np.zeros((20, 2), bool))
    with pytest.raises(errors.DataError, match="no image shows any label"):
        logits(made, "held_out")


def test_an_unknown_way_is_refused():
    with pytest.raises(errors.SettingError, match="Unknown way"):
        out_of_sample.WayConfig("guess")
    with pytest.raises(errors.SettingError, match="at least 2 folds"):
        out_of_sample.WayConfig("refit", folds=1)
