"""The ways to decide what an epoch draws do the same work."""

import numpy as np
import pytest

from data_pipelines.resampling import policies
from tools import parts
from tools.benchmarks import memory, sampling, turns

SCALE = 0.001


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    assert sampling.make(folder, SCALE) == 1_743
    return folder


def test_the_labels_have_the_challenges_form(folder):
    table = sampling.table_of(folder)
    assert len(table) == 1_743
    assert np.diff(table.labels.offsets).min() >= 1
    assert 0.8 < len(table.labels.index) / (sampling.ENTRIES * SCALE) <= 1
    counts = table.labels.counts()
    assert counts[0] > 1.5 * counts[1] > 2 * counts[10]
    assert np.bincount(table.group).argmin() > 5


def test_both_ways_give_images_the_same_weights(folder):
    rates = policies.rates(sampling.table_of(folder), "class_aware", 1_743)[0]
    weights = sampling.weights_by_pandas(sampling.frame_of(folder)).to_numpy()
    np.testing.assert_allclose(rates, weights * 1_743 / weights.sum(), rtol=1e-12)


def test_both_ways_draw_an_epoch(folder):
    ways = [getattr(sampling, name) for name in sampling.BY_LABEL.values()]
    ours, theirs = (way(folder)() for way in ways)
    assert len(ours) == len(theirs) == 1_743
    rates = policies.rates(sampling.table_of(folder), "class_aware", 1_743)[0]
    often = rates > 5
    for drawn in (ours, theirs):
        counts = np.bincount(drawn, minlength=1_743)
        np.testing.assert_allclose(counts[often].sum(), rates[often].sum(), rtol=0.2)


def test_both_ways_make_groups_alike(folder):
    group = sampling.table_of(folder).group
    most = np.bincount(group).max()
    for name in sampling.BY_GROUP.values():
        drawn = getattr(sampling, name)(folder)()
        np.testing.assert_allclose(np.bincount(group[drawn]), most, rtol=0.05)
        assert len(drawn) == most * sampling.GROUPS
        # in no order of groups
        half = np.bincount(group[drawn[: len(drawn) // 2]])
        np.testing.assert_allclose(half, most / 2, rtol=0.25)


def test_draws_are_counted_in_a_process_of_its_own(folder):
    found = sampling.measure(folder, {"ours": "plan_by_label"}, rounds=1)
    (used,) = found["ours"]
    assert used.returned == 1_743
    assert 1e7 < used.peak < 1e9


@pytest.mark.parametrize(
    ("seconds", "peak", "within"), [(1.0, 9e8, True), (3.0, 9e8, False),
                                    (1.0, 1.1e9, False)]
)  # fmt: skip
def test_more_time_than_the_peers_or_a_gigabyte_is_too_much(
    seconds, peak, within, capsys
):
    found = {
        "ours": [memory.Used(seconds, seconds, 0, 0, 0, peak, 5)],
        "pandas": [memory.Used(2.0, 2.0, 0, 0, 0, 5e9, 5)],
    }
    goals = [turns.Goal("ours", "pandas", 1, "time")]
    assert sampling.report("An epoch", found, 5, goals) == within
    assert (parts.MISSED in capsys.readouterr().out) == (not within)
