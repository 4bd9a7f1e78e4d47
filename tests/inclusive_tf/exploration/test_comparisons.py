"""Figures that compare, against pandas, SciPy and simulation."""

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies
from scipy import stats

from inclusive_tf.exploration import groups, intervals, sampling, shift

SEEDS = strategies.integers(0, 10_000)
CHECKED = hypothesis.settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_group_shares_and_distances_are_those_of_pandas(random_table, seed):
    table = random_table(seed)
    found = groups.group_by_label(
        table.labels.present(), table.group, table.group_names, table.vocabulary, 50
    )
    frame = pd.DataFrame(table.labels.multi_hot().astype(float))
    names = np.array(table.group_names)[table.group]
    shares = frame.groupby(names).mean()
    sums = frame.groupby(names).sum()
    mixes = sums.div(sums.sum(axis=1), axis=0)
    whole = frame.sum() / frame.sum().sum()
    position = table.vocabulary.index()
    for number, group in enumerate(found["groups"]):
        assert group["images"] == (names == group["name"]).sum()
        assert group["assignments"] == sums.loc[group["name"]].sum()
        expected = (mixes.loc[group["name"]] - whole).abs().sum() / 2
        assert group["distance"] == pytest.approx(expected)
        for label in found["labels"]:
            assert label["shares"][number] == pytest.approx(
                shares.loc[group["name"], position[label["id"]]]
            )


def test_a_group_without_labels_has_no_distance(random_table):
    table = random_table()
    lonely = np.zeros(len(table), np.int32)
    lonely[np.flatnonzero(np.diff(table.labels.offsets) == 0)[:3]] = 1
    found = groups.group_by_label(
        table.labels.present(), lonely, ("a", "b"), table.vocabulary, 50
    )
    assert found["groups"][1]["images"] == 3
    assert found["groups"][1]["distance"] is None


def test_groups_without_images_are_not_shown(random_table):
    table = random_table(groups=2)
    found = groups.group_by_label(
        table.labels.present(), table.group, ("a", "b", "empty"), table.vocabulary, 50
    )
    assert {group["name"] for group in found["groups"]} == {"a", "b"}
    alone = groups.group_by_label(
        table.labels.present(), table.group * 0, ("a", "b"), table.vocabulary, 50
    )
    assert alone == {"missing": "all images are of one group"}


def test_chance_is_about_what_groups_drawn_at_random_have(random_table):
    table = random_table(images=2000, density=0.6)
    present = table.labels.present()
    generator = np.random.default_rng(0)
    measured = []
    for _ in range(60):
        group = np.zeros(2000, np.int32)
        group[generator.permutation(2000)[:150]] = 1
        measured.append(groups.distances(groups.group_labels(present, group, 2)))
    expected = groups.chance(np.array([1850, 150]), present.counts(), 2000)
    np.testing.assert_allclose(np.mean(measured, axis=0), expected, rtol=0.12)


def test_chance_is_the_mean_deviation_of_a_binomial_count():
    size, images = 20, 10**9
    counts = np.array([3 * 10**8])
    outcomes = np.arange(size + 1)
    deviation = np.abs(outcomes - 6) @ stats.binom.pmf(outcomes, size, 0.3)
    found = groups.chance(np.array([size]), counts, images)
    assert found[0] == pytest.approx(deviation / 6 / 2, rel=1e-6)


@CHECKED
@hypothesis.given(strategies.integers(1, 5000), strategies.floats(0, 1))
def test_wilson_is_that_of_scipy(trials, share):
    successes = round(share * trials)
    low, high = intervals.wilson(np.array([successes]), trials)
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_of_nothing_has_no_value():
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert intervals.share(0, 0) == nothing
    low, high = intervals.wilson(3, 12)
    assert intervals.share(3, 12) == {"value": 0.25, "low": low, "high": high, "n": 12}


def test_the_ratio_of_shares_holds_its_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    first = generator.binomial(20_000, 0.1, 4000)
    second = generator.binomial(1000, 0.05, 4000)
    value, low, high = intervals.log_ratio(first, 20_000, second, 1000)
    assert np.mean(value) == pytest.approx(-1, abs=0.02)
    assert 0.94 < np.mean((low <= -1) & (high >= -1)) < 0.96


@CHECKED
@hypothesis.given(seed=SEEDS)
def test_the_shift_is_that_of_pandas_and_in_order_of_ratio(random_table, seed):
    table = random_table(seed)
    sides = []
    for name in table.split_names:
        part = table.select_split(name)
        sides.append((name, part.labels.counts(), len(part)))
    found = shift.label_shift(*sides, table.vocabulary, 6)
    frame = pd.DataFrame(
        {name: counts / size for name, counts, size in sides},
        index=list(table.vocabulary.ids),
    )
    change = (frame.tuning - frame.train).abs()
    shown = [label["id"] for label in found["labels"]]
    others = change.drop(shown)
    assert others.empty or change[shown].min() >= others.max() - 1e-12
    for label in found["labels"]:
        for key, name in (("from", "train"), ("to", "tuning")):
            assert label[key]["share"] == pytest.approx(frame.loc[label["id"], name])
            assert label[key]["low"] <= label[key]["share"] <= label[key]["high"]
    ratios = [label["log2_ratio"]["value"] for label in found["labels"]]
    assert ratios == sorted(ratios)
    mixes = [counts / counts.sum() for _, counts, _ in sides]
    assert found["distance"] == pytest.approx(np.abs(mixes[1] - mixes[0]).sum() / 2)


def test_the_challenges_shift_of_clothing_is_told_as_it_is(random_table):
    vocabulary = random_table(classes=2).vocabulary
    found = shift.label_shift(
        ("train", np.array([610_840, 266_978]), 1_743_042),
        ("stage_1", np.array([58, 4525]), 32_088),
        vocabulary,
        30,
    )
    clothing = found["labels"][0]
    assert clothing["from"]["share"] == pytest.approx(0.350, abs=1e-3)
    assert clothing["to"]["share"] == pytest.approx(0.0018, abs=1e-4)
    assert clothing["log2_ratio"]["value"] == pytest.approx(
        np.log2(0.0018 / 0.35), abs=0.1
    )


@CHECKED
@hypothesis.given(
    strategies.lists(strategies.integers(0, 50), min_size=1, max_size=12),
    strategies.integers(0, 300),
)
def test_a_sample_is_shared_out_as_evenly_as_it_can_be(sizes, total):
    taken = sampling.allocate(sizes, total)
    assert taken.sum() == min(total, sum(sizes))
    assert (taken <= sizes).all()
    could_give = taken < np.array(sizes)
    if could_give.any():
        assert taken.max() <= taken[could_give].min() + 1


@CHECKED
@hypothesis.given(seed=SEEDS, total=strategies.integers(0, 260))
def test_a_stratified_sample_has_no_repeats_and_keeps_small_strata(seed, total):
    generator = np.random.default_rng(seed)
    strata = generator.choice([3, 7, 900], 200, p=[0.9, 0.07, 0.03])
    rows = sampling.stratified(strata, total, np.random.default_rng(seed))
    assert len(np.unique(rows)) == len(rows) == min(total, 200)
    names, sizes = np.unique(strata, return_counts=True)
    expected = dict(zip(names, sampling.allocate(sizes, total), strict=True))
    for name in names:
        assert (strata[rows] == name).sum() == expected[name]


def test_ranks_are_spread_evenly_with_both_ends():
    assert sampling.spread(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert sampling.spread(101, 5).tolist() == [0, 25, 50, 75, 100]
