"""Effects of attributes and their tests, beside SciPy's and scikit-learn's."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from inclusive_tf.audit import looks, rank_tests


def one_stratum(seed=0, ties=False):
    generator = np.random.default_rng(seed)
    is_first = generator.random(90) < 0.3
    values = generator.normal(size=90) + 0.6 * is_first
    return (np.round(values) if ties else values), is_first, np.zeros(90, int)


@pytest.mark.parametrize("ties", [False, True], ids=["plain", "ties"])
def test_one_stratum_is_the_test_of_mann_and_whitney(ties):
    values, is_first, strata = one_stratum(ties=ties)
    found = rank_tests.effect(values, is_first, strata)
    expected = stats.mannwhitneyu(
        values[is_first], values[~is_first], use_continuity=False, method="asymptotic"
    )
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.value == pytest.approx(metrics.roc_auc_score(is_first, values))
    assert (found.first, found.others) == (is_first.sum(), (~is_first).sum())


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    truth = stats.norm.cdf(0.6 / np.sqrt(2))
    inside = 0
    for seed in range(400):
        low, high = rank_tests.effect(*one_stratum(seed)).ends(0.95)
        inside += low <= truth <= high
    assert 0.91 <= inside / 400 <= 0.98


@pytest.mark.parametrize("effect", [0.8, 0.9])
@pytest.mark.parametrize("spread", [1.0, 2.0])
@pytest.mark.parametrize("sizes", [(10, 10), (10, 300), (30, 30)], ids=str)
def test_intervals_of_few_images_and_strong_effects_hold_the_truth(
    effect, spread, sizes
):
    generator = np.random.default_rng(0)
    is_first = np.arange(sum(sizes)) < sizes[0]
    shift = stats.norm.ppf(effect) * np.hypot(spread, 1)
    inside = 0
    for _ in range(150):
        values = generator.normal(size=sum(sizes))
        values[is_first] = shift + spread * values[is_first]
        found = rank_tests.effect(values, is_first, np.zeros(sum(sizes), int))
        low, high = found.ends(0.95)
        inside += low <= effect <= high
    # where the few spread more than the many, their variance is least known
    assert inside / 150 >= (0.9 if spread == 1 else 0.86)


@pytest.mark.parametrize(("first", "others"), [(0.1, 0.1), (0.8, 0.2), (0.9, 0.05)])
@pytest.mark.parametrize("sizes", [(10, 10), (100, 400)], ids=str)
def test_intervals_of_what_an_image_has_or_has_not_hold_the_truth(first, others, sizes):
    generator = np.random.default_rng(1)
    is_first = np.arange(sum(sizes)) < sizes[0]
    inside, made = 0, 0
    for _ in range(150):
        values = generator.random(sum(sizes)) < np.where(is_first, first, others)
        found = rank_tests.effect(values, is_first, np.zeros(sum(sizes), int))
        if not np.isnan(found.value):
            low, high = found.ends(0.95)
            inside += low <= (1 + first - others) / 2 <= high
            made += 1
    assert inside / made >= 0.9


def test_an_interval_over_strata_holds_the_truth():
    generator = np.random.default_rng(4)
    strata = np.repeat([0, 1, 2], (20, 60, 200))
    shift = stats.norm.ppf(0.85) * np.sqrt(2)
    inside = 0
    for _ in range(150):
        is_first = generator.random(280) < np.array([0.5, 0.2, 0.05])[strata]
        values = generator.normal(size=280) + shift * is_first + 3 * strata
        low, high = rank_tests.effect(values, is_first, strata).ends(0.95)
        inside += low <= 0.85 <= high
    assert inside / 150 >= 0.91


def two_sets(generator, effects, sizes):
    found = []
    for effect, (m, n) in zip(effects, sizes, strict=True):
        is_first = np.arange(m + n) < m
        values = generator.normal(size=m + n)
        values += is_first * stats.norm.ppf(effect) * np.sqrt(2)
        found.append(rank_tests.effect(values, is_first, np.zeros(m + n, int)))
    return rank_tests.change(*found)


@pytest.mark.parametrize("effect", [0.8, 0.95])
@pytest.mark.parametrize("sizes", [(10, 200), (100, 400)], ids=str)
def test_p_values_of_no_change_are_as_rare_as_they_say(effect, sizes):
    generator = np.random.default_rng(5)
    p_values = np.array([
        two_sets(generator, (effect, effect), ((100, 400), sizes)).p_value
        for _ in range(400)
    ])  # fmt: skip
    assert np.mean(p_values < 0.05) < 0.08
    assert np.mean(p_values < 0.01) < 0.025
    assert np.mean(p_values < 1e-3) < 0.01


def test_intervals_of_a_change_hold_the_truth():
    generator = np.random.default_rng(6)
    inside = 0
    for _ in range(150):
        found = two_sets(generator, (0.95, 0.6), ((100, 400), (15, 200)))
        low, high = found.ends(0.95)
        inside += low <= (1 + 0.6 - 0.95) / 2 <= high
        assert low <= found.value <= high
    assert 0.91 <= inside / 150 <= 0.99


def test_a_change_of_what_cannot_be_told_is_none():
    known = rank_tests.effect(*one_stratum())
    for before, here in ((known, rank_tests.NONE), (rank_tests.NONE, known)):
        assert np.isnan(rank_tests.change(before, here).p_value)


def test_opposite_complete_separations_are_a_sure_change():
    order, zeros = np.arange(40.0), np.zeros(40, int)
    up, down = (
        rank_tests.effect(order, one, zeros) for one in (order >= 20, order < 20)
    )
    found = rank_tests.change(up, down)
    assert found.p_value < 1e-9
    assert found.value == 0.0
    assert found.ends(0.95)[1] < 0.2


def test_what_makes_strata_differ_is_no_effect():
    generator = np.random.default_rng(2)
    strata = np.repeat([0, 1], 300)
    is_first = generator.random(600) < np.where(strata, 0.8, 0.2)
    values = generator.normal(size=600) + 3 * strata
    within = rank_tests.effect(values, is_first, strata)
    across = rank_tests.effect(values, is_first, np.zeros(600, int))
    assert within.p_value > 0.01
    assert across.p_value < 1e-10


def test_strata_of_one_kind_say_nothing():
    values, is_first, strata = one_stratum()
    more = np.concatenate([values, np.full(50, 100.0)])
    found = rank_tests.effect(
        more,
        np.concatenate([is_first, np.ones(50, bool)]),
        np.concatenate([strata, np.ones(50, int)]),
    )
    assert found == rank_tests.effect(values, is_first, strata)


@pytest.mark.parametrize(
    ("values", "firsts"),
    [(np.ones(40), 20), (np.arange(40.0), 2)],
    ids=["all the same", "too few"],
)
def test_what_cannot_be_told_is_none(values, firsts):
    found = rank_tests.effect(values, np.arange(40) < firsts, np.zeros(40, int))
    assert np.isnan(found.value)
    assert np.isnan(found.p_value)


def test_complete_separation_keeps_an_interval():
    found = rank_tests.effect(np.arange(40.0), np.arange(40) >= 20, np.zeros(40, int))
    low, high = found.ends(0.95)
    assert found.value == 1.0
    assert low < 1.0 == high


def test_the_false_discovery_rate_is_held():
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(300):
        believed, level = looks.believed(generator.random(40))
        alarms += believed.any()
        assert level == pytest.approx(1 - max(1, believed.sum()) * 0.05 / 40)
    assert alarms / 300 < 0.08


def test_tests_that_were_not_made_do_not_count():
    believed, level = looks.believed([0.001, np.nan, 0.9])
    assert believed.tolist() == [True, False, False]
    assert level == pytest.approx(1 - 0.05 / 2)
    assert looks.believed([np.nan])[0].tolist() == [False]
