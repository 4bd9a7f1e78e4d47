"""An adaptation is fitted on the tuning set alone and comes back from its folder."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import adapted, thresholds
from inclusive_tf.adaptation import folds as folds_module
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
            kernel=kernel,
            bias=bias,
        )

    return make("tuning", 200), make("stage_1", 1000)


@functools.cache
def _fitted_both():
    return adapted.fit(_world()[0], True, True)


def _score(adaptation, one):
    changed, threshold = adapted.apply(adaptation, one)
    return f2.mean_f2(changed.logits, threshold, changed.truth)


def test_each_part_helps_in_a_new_place():
    tuning, stage_1 = _world()
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
    tuning, stage_1 = _world()
    changed, threshold = adapted.apply(adapted.fit(tuning, False, False), stage_1)
    assert changed is stage_1
    assert threshold == 0.0


def test_a_threshold_alone_is_the_best_on_the_tuning_set():
    tuning, _ = _world()
    fit = thresholds.global_threshold(tuning.logits, tuning.truth)
    assert adapted.fit(tuning, False, True).threshold_logit == fit.threshold_logit


def test_it_comes_back_from_its_folder(tmp_path):
    tuning, stage_1 = _world()
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
    tuning, stage_1 = _world()
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
    _, stage_1 = _world()
    one = _fitted_both()
    vocabulary = labels.Vocabulary(("a", "b", "d", "c"))
    other = dataclasses.replace(stage_1, vocabulary=vocabulary)
    with pytest.raises(errors.DataError, match="another vocabulary"):
        adapted.apply(one, other)
    narrow = dataclasses.replace(
        stage_1, features=stage_1.features[:, :5], kernel=None, bias=None
    )
    with pytest.raises(errors.DataError, match=r"another model.*8 features"):
        adapted.apply(one, narrow)


def _of_another_run(one):
    """The same features before another last layer, as a second run might have."""
    kernel = one.kernel + np.float32(0.25)
    logits = one.features @ kernel + one.bias
    return dataclasses.replace(one, kernel=kernel, logits=logits)


@pytest.mark.parametrize("last_layer", [True, False])
def test_an_adaptation_of_another_run_is_refused(tmp_path, last_layer):
    tuning, stage_1 = _world()
    one = _fitted_both() if last_layer else adapted.fit(tuning, False, True)
    other = _of_another_run(stage_1)
    with pytest.raises(errors.DataError, match=r"of another model.*last layer"):
        adapted.apply(one, other)
    one.save(tmp_path / "adaptation")
    other.save(tmp_path / "predictions")
    with pytest.raises(errors.DataError, match="of another model"):
        adapted.load_decided(tmp_path / "predictions", tmp_path / "adaptation")
    # where a side does not say which layer it has, its width has to do
    unknown = dataclasses.replace(other, kernel=None, bias=None)
    assert len(adapted.apply(one, unknown)[0]) == len(other)


def test_adapted_predictions_carry_the_new_layer_and_are_not_adapted_again():
    _, stage_1 = _world()
    one = _fitted_both()
    changed, _ = adapted.apply(one, stage_1)
    np.testing.assert_array_equal(changed.kernel, one.kernel)
    np.testing.assert_array_equal(changed.bias, one.bias)
    with pytest.raises(errors.DataError, match="of another model"):
        adapted.apply(one, changed)


def test_a_refit_needs_the_last_layer_in_the_predictions():
    without = dataclasses.replace(_world()[0], kernel=None, bias=None)
    with pytest.raises(errors.DataError, match="predict again"):
        adapted.fit(without, True, True)
    assert adapted.fit(without, False, True).layer_hash == ""


def test_the_penalty_that_won_is_told_with_its_place_in_the_grid():
    figures = _fitted_both().figures
    best = min(figures["penalties"], key=lambda row: row["log_loss"])
    assert figures["penalty"] == best["penalty"]
    inside = (
        figures["penalties"][0] is not best and figures["penalties"][-1] is not best
    )
    assert (figures["penalty_at_end_of_grid"] is None) == inside


def test_images_of_one_cluster_stay_in_one_fold(monkeypatch):
    tuning = _world()[0]
    clustered = dataclasses.replace(tuning, cluster=np.arange(200, dtype=np.int32) // 4)
    dealt = []
    assign = folds_module.assign
    monkeypatch.setattr(
        folds_module, "assign", lambda *given: dealt.append(assign(*given)) or dealt[-1]
    )
    adapted.fit(clustered, False, True)
    adapted.fit(clustered, True, True)
    for folds in dealt:
        assert (folds.reshape(50, 4) == folds[::4, None]).all()
    assert len(dealt) == 2


def test_images_of_which_nothing_is_known_are_left_out():
    tuning, stage_1 = _world()
    # where only stated labels are known, images without one say nothing
    tuning = dataclasses.replace(tuning, unlisted_is_absent=False)
    known = np.diff(tuning.truth.offsets) > 0
    assert 0 < known.sum() < 200
    for last_layer in (False, True):
        found = adapted.fit(tuning, last_layer, True)
        alone = adapted.fit(tuning.take(known), last_layer, True)
        assert found.threshold_logit == alone.threshold_logit
        assert found.figures == alone.figures
        assert found.fitted_on["images"] == known.sum()
        assert found.fitted_on["without_known_labels"] == 200 - known.sum()
    # they stay images of the tuning set
    assert len(found.fitted_ids) == 200
    assert len(adapted.apply(found, stage_1)[0]) == 1000


@pytest.mark.parametrize("last_layer", [True, False])
def test_a_fold_that_holds_all_labels_is_named_with_the_cause(last_layer):
    tuning = _world()[0]
    rows = [[0] if row < 20 else [] for row in range(200)]
    tuning = dataclasses.replace(
        tuning,
        truth=labels.SparseLabels.from_lists(rows, 4),
        cluster=(np.arange(200) // 20).astype(np.int32),
    )
    with pytest.raises(errors.DataError, match=r"fold \d of 5 .*no image shows any"):
        adapted.fit(tuning, last_layer, True)


def test_changed_missing_and_foreign_folders_are_refused(tmp_path):
    tuning, _ = _world()
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
