"""Every rule is fitted, judged out of fold and applied in one way."""

import numpy as np
import pytest

from data_pipelines import errors, labels
from flags import adaptation_flags
from inclusive_tf.adaptation import (
    expected_f2,
    fitting,
    folds,
    label_thresholds,
    rules,
    shrinkage,
    thresholds,
)
from inclusive_tf.evaluation import f2


def _world(rows=120, classes=8, seed=0):
    generator = np.random.default_rng(seed)
    dense = generator.random((rows, classes)) < 1 / np.arange(2, classes + 2)
    truth = labels.SparseLabels.from_dense(dense)
    logits = 3 * truth.multi_hot() - 2 + 1.5 * generator.normal(size=dense.shape)
    return logits.astype(np.float32), truth


def test_the_flags_name_every_rule_and_every_way_to_correct_priors():
    assert tuple(rules.NAMES) == adaptation_flags.RULES
    assert tuple(fitting.PRIORS) == adaptation_flags.PRIORS


def test_each_rule_is_that_of_its_module():
    logits, truth = _world()
    fold_of = folds.assign(len(truth), 4)
    best = thresholds.global_threshold(logits, truth).threshold_logit
    expected = {
        "none": 0.0,
        "global": best,
        "per_class": label_thresholds.exact(logits, truth, best).threshold_logit,
        "per_class_third_place": (
            label_thresholds.grid_search(logits, truth).threshold_logit
        ),
        "per_class_third_place_safe": label_thresholds.grid_search(
            logits,
            truth,
            rule=label_thresholds.GridSearch(0.1, 0.9, 99, 3, 0.9),
        ).threshold_logit,
        "shrunk": shrinkage.fit(logits, truth, fold_of).threshold_logit,
    }
    for rule, threshold in expected.items():
        decision, _ = rules.fit(rule, logits, truth, fold_of)
        np.testing.assert_array_equal(decision, threshold)
    decision, _ = rules.fit("expected_f2", logits, truth, None)
    assert rules.is_expected_f2(decision)


def test_the_global_rule_is_judged_as_before():
    logits, truth = _world()
    fold_of = folds.assign(len(truth), 5)
    found = rules.cross_fitted_mean_f2("global", logits, truth, fold_of)
    assert found == thresholds.cross_fitted_mean_f2(logits, truth, fold_of)


@pytest.mark.parametrize("rule", ["per_class_third_place", "shrunk"])
def test_an_image_has_no_say_in_the_thresholds_it_is_judged_by(rule):
    logits, truth = _world()
    fold_of = folds.assign(len(truth), 4)
    inside = fold_of == 2
    decision, _ = rules.fit(
        rule, logits[~inside], truth.take(~inside), fold_of[~inside]
    )
    expected = f2.per_image(logits[inside], decision, truth.take(inside)).sum()
    rest = np.flatnonzero(~inside)
    others = 0.0
    for fold in (0, 1, 3):
        held = fold_of == fold
        found, _ = rules.fit(rule, logits[~held], truth.take(~held), fold_of[~held])
        others += f2.per_image(logits[held], found, truth.take(held)).sum()
    found = rules.cross_fitted_mean_f2(rule, logits, truth, fold_of)
    assert found == pytest.approx((expected + others) / (len(rest) + inside.sum()))


def test_a_cut_an_image_becomes_logits_that_zero_decides():
    logits, _ = _world()
    before = logits.copy()
    moved, threshold = rules.apply(rules.EXPECTED_F2, logits)
    cuts = expected_f2.cuts(logits)
    np.testing.assert_array_equal(
        moved >= threshold, logits >= cuts.threshold_logit[:, None]
    )
    np.testing.assert_array_equal(logits, before)
    again, _ = rules.apply(rules.EXPECTED_F2, logits, in_place=True)
    assert again is logits
    np.testing.assert_array_equal(again, moved)


def test_an_unknown_rule_lists_the_known_ones():
    with pytest.raises(errors.SettingError, match="none, global, per_class"):
        rules.fit("best", *_world(), None)
    logits, truth = _world()
    fold_of = folds.assign(len(truth), 2)
    with pytest.raises(errors.SettingError, match="at least 3 folds"):
        rules.cross_fitted_mean_f2("shrunk", logits, truth, fold_of)
