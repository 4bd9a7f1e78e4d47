"""The benchmark makes files of the challenge's form and notices what is too slow."""

import numpy as np
import pytest

from data_pipelines.open_images import fused
from data_pipelines.sources import inclusive_images
from tools import parts
from tools.benchmarks import label_fusion, memory

SCALE = 0.001


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    assert label_fusion.make_files(folder, SCALE) == 1_743
    return folder


def test_files_have_the_challenges_rows_and_images(folder):
    rows = fused.read_rows(
        {source: folder / name for source, name in inclusive_images.FILES.items()}
    )
    for source, name in inclusive_images.FILES.items():
        assert len(rows[source].confidence) == round(label_fusion.ROWS[name] * SCALE)
    assert len(rows["human"].images.ids) == 1_743
    assert (rows["human"].confidence == 1).all()
    assert rows["machine"].confidence.min() == 0.5
    # things come in numbers, so entries have several boxes to unite
    counts = np.bincount(rows["box"].codes.index)
    assert counts.max() > 20 * np.median(counts)


def test_labels_follow_zipfs_law():
    drawn = label_fusion.draw_by_zipf(np.random.default_rng(0), 200_000, 100)
    counts = np.bincount(drawn, minlength=100)
    expected = 1 / np.arange(1, 101)
    np.testing.assert_allclose(
        counts[:20] / 200_000, (expected / expected.sum())[:20], rtol=0.1
    )


def test_the_trainable_labels_are_mostly_the_common_ones():
    ranks = label_fusion.trainable(np.random.default_rng(0))
    assert len(ranks) == len(set(ranks)) == label_fusion.TRAINABLE
    assert (ranks < 3_000).sum() > 2 * (ranks >= 15_000).sum()


def test_every_way_runs_and_is_measured(folder):
    found = label_fusion.measure(folder, 1_743, rounds=1)
    assert list(found) == list(label_fusion.RULES)
    for (used,) in found.values():
        assert 1e7 < used.peak < 4e9
    (read,) = found["arrow"]
    assert read.returned == pytest.approx(sum(label_fusion.ROWS.values()) * SCALE, 2)
    # an epoch as long as the data
    (fused_,) = found["fusion"]
    assert fused_.returned == pytest.approx(1_743)


def used(seconds, peak=1e9):
    return [memory.Used(one, one, 0, 0, 0, peak) for one in seconds]


@pytest.mark.parametrize(
    ("runs", "within"),
    [
        (([1, 2, 9], used([4, 6, 5]), used([20, 1, 20])), True),
        (([1.0], used([3.1]), used([9.0])), False),
        (([1.0], used([2.9]), used([10.1])), False),
        (([1.0], used([2.0], 8.1e9), used([2.0])), False),
    ],
)
def test_ratios_are_of_medians_and_bounds_are_kept_or_not(runs, within, capsys):
    arrow, fusion, union = runs
    found = {"arrow": used(arrow, 9e9), "fusion": fusion, "union": union}
    assert label_fusion.report(found, 100, 1.0) == within
    said = capsys.readouterr().out
    assert (parts.MISSED in said) == (not within)
    if within:
        assert "| time of fusion over arrow | **2.5** [0.556, 4] | at most 3 |" in said


def test_a_process_that_fails_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match=r"arrow.* failed"):
        label_fusion.measure(tmp_path, 1, rounds=1)
