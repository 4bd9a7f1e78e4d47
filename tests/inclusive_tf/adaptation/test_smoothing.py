"""Labels that come together raise each other's scores, where that helps."""

import dataclasses
import functools

import numpy as np
import pytest
import scipy.sparse
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import (
    adapted,
    association_files,
    associations,
    folds,
    rules,
    smoothing,
)
from inclusive_tf.evaluation import f2

NAMES = ("table", "chair", "sky", "sea")


def _truth(generator, rows):
    """Chair comes with table and sea with sky; nothing else depends."""
    table, sky = generator.random((2, rows)) < 0.3
    chair, sea = table & (generator.random(rows) < 0.9), sky
    return np.stack([table, chair, sky, sea], axis=1)


def _predictions(name, truth, logits):
    return predictions.Predictions(
        ids=np.array([f"{name} {row}" for row in range(len(truth))]),
        logits=logits.astype(np.float32),
        features=np.zeros((len(truth), 0), np.float32),
        truth=labels.SparseLabels.from_dense(truth),
        unlisted_is_absent=True,
        group=np.zeros(len(truth), np.int32),
        group_names=("all",),
        training_counts=np.ones(len(NAMES), np.int64),
        vocabulary=labels.Vocabulary(NAMES),
        source={"split": name},
        kernel=np.zeros((0, len(NAMES)), np.float32),
        bias=np.zeros(len(NAMES), np.float32),
    )


@functools.cache
def _world():
    """A model that sees tables and skies, and hardly chairs and seas."""
    generator = np.random.default_rng(0)
    separation = np.array([4.0, 0.3, 4.0, 0.3])

    def make(name, rows):
        truth = _truth(generator, rows)
        noise = separation * generator.normal(size=truth.shape)
        logits = separation**2 * (truth - 0.5) + noise + scipy.special.logit(0.3)
        return _predictions(name, truth, logits)

    return make("tuning", 300), make("stage", 1000)


@functools.cache
def _associations():
    generator = np.random.default_rng(1)
    truth = _truth(generator, 2000)
    counts = associations.count(labels.SparseLabels.from_dense(truth))
    weights, together = associations.measure(counts)
    return associations.Associations(
        weights, together, counts.label, counts.images, labels.Vocabulary(NAMES),
        "ppmi", 0.5, np.array([f"train {row}" for row in range(2000)]),
    )  # fmt: skip


def _score(adaptation, one):
    changed, threshold = adapted.apply(adaptation, one)
    return f2.mean_f2(changed.logits, threshold, changed.truth)


def test_smoothing_adds_what_the_formula_says():
    generator = np.random.default_rng(2)
    weights = scipy.sparse.random_array((9, 9), density=0.4, rng=generator).tocsr()
    logits = generator.normal(size=(6, 9)).astype(np.float32)
    centre = generator.random(9).astype(np.float32)
    found = smoothing.Smoothing(weights, centre, 0.7).apply(logits)
    p = scipy.special.expit(logits.astype(float))
    expected = logits + 0.7 * np.array(
        [
            [sum(weights[c, j] * (row[j] - centre[j]) for j in range(9))
             for c in range(9)]
            for row in p
        ]
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_chunks_give_what_the_whole_gives(monkeypatch):
    tuning, _ = _world()
    weights = smoothing.strongest(_associations().weights)
    one = smoothing.Smoothing(weights, np.full(4, 0.3, np.float32), 1.0)
    whole = one.apply(tuning.logits)
    monkeypatch.setattr(smoothing, "_CHUNK_CELLS", 28)
    np.testing.assert_allclose(one.apply(tuning.logits), whole, rtol=1e-6)


def test_each_label_keeps_its_strongest_neighbours(monkeypatch):
    monkeypatch.setattr(smoothing, "NEIGHBOURS", 3)
    dense = np.random.default_rng(3).random((8, 8)) * (1 - np.eye(8))
    dense[5] = 0
    found = smoothing.strongest(scipy.sparse.csr_array(dense)).toarray()
    for row, kept in zip(dense, found, strict=True):
        expected = np.where(row >= np.sort(row)[-3], row, 0)
        np.testing.assert_allclose(kept, expected, rtol=1e-6)


def test_a_weakly_scored_label_is_found_by_the_one_that_it_comes_with():
    tuning, stage = _world()
    plain = adapted.fit(tuning, False, "global")
    found = adapted.fit(tuning, False, "global", associations=_associations())
    assert found.name == "associations + threshold"
    assert found.figures["associations"]["strength"] > 0
    # half of the images show nothing and score 0 whatever is given
    assert _score(found, stage) > _score(plain, stage) + 0.025
    # the estimate is about what new images show
    assert found.figures["mean_f2"] == pytest.approx(_score(found, stage), abs=0.04)
    # and it is the mean logit of no label that moved
    logits = found.smoothing.apply(tuning.logits)
    np.testing.assert_allclose(
        logits.mean(axis=0), tuning.logits.mean(axis=0), atol=1e-3
    )


def test_associations_that_do_not_help_are_not_used():
    tuning, stage = _world()
    wrong = dataclasses.replace(
        _associations(),
        # chairs with skies, seas with tables
        weights=scipy.sparse.csr_array(
            np.array([[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]], float)
        ),
    )
    found = adapted.fit(tuning, False, "global", associations=wrong)
    facts = found.figures["associations"]
    assert facts["strength"] == 0
    assert found.smoothing is None
    assert facts["strengths"][0]["mean_f2"] == max(
        row["mean_f2"] for row in facts["strengths"]
    )
    plain = adapted.fit(tuning, False, "global")
    assert _score(found, stage) == _score(plain, stage)
    assert found.threshold_logit == plain.threshold_logit
    assert len(found.fitted_ids) == len(tuning)


def test_the_smaller_strength_wins_where_none_matters():
    tuning, _ = _world()
    nothing = scipy.sparse.csr_array((4, 4), dtype=np.float32)
    fold_of = folds.assign(len(tuning), 5)
    found = smoothing.fit(nothing, tuning.logits, tuning.truth, "global", fold_of)
    assert found.facts["strength"] == 0
    scores = {row["mean_f2"] for row in found.facts["strengths"]}
    assert len(scores) == 1
    assert found.mean_f2 == scores.pop()


@pytest.mark.parametrize("rule", ["none", "global", "shrunk", "expected_f2"])
def test_the_estimate_holds_each_fold_out_of_its_own_choice(rule, monkeypatch):
    monkeypatch.setattr(smoothing, "STRENGTHS", (0.0, 0.4, 1.5))
    tuning, _ = _world()
    weights = _associations().weights
    fold_of = folds.assign(len(tuning), 4)
    found = smoothing.fit(weights, tuning.logits, tuning.truth, rule, fold_of)
    given = [
        smoothing.fit(
            weights, tuning.logits, tuning.truth, rule, fold_of, strength=strength
        ).logits
        for strength in smoothing.STRENGTHS
    ]
    quick = "global" if rule == "shrunk" else rule
    by_quick, by_rule = (
        np.array([rules.cross_fitted_f2(r, z, tuning.truth, fold_of) for z in given])
        for r in (quick, rule)
    )
    expected = np.zeros(len(tuning))
    for fold in range(4):
        inside = fold_of == fold
        choice = np.argmax(by_quick[:, ~inside].mean(axis=1))
        expected[inside] = by_rule[choice, inside]
    assert found.mean_f2 == pytest.approx(expected.mean())
    best = np.argmax(by_quick.mean(axis=1))
    assert found.facts["strength"] == smoothing.STRENGTHS[best]
    np.testing.assert_array_equal(found.logits, given[best])


def test_it_comes_back_from_its_folder_and_leaves_logits_alone(tmp_path):
    tuning, stage = _world()
    association_files.save(tmp_path / "associations", _associations())
    one = adapted.fit(
        tuning, False, "per_class", priors="counted", temperature=True,
        associations=tmp_path / "associations", association_strength=0.5,
    )  # fmt: skip
    assert one.name == (
        "temperature + counted priors + associations + thresholds per label"
    )
    one.save(tmp_path / "adaptation")
    again = adapted.load(tmp_path / "adaptation")
    before = stage.logits.copy()
    changed, threshold = adapted.apply(one, stage)
    loaded, same = adapted.apply(again, stage)
    np.testing.assert_array_equal(loaded.logits, changed.logits)
    np.testing.assert_array_equal(same, threshold)
    np.testing.assert_array_equal(stage.logits, before)
    assert changed.kernel is None
    moved = stage.logits * np.float32(one.slope) + one.intercept
    np.testing.assert_allclose(
        changed.logits, one.smoothing.apply(moved), rtol=1e-5, atol=1e-5
    )


def test_the_last_layer_is_refitted_before():
    tuning, stage = _world()
    tuning = tuning.take(np.arange(60))
    features = tuning.logits.copy()
    kernel = np.eye(4, dtype=np.float32)
    tuning = dataclasses.replace(
        tuning, features=features, kernel=kernel, bias=np.zeros(4, np.float32)
    )
    stage = dataclasses.replace(
        stage, features=stage.logits, kernel=kernel, bias=np.zeros(4, np.float32)
    )
    found = adapted.fit(
        tuning, True, "global", associations=_associations(), association_strength=1.0
    )
    changed, _ = adapted.apply(found, stage)
    layer = stage.features @ found.kernel + found.bias
    np.testing.assert_allclose(
        changed.logits, found.smoothing.apply(layer), rtol=1e-4, atol=1e-4
    )


def test_a_served_model_cannot_have_it():
    found = adapted.fit(
        _world()[0], False, "global", associations=_associations(),
        association_strength=1.0,
    )  # fmt: skip
    with pytest.raises(errors.SettingError, match="without --associations"):
        _ = found.threshold_logit


def test_images_whose_labels_were_counted_are_neither_fitted_nor_evaluated_on():
    tuning, stage = _world()
    ids = tuning.ids.copy()
    ids[3] = "train 77"
    with pytest.raises(errors.DataError, match="1 shared, first train 77"):
        adapted.fit(
            dataclasses.replace(tuning, ids=ids), False, "global",
            associations=_associations(),
        )  # fmt: skip
    found = adapted.fit(tuning, False, "global", associations=_associations())
    assert found.fitted_on["association_images"] == 2000
    ids = stage.ids.copy()
    ids[0] = "train 9"
    mixed = dataclasses.replace(stage, ids=ids)
    with pytest.raises(errors.DataError, match="shares images"):
        adapted.apply(found, mixed)
    assert len(adapted.without_fitted(found, mixed)) == len(stage) - 1


def test_what_does_not_fit_is_refused():
    tuning, stage = _world()
    other = dataclasses.replace(
        _associations(), vocabulary=labels.Vocabulary(NAMES[::-1])
    )
    with pytest.raises(errors.DataError, match="associations are of another vocab"):
        adapted.fit(tuning, False, "global", associations=other)
    with pytest.raises(errors.SettingError, match="needs associations"):
        adapted.fit(tuning, False, "global", association_strength=1.0)
    with pytest.raises(errors.SettingError, match="0 or more, received -1"):
        adapted.fit(
            tuning, False, "global", associations=_associations(),
            association_strength=-1.0,
        )  # fmt: skip
    with pytest.raises(errors.SettingError, match="labelled images of the target"):
        adapted.fit(
            tuning, False, "none", priors="em", target=stage,
            associations=_associations(),
        )  # fmt: skip
    logits = tuning.logits.copy()
    logits[2, 1] = np.nan
    one = smoothing.Smoothing(_associations().weights, np.zeros(4, np.float32), 1.0)
    with pytest.raises(errors.DataError, match="NaN"):
        one.apply(logits)
