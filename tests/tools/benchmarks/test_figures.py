"""The ways to score and to find intervals that are compared find the same."""

import numpy as np
import pytest

from inclusive_tf.evaluation import f2
from tools.benchmarks import figures


@pytest.fixture
def made(tmp_path):
    """(path of the scores, their truth)."""
    path = tmp_path / "scores.npy"
    return path, figures.make_scores(path, 50, 30)


def test_scores_show_what_is_true(made):
    path, truth = made
    scores = np.load(path)
    assert (scores.shape, scores.dtype, len(truth)) == ((50, 30), np.float32, 50)
    shown = truth.multi_hot()
    assert shown.any(axis=1).all()
    assert scores[shown].mean() > scores[~shown].mean() + 3


def test_rows_that_come_again_bring_their_truth(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "_BLOCK", 4)
    truth = figures.make_scores(tmp_path / "x.npy", 10, 30)
    scores, shown = np.load(tmp_path / "x.npy"), truth.multi_hot()
    for row in range(4, 10):
        np.testing.assert_array_equal(scores[row], scores[row % 4])
        np.testing.assert_array_equal(shown[row], shown[row % 4])


def test_each_way_finds_the_same_f2(made):
    path, truth = made
    scores = np.load(path)
    ways = figures.ways_of_f2(scores, truth, 50)
    found = {name: way() for name, way in ways.items()}
    expected = pytest.approx(f2.mean_f2(scores, figures.THRESHOLD, truth))
    assert 0.2 < found[figures.OURS][0] < 0.9
    for name in (figures.OURS, figures.DENSE, figures.SPARSE):
        assert found[name] == (expected, 50)


def test_what_takes_a_slice_is_scaled_to_all(made, monkeypatch):
    path, truth = made
    ticks = iter(range(100))
    monkeypatch.setattr(figures.time, "perf_counter", lambda: float(next(ticks)))
    found = figures.time_f2(np.load(path), truth, 10, rounds=1)
    assert found[figures.DENSE] == found[figures.SPARSE] == [5.0]


def test_memory_is_of_a_process_of_its_own(made):
    used = figures.memory_of_f2(*made)
    path, truth = made
    assert used.returned == f2.mean_f2(np.load(path), figures.THRESHOLD, truth)
    assert 0 <= used.grown < used.peak


def test_each_way_finds_the_same_intervals():
    pytest.importorskip("fairlearn")
    predicted = figures.make_predictions(400, 3, classes=20)
    ways = figures.ways_of_intervals(predicted, 400, 100)
    assert set(ways) == {figures.OURS, figures.ALL, figures.FAIRLEARN}
    found = {name: way() for name, way in ways.items()}
    assert found[figures.FAIRLEARN][2] == 100
    for name in (figures.ALL, figures.FAIRLEARN):
        for theirs, ours in zip(found[name][:2], found[figures.OURS][:2], strict=True):
            assert theirs.shape == (4,)
            # the same draws in ours, others in Fairlearn's
            tolerance = 0.02 if name == figures.FAIRLEARN else 1e-12
            np.testing.assert_allclose(theirs, ours, atol=tolerance)
