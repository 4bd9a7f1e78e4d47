"""The benchmark makes files of the challenge's form and notices what is too slow."""

import numpy as np
import pytest

from data_pipelines.open_images import fused
from data_pipelines.sources import inclusive_images
from tools.benchmarks import label_fusion

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
    drawn = label_fusion._draw_labels(np.random.default_rng(0), 200_000, 100)
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
    assert set(found) == {"arrow", "fusion", "union"}
    for measured in found.values():
        assert len(measured["seconds"]) == 1
        assert 0.01 < measured["gigabytes"][0] < 4


def runs(arrow, fusion, union, gigabytes=1.0):
    return {
        way: {
            "seconds": seconds,
            "cpu_seconds": seconds,
            "gigabytes": [gigabytes] * len(seconds),
        }
        for way, seconds in (("arrow", arrow), ("fusion", fusion), ("union", union))
    }


def test_ratios_are_of_medians_and_bounds_are_kept_or_not():
    result, within = label_fusion.figures(runs([1, 2, 9], [4, 6, 5], [20, 1, 20]))
    assert result["fusion"]["ratio"] == 2.5
    assert result["union"]["ratio"] == 10
    assert within
    assert not label_fusion.figures(runs([1.0], [3.1], [9.0]))[1]
    assert not label_fusion.figures(runs([1.0], [2.9], [10.1]))[1]
    assert not label_fusion.figures(runs([1.0], [2.0], [2.0], 8.1))[1]


def test_a_process_that_fails_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="arrow failed"):
        label_fusion.measure(tmp_path, 1, rounds=1)
