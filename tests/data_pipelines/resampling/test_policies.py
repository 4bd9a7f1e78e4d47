"""Rates sum to the epoch, follow their formulas, and what they do is said."""

import dataclasses

import numpy as np
import pytest

from data_pipelines import labels
from data_pipelines.resampling import exposure, policies


def make_table(rows, groups=None, classes=4):
    count = len(rows)
    return labels.LabelTable(
        ids=np.array([f"i{number}" for number in range(count)]),
        locations=np.array([f"/{number}" for number in range(count)]),
        labels=labels.SparseLabels.from_lists(rows, classes),
        vocabulary=labels.Vocabulary([f"L{label}" for label in range(classes)]),
        group=np.array(groups if groups is not None else np.zeros(count), np.int32),
        group_names=("a", "b", "c"),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


@pytest.fixture
def long_tail():
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(800):
        size = generator.integers(0, 3)
        rows.append(list(generator.choice(4, size, False, [0.7, 0.2, 0.08, 0.02])))
    return make_table(rows, generator.integers(0, 2, 800))


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_rates_sum_to_the_epoch_and_are_positive(long_tail, policy):
    rates = policies.rates(long_tail, policy, 500)
    assert rates.sum() == pytest.approx(500)
    assert (rates > 0).all()


def test_each_policy_follows_its_formula(long_tail):
    """Against plain statements of the formulas, image by image."""
    present = long_tail.labels.multi_hot()
    # "no label" is a class of its own
    shown = np.concatenate([present, ~present.any(axis=1, keepdims=True)], axis=1)
    counts, total = shown.sum(axis=0), len(shown)
    expected = {
        "rarest_label": [max(1 / counts[c] for c in np.flatnonzero(r)) for r in shown],
        "class_aware": [sum(1 / counts[c] for c in np.flatnonzero(r)) for r in shown],
        "repeat_factor": [
            max(max(1, (0.05 / (counts[c] / total)) ** 0.5) for c in np.flatnonzero(r))
            for r in shown
        ],
    }
    for policy, weights in expected.items():
        rates = policies.rates(long_tail, policy, 500)
        np.testing.assert_allclose(rates, 500 * np.array(weights) / sum(weights))


def test_class_aware_shows_every_class_alike_when_images_have_one_label():
    table = make_table([[0]] * 90 + [[1]] * 9 + [[2]])
    measured = exposure.measure(
        table, policies.rates(table, "class_aware", 300), "class_aware"
    )
    np.testing.assert_allclose(measured.after[:3], 100)


def test_the_power_tempers_the_balance():
    table = make_table([[0]] * 90 + [[1]] * 10)
    for power, ratio in ((0.0, 9.0), (0.5, 3.0), (1.0, 1.0)):
        rates = policies.rates(table, "rarest_label", 100, power=power)
        assert rates[:90].sum() / rates[90:].sum() == pytest.approx(ratio)


def test_groups_are_balanced_and_an_empty_one_does_no_harm():
    table = make_table([[0]] * 10, groups=[0] * 8 + [1] * 2)
    rates = policies.rates(table, "group_balanced", 20)
    assert rates[:8].sum() == pytest.approx(rates[8:].sum())


def test_yield_is_that_of_rejection_sampling():
    """min_i p_i / t_i: 0.2 for 90/10 → 50/50, 0.02 for 99/1 → 50/50."""
    for common, rare, expected in ((90, 10, 0.2), (99, 1, 0.02)):
        table = make_table([[0]] * common + [[1]] * rare)
        rates = policies.rates(table, "rarest_label", 100)
        measured = exposure.measure(table, rates, "rarest_label")
        assert measured.yield_ == pytest.approx(expected)


def test_effective_sample_size_is_the_number_of_images_when_all_are_alike(long_tail):
    rates = policies.rates(long_tail, "none", 400)
    measured = exposure.measure(long_tail, rates, "none")
    assert measured.effective_sample_size == pytest.approx(800)
    assert measured.distinct == pytest.approx(400)
    np.testing.assert_allclose(measured.before, measured.after)


def test_labels_that_cannot_be_balanced_are_named_with_the_reason():
    # L1 always stands beside L0, and nothing shows L3
    table = make_table([[0]] * 50 + [[0, 1]] * 50 + [[0, 2]])
    rates = policies.rates(table, "rarest_label", 300)
    said = "\n".join(exposure.measure(table, rates, "rarest_label").cannot)
    assert "L0: comes with every L1, L2" in said
    assert "L2: its 1 image(s) are drawn" in said
    assert "L3: no training image shows it" in said


def test_the_printed_form_names_totals_and_every_label(long_tail):
    rates = policies.rates(long_tail, "class_aware", 500)
    text = exposure.text(exposure.measure(long_tail, rates, "class_aware"))
    for part in ("500 draws", "yield 0.", "effective sample size", "L0", "L3"):
        assert part in text


def test_many_labels_are_cut_and_the_cut_is_said():
    table = make_table([[label] for label in range(100)], classes=100)
    rates = policies.rates(table, "none", 100)
    text = exposure.text(exposure.measure(table, rates, "none"), most=30)
    assert "(70 labels between are not shown)" in text


def test_an_unknown_policy_lists_the_known_ones(long_tail):
    with pytest.raises(
        ValueError, match=r"class_aware, repeat_factor.*Received: smote"
    ):
        policies.rates(long_tail, "smote", 10)


def test_an_epoch_without_draws_is_refused(long_tail):
    with pytest.raises(ValueError, match="0 draws"):
        policies.rates(long_tail, "none", 0)


def test_shares_are_of_the_draws_in_which_a_label_is_known():
    closed = make_table([[0], [0, 1], [1], []], classes=2)
    stated = dataclasses.replace(
        closed.labels, confidence=np.array([1, 1, 0, 1], np.float32)
    )
    closed = dataclasses.replace(closed, labels=stated)
    table = dataclasses.replace(closed, unlisted_is_absent=False)
    measured = exposure.measure(table, np.array([2.0, 1.0, 3.0, 4.0]), "none")
    np.testing.assert_allclose(measured.known, [3, 4])
    np.testing.assert_allclose(
        measured.shares(), [(3 + 1) / (3 + 2), (3 + 1) / (4 + 2)]
    )
    measured = exposure.measure(closed, np.array([2.0, 1.0, 3.0, 4.0]), "none")
    np.testing.assert_allclose(measured.known, [10, 10])
