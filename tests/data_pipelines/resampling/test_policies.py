"""Rates sum to the epoch, follow their formulas, and what they do is said."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipelines import labels
from data_pipelines.resampling import exposure, policies
from data_pipelines.resampling import long_tail as long_tails


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
    for power in (0.0, 0.5, 1.0, 2.0):
        rates = policies.rates(long_tail, policy, 500, power=power)
        assert rates.shape == (2 if policy == "rarest_or_average" else 1, 800)
        np.testing.assert_allclose(rates.sum(axis=1), 500)
        assert (rates > 0).all()


def test_each_policy_follows_its_formula(long_tail):
    """Against plain statements of the formulas, image by image."""
    present = long_tail.labels.multi_hot()
    # "no label" is a class of its own
    shown = np.concatenate([present, ~present.any(axis=1, keepdims=True)], axis=1)
    counts, total = shown.sum(axis=0), len(shown)
    mine = [counts[row].tolist() for row in shown]
    roots = [min(n) ** 0.5 for n in mine]
    low, high = min(roots), max(roots)
    pairs = np.array([shown[long_tail.group == g].sum(axis=0) for g in range(2)])
    expected = {
        ("none", ()): [1 for _ in mine],
        ("rarest_label", ()): [max(1 / n for n in ns) for ns in mine],
        ("class_aware", ()): [sum(1 / n for n in ns) for ns in mine],
        ("repeat_factor", ()): [
            max(max(1, (0.05 / (n / total)) ** 0.5) for n in ns) for ns in mine
        ],
        ("effective_number", (("beta", 0.99),)): [
            max((1 - 0.99) / (1 - 0.99**n) for n in ns) for ns in mine
        ],
        ("root_linear", ()): [
            (100 * (1 - (root - low) / (high - low)) + 1) / 100 for root in roots
        ],
        ("class_group", ()): [
            sum(1 / pairs[group, c] for c in np.flatnonzero(row))
            for row, group in zip(shown, long_tail.group, strict=True)
        ],
        ("group_balanced", ()): [
            1 / (long_tail.group == group).sum() for group in long_tail.group
        ],
    }
    assert {policy for policy, _ in expected} == {*policies.POLICIES} - {
        "rarest_or_average"
    }
    for (policy, settings), weights in expected.items():
        (rates,) = policies.rates(long_tail, policy, 500, **dict(settings))
        np.testing.assert_allclose(
            rates, 500 * np.array(weights) / sum(weights), err_msg=policy
        )


def test_the_coin_is_between_the_rarest_label_and_the_average_count(long_tail):
    present = long_tail.labels.multi_hot()
    shown = np.concatenate([present, ~present.any(axis=1, keepdims=True)], axis=1)
    counts = shown.sum(axis=0)
    rarest = [counts[row].min() for row in shown]
    average = [counts[row].mean() for row in shown]
    # both ends of the clip are met
    assert min(rarest) < 60
    assert max(average) > 300
    rates = policies.rates(long_tail, "rarest_or_average", 500, least=60.0, most=300.0)
    for found, counted in zip(rates, (rarest, average), strict=True):
        weights = np.array([300 / min(max(n, 60), 300) for n in counted])
        np.testing.assert_allclose(found, 500 * weights / weights.sum())


def test_asbudhkars_weights_are_those_of_the_rarest_label(long_tail):
    """T / (L n): what is the same for every image makes no difference to draws."""
    present = long_tail.labels.multi_hot()
    shown = np.concatenate([present, ~present.any(axis=1, keepdims=True)], axis=1)
    rarest = np.array([shown.sum(axis=0)[row].min() for row in shown])
    weights = rarest.sum() / (200 * rarest)
    np.testing.assert_allclose(
        policies.rates(long_tail, "rarest_label", 500)[0],
        500 * weights / weights.sum(),
    )


def test_the_effective_number_goes_from_none_to_the_rarest_label(long_tail):
    for beta, same in ((0.0, "none"), (1 - 1e-12, "rarest_label")):
        np.testing.assert_allclose(
            policies.rates(long_tail, "effective_number", 500, beta=beta),
            policies.rates(long_tail, same, 500),
            rtol=1e-6,
        )


def test_effective_numbers_of_cifar_10_long_tail_weigh_its_images():
    """Class totals of the draws are n_c (1 - b) / (1 - b^n_c), scaled."""
    counts = long_tails.long_tail_counts(10, 5000, 100)
    table = make_table([[c] for c, n in enumerate(counts) for _ in range(n)], None, 10)
    for beta in (0.9, 0.99, 0.999, 0.9999):
        rates = policies.rates(table, "effective_number", 12_406, beta=beta)
        after = exposure.measure(table, rates, "effective_number").after
        weights = (1 - beta) / (1 - beta**counts)
        np.testing.assert_allclose(after, 12_406 * counts * weights
                                   / (counts * weights).sum(), rtol=1e-9)  # fmt: skip


def test_every_pair_of_class_and_group_is_shown_alike():
    table = make_table([[0]] * 60 + [[1]] * 30 + [[1]] * 9 + [[2]],
                       groups=[0] * 60 + [0] * 30 + [1] * 9 + [2])  # fmt: skip
    (rates,) = policies.rates(table, "class_group", 400)
    for start, end in ((0, 60), (60, 90), (90, 99), (99, 100)):
        assert rates[start:end].sum() == pytest.approx(100)


def test_equally_common_labels_weigh_alike_linearly_in_the_root():
    table = make_table([[0], [1], [2], [3]])
    np.testing.assert_allclose(policies.rates(table, "root_linear", 8), [[2, 2, 2, 2]])


def test_class_aware_shows_every_class_alike_when_images_have_one_label():
    table = make_table([[0]] * 90 + [[1]] * 9 + [[2]])
    measured = exposure.measure(
        table, policies.rates(table, "class_aware", 300), "class_aware"
    )
    np.testing.assert_allclose(measured.after[:3], 100)


def test_the_power_tempers_the_balance():
    table = make_table([[0]] * 90 + [[1]] * 10)
    for policy in ("rarest_label", "class_aware", "class_group"):
        for power, ratio in ((0.0, 9.0), (0.5, 3.0), (1.0, 1.0)):
            (rates,) = policies.rates(table, policy, 100, power=power)
            assert rates[:90].sum() / rates[90:].sum() == pytest.approx(ratio)


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_the_power_is_taken_of_the_weights_of_any_policy(long_tail, policy):
    whole = policies.rates(long_tail, policy, 500)
    tempered = policies.rates(long_tail, policy, 500, power=0.3)
    for one, other in zip(whole, tempered, strict=True):
        expected = one**0.3 / (one**0.3).sum() * 500
        np.testing.assert_allclose(other, expected)
    np.testing.assert_allclose(
        policies.rates(long_tail, policy, 500, power=0.0)[0], 500 / 800
    )


def test_groups_are_balanced_and_an_empty_one_does_no_harm():
    table = make_table([[0]] * 10, groups=[0] * 8 + [1] * 2)
    (rates,) = policies.rates(table, "group_balanced", 20)
    assert rates[:8].sum() == pytest.approx(rates[8:].sum())


def test_yield_is_that_of_rejection_sampling():
    """min_i p_i / t_i: 0.2 for 90/10 → 50/50, 0.02 for 99/1 → 50/50."""
    for common, rare, expected in ((90, 10, 0.2), (99, 1, 0.02)):
        table = make_table([[0]] * common + [[1]] * rare)
        rates = policies.rates(table, "rarest_label", 100)
        measured = exposure.measure(table, rates, "rarest_label")
        assert measured.yield_ == pytest.approx(expected)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.sampled_from([p for p in policies.POLICIES if p != "rarest_or_average"]),
)
def test_yield_is_the_least_ratio_of_shares_before_and_after(counts, policy):
    """min_c p_c / t_c of single-label data, p the shares of the data and t the aim's.

    Rejection keeps an image of class c with probability (t_c / p_c) / max, so that of
    all that is read sum_c p_c (t_c / p_c) / max = 1 / max_c (t_c / p_c) is kept.
    """
    classes = len(counts)
    table = make_table([[c] for c, n in enumerate(counts) for _ in range(n)], None,
                       classes)  # fmt: skip
    measured = exposure.measure(table, policies.rates(table, policy, 100), policy)
    before = np.array(counts) / sum(counts)
    after = measured.after / measured.after.sum()
    assert measured.yield_ == pytest.approx((before / after).min())


def test_the_yield_of_alternatives_is_draws_over_mean_reads():
    table = make_table([[0]] * 90 + [[1]] * 10)
    rates = np.stack([np.repeat([50 / 90, 50 / 10], [90, 10]), np.full(100, 1.0)])
    measured = exposure.measure(table, rates, "rarest_or_average")
    # at yields of 0.2 and 1, 100 draws take 500 and 100 reads
    assert measured.yield_ == pytest.approx(100 / 300)
    assert (measured.draws, measured.alternatives) == (100, 2)
    np.testing.assert_allclose(measured.after[:2], [(50 + 90) / 2, (50 + 10) / 2])
    # the common are drawn 50/90 of the time in one alternative, else all are seen
    assert measured.distinct == pytest.approx((50 + 10 + 100) / 2)
    assert "one of 2 alternatives" in exposure.text(measured)
    assert measured.to_json()["alternatives"] == 2


def test_rejection_keeps_the_share_that_was_said():
    """The binomial bound on a simulated rejection of 20,000 reads."""
    table = make_table([[0]] * 90 + [[1]] * 9 + [[2]])
    (rates,) = rates_of_one = policies.rates(table, "class_aware", 100)
    said = exposure.measure(table, rates_of_one, "class_aware").yield_
    generator = np.random.default_rng(0)
    read = generator.integers(0, 100, 20_000)
    kept = generator.random(20_000) < rates[read] / rates.max()
    sigma = np.sqrt(said * (1 - said) / 20_000)
    assert abs(kept.mean() - said) < 4 * sigma
    shares = np.bincount(np.repeat([0, 1, 2], [90, 9, 1])[read[kept]]) / kept.sum()
    assert np.abs(shares - 1 / 3).max() < 4 * np.sqrt(2 / 9 / kept.sum())


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
    rates = np.array([[2.0, 1.0, 3.0, 4.0]])
    measured = exposure.measure(table, rates, "none")
    np.testing.assert_allclose(measured.known, [3, 4])
    np.testing.assert_allclose(
        measured.shares(), [(3 + 1) / (3 + 2), (3 + 1) / (4 + 2)]
    )
    measured = exposure.measure(closed, rates, "none")
    np.testing.assert_allclose(measured.known, [10, 10])


@pytest.mark.parametrize("others", ["none", "absent", "unknown"])
def test_a_draw_that_shows_one_label_counts_for_each_in_proportion(others):
    table = make_table([[0], [0, 1], [1], [0, 1, 2], []], classes=3)
    rates = np.array([[2.0, 1.0, 3.0, 0.0, 4.0]])
    measured = exposure.measure(table, rates, "none", others)
    after = [2 + 1, 1 + 3] if others == "none" else [2 + 1 / 2, 1 / 2 + 3]
    np.testing.assert_allclose(measured.after[:2], after)
    assert ("shows one of its image's labels" in exposure.text(measured)) == (
        others != "none"
    )
    unknown = 0.5 if others == "unknown" else 0
    np.testing.assert_allclose(measured.known[:2], 10 - unknown)
    before = [3, 3, 1] if others == "none" else [11 / 6, 11 / 6, 1 / 3]
    np.testing.assert_allclose(measured.before, 2 * np.array(before))


@pytest.mark.parametrize(
    ("policy", "settings", "said"),
    [
        ("class_aware", {"beta": 0.9}, "no such setting. Expected: power. .* beta"),
        ("class_aware", {"power": -1.0}, "power .*Received: -1.0"),
        ("class_aware", {"power": float("nan")}, "power .*Received: nan"),
        ("repeat_factor", {"threshold": -0.1}, "threshold .*Received: -0.1"),
        ("root_linear", {"scale": 0.0}, "scale .*Received: 0.0"),
        ("rarest_or_average", {"least": 0.0}, "least .*Received: 0.0"),
        ("rarest_or_average", {"least": 20.0, "most": 10.0}, "at least 20.* 10.0"),
        ("effective_number", {"beta": 1.0}, "beta 1.0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(long_tail, policy, settings, said):
    with pytest.raises(ValueError, match=said):
        policies.rates(long_tail, policy, 10, **settings)
