"""Parts of an adaptation work together, and those that cannot are refused."""

import dataclasses
import functools
import json

import numpy as np
import pytest
import scipy.sparse
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.adaptation import (
    adapted,
    associations,
    fitting,
    logit_line,
    priors,
    rules,
    temperature,
)
from inclusive_tf.evaluation import f2

CLASSES = 5
SOURCE = np.array([0.4, 0.3, 0.2, 0.1, 0.1])
TARGET = np.array([0.05, 0.1, 0.2, 0.4, 0.3])


@functools.cache
def _world():
    """Validation at home, tuning and stage abroad; one overconfident model."""
    generator = np.random.default_rng(3)
    kernel = 2 * np.eye(CLASSES, dtype=np.float32)
    bias = (2 * (scipy.special.logit(SOURCE) - 2)).astype(np.float32)

    def make(name, rows, shares):
        truth = labels.SparseLabels.from_dense(
            generator.random((rows, CLASSES)) < shares
        )
        features = 4 * truth.multi_hot() + 2 * generator.normal(size=(rows, CLASSES))
        features = features.astype(np.float32)
        return predictions.Predictions(
            ids=np.array([f"{name} {row}" for row in range(rows)]),
            logits=features @ kernel + bias,
            features=features,
            truth=truth,
            unlisted_is_absent=True,
            group=(np.arange(rows) % 5 == 0).astype(np.int32),
            group_names=("most", "few", "none"),
            training_counts=np.ones(CLASSES, np.int64),
            vocabulary=labels.Vocabulary(tuple("abcde")),
            source={"split": name},
            kernel=kernel,
            bias=bias,
        )

    return (
        make("validation", 1500, SOURCE),
        make("tuning", 300, TARGET),
        make("stage", 1500, TARGET),
    )


def _score(adaptation, one):
    changed, threshold = adapted.apply(adaptation, one)
    return f2.mean_f2(changed.logits, threshold, changed.truth)


def _loss(one):
    return temperature.fit(one.logits, one.truth).log_loss[0]


def test_without_a_label_of_the_target_its_priors_help():
    validation, _, stage = _world()
    plain = adapted.fit(validation, False, "expected_f2", temperature=True)
    for method in ("em", "bbse"):
        moved = adapted.fit(
            validation,
            False,
            "expected_f2",
            temperature=True,
            priors=method,
            target=stage,
        )
        assert _score(moved, stage) > _score(plain, stage) + 0.01
        assert moved.fitted_on["target_images"] == 1500
        changed, _ = adapted.apply(dataclasses.replace(moved, decision=0.0), stage)
        mean = scipy.special.expit(changed.logits).mean(axis=0)
        np.testing.assert_allclose(mean, TARGET, atol=0.05)


def test_every_rule_helps_on_the_tuning_set_and_outside():
    _, tuning, stage = _world()
    plain = _score(adapted.fit(tuning, False, "none"), stage)
    for rule in rules.FITTED:
        found = adapted.fit(tuning, False, rule)
        assert _score(found, stage) > plain
        assert found.figures["mean_f2"] == pytest.approx(_score(found, stage), abs=0.06)
    counted = adapted.fit(tuning, False, "global", priors="counted")
    assert _score(counted, stage) > _score(adapted.fit(tuning, False, True), stage)


def test_temperature_and_priors_are_one_line_a_label():
    _, tuning, stage = _world()
    found = adapted.fit(tuning, False, "none", temperature=True, priors="counted")
    line = temperature.fit(tuning.logits, tuning.truth)
    shift = priors.counted(
        tuning.logits, tuning.truth, True, line.slope, line.offset
    ).shift
    changed, threshold = adapted.apply(found, stage)
    expected = line.slope * stage.logits + line.offset + shift
    np.testing.assert_allclose(changed.logits, expected, atol=1e-4)
    assert (found.name, threshold) == ("temperature + counted priors", 0.0)
    # the last layer that makes these logits goes with them
    remade = stage.features @ changed.kernel + changed.bias
    np.testing.assert_allclose(changed.logits, remade, atol=1e-3)
    before, after = found.figures["temperature"]["calibration_error"]
    assert after < before


def test_a_refit_takes_calibration_and_priors_into_its_layer():
    _, tuning, stage = _world()
    found = adapted.fit(
        tuning, True, "shrunk", temperature=True, priors="counted", folds=3
    )
    assert (found.slope, found.intercept) == (1.0, None)
    changed, _ = adapted.apply(found, stage)
    np.testing.assert_allclose(
        changed.logits, stage.features @ found.kernel + found.bias, atol=1e-4
    )
    assert _loss(changed) < _loss(stage)


def test_group_balance_weighs_the_small_group_up():
    _, tuning, _ = _world()
    # in the small group label 0 follows another feature
    dense = tuning.truth.multi_hot()
    few = tuning.group == 1
    dense[few, 0] = tuning.features[few, 4] > 2
    tuning = dataclasses.replace(tuning, truth=labels.SparseLabels.from_dense(dense))
    plain = adapted.fit(tuning, True, "none", folds=3)
    balanced = adapted.fit(tuning, True, "none", folds=3, group_balanced=True)
    assert balanced.name == "group-balanced last layer"
    assert balanced.kernel[4, 0] > plain.kernel[4, 0]


def test_what_a_served_model_needs_decides_the_same():
    _, tuning, stage = _world()
    for fields in ({"priors": "counted"}, {"temperature": True}, {}):
        for rule in ("global", "shrunk"):
            found = adapted.fit(tuning, False, rule, folds=3, **fields)
            changed, threshold = adapted.apply(found, stage)
            served = stage.logits >= found.threshold_logit
            unlike = served != (changed.logits >= threshold)
            assert unlike.mean() < 1e-3  # rounding alone
    found = adapted.fit(tuning, False, "expected_f2")
    with pytest.raises(errors.SettingError, match="same for all images"):
        found.threshold_logit  # noqa: B018


def test_each_kind_comes_back_from_its_folder(tmp_path):
    _, tuning, stage = _world()
    for rule in rules.NAMES:
        found = adapted.fit(tuning, False, rule, temperature=True, priors="counted")
        found.save(tmp_path / rule)
        loaded = adapted.load(tmp_path / rule)
        for field in dataclasses.fields(found):
            np.testing.assert_equal(
                getattr(loaded, field.name), getattr(found, field.name)
            )
        assert _score(loaded, stage) == _score(found, stage)


def test_a_folder_of_the_first_format_is_read(tmp_path):
    _, tuning, stage = _world()
    found = adapted.fit(tuning, False, "global")
    found.save(tmp_path / "one")
    path = tmp_path / "one" / "adaptation.json"
    stored = json.loads(path.read_text())
    old = {k: v for k, v in stored.items() if k not in ("decision", "slope")}
    old |= {"format": 1, "threshold_logit": stored["decision"]["logit"]}
    path.write_text(json.dumps(old))
    assert _score(adapted.load(tmp_path / "one"), stage) == _score(found, stage)


def test_a_folder_with_an_unknown_rule_is_refused(tmp_path):
    _, tuning, _ = _world()
    adapted.fit(tuning, False, "global").save(tmp_path / "one")
    path = tmp_path / "one" / "adaptation.json"
    stored = json.loads(path.read_text()) | {"decision": {"rule": "coin"}}
    path.write_text(json.dumps(stored))
    with pytest.raises(errors.DataError, match="unknown rule 'coin'"):
        adapted.load(tmp_path / "one")


def test_labelled_source_images_may_not_be_evaluated_on_either():
    validation, tuning, stage = _world()
    found = adapted.fit(
        tuning, False, "global", priors="em", source=validation, target=stage
    )
    assert found.fitted_on["source_images"] == 1500
    for one in (validation, tuning):
        with pytest.raises(errors.DataError, match="shares images"):
            adapted.apply(found, one)
    assert _score(found, stage) > 0.5  # its labels were not looked at


def test_labels_of_the_target_are_not_looked_at():
    validation, _, stage = _world()
    bare = dataclasses.replace(
        stage, truth=labels.SparseLabels.from_lists([[]] * len(stage), CLASSES)
    )
    for method in ("em", "bbse"):
        fits = [
            adapted.fit(validation, False, "none", priors=method, target=target)
            for target in (stage, bare)
        ]
        np.testing.assert_array_equal(fits[0].intercept, fits[1].intercept)


def test_parts_that_do_not_go_together_are_refused():
    validation, tuning, stage = _world()
    both = {"source": validation, "target": stage}
    for fields, message in (
        ({"priors": "em"}, "from predictions of the target"),
        ({"priors": "counted", "target": stage}, "priors by EM or BBSE alone"),
        ({"source": validation}, "priors by EM or BBSE alone"),
        ({"priors": "em", "target": stage, "threshold": "shrunk"}, "labelled images"),
        ({"priors": "em", "last_layer": True} | both, "has the target's priors"),
        ({"group_balanced": True}, "last layer"),
        ({"priors": "guess"}, "none, em, bbse, counted"),
        ({"threshold": "best"}, "none, global"),
    ):
        arguments = {"last_layer": False, "threshold": "none"} | fields
        with pytest.raises(errors.SettingError, match=message):
            adapted.fit(tuning, **arguments)
    one_group = dataclasses.replace(tuning, group=np.zeros(300, np.int32))
    with pytest.raises(errors.DataError, match="at least 2 groups"):
        adapted.fit(one_group, True, "none", group_balanced=True)


def test_predictions_of_another_vocabulary_or_model_are_named():
    validation, tuning, stage = _world()
    vocabulary = labels.Vocabulary(tuple("abced"))
    other = dataclasses.replace(stage, vocabulary=vocabulary)
    with pytest.raises(errors.DataError, match=vocabulary.hash[:12]):
        adapted.fit(tuning, False, "none", priors="em", target=other)
    other = dataclasses.replace(stage, bias=stage.bias + 1)
    with pytest.raises(errors.DataError, match="different models"):
        adapted.fit(tuning, False, "none", priors="em", source=validation, target=other)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "fields",
    [
        {"threshold": "shrunk"},
        {"priors": "counted"},
        {"temperature": True},
        {"threshold": "global"},
        {},
    ],
    ids=str,
)
def test_the_first_image_with_a_logit_that_is_not_finite_is_named(value, fields):
    _, tuning, _ = _world()
    logits = tuning.logits.copy()
    logits[[7, 20], 3] = value
    tuning = dataclasses.replace(tuning, logits=logits)
    arguments = {"last_layer": False, "threshold": "none"} | fields
    message = f"image tuning 7 is not finite.*Received: {value}"
    with pytest.raises(errors.DataError, match=message):
        adapted.fit(tuning, **arguments)


def test_logits_of_source_and_target_are_finite_too(monkeypatch):
    # images far into the logits lie in another chunk
    monkeypatch.setattr(fitting, "_CHUNK_CELLS", 100)
    validation, tuning, stage = _world()
    for name in ("source", "target"):
        both = {"source": validation, "target": stage}
        logits = both[name].logits.copy()
        logits[901, 2] = np.inf
        both[name] = dataclasses.replace(both[name], logits=logits)
        with pytest.raises(errors.DataError, match=f"{both[name].ids[901]} is not"):
            adapted.fit(tuning, False, "none", priors="em", **both)


@functools.cache
def _chances():
    """Each label makes the next one likelier."""
    weights = scipy.sparse.csr_array(np.eye(CLASSES, k=1, dtype=np.float32))
    return associations.Associations(
        weights, np.ones(CLASSES - 1, int), np.full(CLASSES, 9), 20,
        labels.Vocabulary(tuple("abcde")), "ppmi", 0.5, np.array(["train"]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "estimate"),
    [
        ({}, "nothing was fitted"),
        ({"threshold": "expected_f2"}, "nothing was fitted"),
        ({"strength": 0.0}, "nothing was fitted"),
        ({"strength": 1.0}, "no rule was fitted"),
        ({"strength": 1.0, "threshold": "expected_f2"}, "no rule was fitted"),
        ({"strength": 1.0, "temperature": True}, "no rule was fitted"),
        ({"temperature": True}, "no rule was fitted"),
        ({"threshold": "global"}, "3-fold"),
        ({"threshold": "global", "temperature": True}, "3-fold"),
        ({"strength": 1.0, "threshold": "global"}, "3-fold"),
        ({"strength": 1.0, "threshold": "shrunk"}, "3-fold"),
        ({"priors": "counted"}, "3-fold"),
        ({"priors": "counted", "strength": 1.0}, "3-fold"),
        ({"last_layer": True}, "3-fold"),
        ({"last_layer": True, "threshold": "expected_f2"}, "3-fold"),
        ({"strength": None}, "3-fold, each choosing its own strength"),
    ],
    ids=str,
)
def test_an_estimate_is_called_what_it_is(fields, estimate):
    _, tuning, _ = _world()
    fields = {"last_layer": False, "threshold": "none"} | fields
    if "strength" in fields:
        fields["association_strength"] = fields.pop("strength")
        fields["associations"] = _chances()
    found = adapted.fit(tuning, folds=3, **fields)
    assert found.figures["estimate"] == estimate
    if "fold" not in estimate:
        # what was fitted is scored on the same images
        others = np.char.add(tuning.ids, " again")
        in_sample = _score(found, dataclasses.replace(tuning, ids=others))
        assert found.figures["mean_f2"] == pytest.approx(in_sample, abs=1e-12)


def test_an_estimate_by_the_target_alone_is_called_what_it_is():
    validation, tuning, stage = _world()
    fields = {"last_layer": False, "threshold": "none", "priors": "em"}
    for known, source, estimate in (
        (validation, None, "source images, before the shift"),
        (tuning, validation, "no rule was fitted"),
    ):
        found = adapted.fit(known, target=stage, source=source, **fields)
        assert found.figures["estimate"] == estimate


def test_logits_stay_where_nothing_moves_them():
    logits = np.ones((2, 3), np.float32)
    assert logit_line.move(logits, 1.0, None) is logits
