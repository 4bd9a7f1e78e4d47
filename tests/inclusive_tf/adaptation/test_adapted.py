"""An adaptation is fitted on the tuning set alone and comes back from its folder."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted, thresholds
from inclusive_tf.evaluation import f2


@functools.cache
def _world(seed=0):
    """Tuning and evaluation predictions of a layer that is wrong in this place."""
    generator = np.random.default_rng(seed)
    right = generator.normal(size=(8, 4)).astype(np.float32)
    kernel = (0.3 * right + 0.3 * generator.normal(size=(8, 4))).astype(np.float32)
    bias = np.full(4, -2.5, np.float32)

    def make(name, rows):
        features = generator.normal(size=(rows, 8)).astype(np.float32)
        chance = 1 / (1 + np.exp(1 - features @ right))
        return predictions.Predictions(
            ids=np.array([f"{name} {row}" for row in range(rows)]),
            logits=features @ kernel + bias,
            features=features,
            truth=labels.SparseLabels.from_dense(generator.random((rows, 4)) < chance),
            unlisted_is_absent=True,
            group=np.zeros(rows, np.int32),
            group_names=("here",),
            training_counts=np.ones(4, np.int64),
            vocabulary=labels.Vocabulary(("a", "b", "c", "d")),
            source={"split": name},
        )

    return make("tuning", 200), make("stage_1", 1000), kernel, bias


@functools.cache
def _fitted_both():
    tuning, _, kernel, bias = _world()
    return adapted.fit(tuning, True, True, kernel, bias)


def _score(adaptation, one):
    changed, threshold = adapted.apply(adaptation, one)
    return f2.mean_f2(changed.logits, threshold, changed.truth)


def test_each_part_helps_in_a_new_place():
    tuning, stage_1, *_ = _world()
    plain = adapted.fit(tuning, False, False)
    threshold = adapted.fit(tuning, False, True)
    both = _fitted_both()
    scores = [_score(one, stage_1) for one in (plain, threshold, both)]
    assert scores[0] + 0.05 < scores[1] < scores[2] - 0.02
    names = [one.name for one in (plain, threshold, both)]
    assert names == ["plain", "threshold", "last layer + threshold"]
    # the estimate from the tuning set is about what new images show
    assert both.figures["mean_f2"] == pytest.approx(scores[2], abs=0.08)


def test_the_plain_adaptation_changes_nothing():
    tuning, stage_1, *_ = _world()
    changed, threshold = adapted.apply(adapted.fit(tuning, False, False), stage_1)
    assert changed is stage_1
    assert threshold == 0.0


def test_a_threshold_alone_is_the_best_on_the_tuning_set():
    tuning, *_ = _world()
    fit = thresholds.global_threshold(tuning.logits, tuning.truth)
    assert adapted.fit(tuning, False, True).threshold_logit == fit.threshold_logit


def test_it_comes_back_from_its_folder(tmp_path):
    tuning, stage_1, *_ = _world()
    for part, one in {
        "threshold": adapted.fit(tuning, False, True, name="mine"),
        "both": _fitted_both(),
    }.items():
        one.save(tmp_path / part)
        loaded = adapted.load(tmp_path / part)
        for field in dataclasses.fields(one):
            expected, found = getattr(one, field.name), getattr(loaded, field.name)
            np.testing.assert_equal(found, expected)
        assert _score(loaded, stage_1) == _score(one, stage_1)


def test_images_of_the_tuning_set_are_refused_or_left_out(tmp_path):
    tuning, stage_1, *_ = _world()
    ids = stage_1.ids.copy()
    ids[5] = "tuning 7"
    mixed = dataclasses.replace(stage_1, ids=ids)
    one = adapted.fit(tuning, False, True)
    with pytest.raises(errors.DataError, match="1 shared, first tuning 7"):
        adapted.apply(one, mixed)
    assert "tuning 7" not in adapted.without_fitted(one, mixed).ids
    one.save(tmp_path / "adaptation")
    mixed.save(tmp_path / "predictions")
    folders = tmp_path / "predictions", tmp_path / "adaptation"
    with pytest.raises(errors.DataError, match="shared"):
        adapted.load_decided(*folders)
    left, threshold = adapted.load_decided(*folders, leave_out_fitted=True)
    assert (len(left), threshold) == (999, one.threshold_logit)


def test_another_vocabulary_or_model_is_refused():
    _, stage_1, *_ = _world()
    one = _fitted_both()
    vocabulary = labels.Vocabulary(("a", "b", "d", "c"))
    other = dataclasses.replace(stage_1, vocabulary=vocabulary)
    with pytest.raises(errors.DataError, match="another vocabulary"):
        adapted.apply(one, other)
    narrow = dataclasses.replace(stage_1, features=stage_1.features[:, :5])
    with pytest.raises(errors.DataError, match="another model"):
        adapted.apply(one, narrow)


def test_a_layer_that_did_not_make_the_predictions_is_refused():
    tuning, _, kernel, bias = _world()
    with pytest.raises(errors.DataError, match="not the one that made"):
        adapted.fit(tuning, True, True, kernel[::-1], bias)
    with pytest.raises(errors.DataError, match="the original one"):
        adapted.fit(tuning, True, True)


def test_changed_missing_and_foreign_folders_are_refused(tmp_path):
    tuning, *_ = _world()
    folder = tmp_path / "one"
    adapted.fit(tuning, False, True).save(folder)
    ids = folder / "fitted_ids.npy"
    ids.write_bytes(ids.read_bytes()[:-1] + b"x")
    with pytest.raises(errors.DataError, match=r"fitted_ids.npy.*sum"):
        adapted.load(folder)
    stored = json.loads((folder / "adaptation.json").read_text())
    (folder / "adaptation.json").write_text(json.dumps(stored | {"format": 9}))
    with pytest.raises(errors.DataError, match="another format"):
        adapted.load(folder)
    (folder / "adaptation.json").write_text("[]")
    with pytest.raises(errors.DataError, match="not an adaptation folder"):
        adapted.load(folder)
    with pytest.raises(errors.DataError, match="nowhere"):
        adapted.load(tmp_path / "nowhere")


def test_the_original_layer_is_read_from_a_run_or_a_file(tmp_path):
    _, _, kernel, bias = _world()
    np.savez(tmp_path / "last_layer.npz", kernel=kernel, bias=bias)
    for path in (tmp_path, tmp_path / "last_layer.npz"):
        for found, expected in zip(
            adapted.load_layer(path), (kernel, bias), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_an_unreadable_layer_is_named(tmp_path, content):
    (tmp_path / "last_layer.npz").write_bytes(content)
    with pytest.raises(errors.DataError, match=r"last_layer.npz.*cannot be read"):
        adapted.load_layer(tmp_path)


def test_a_layer_of_the_wrong_shape_is_refused(tmp_path):
    np.savez(tmp_path / "last_layer.npz", kernel=np.zeros((2, 3)), bias=np.zeros(2))
    with pytest.raises(errors.DataError, match="disagree"):
        adapted.load_layer(tmp_path)
