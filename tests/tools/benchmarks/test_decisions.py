"""The benchmark of decisions compares like with like."""

import numpy as np
import pytest

from tools.benchmarks import decisions


def test_both_searches_find_the_same_thresholds():
    seconds, same = decisions.search(images=40, classes=12, slice_=12, rounds=1)
    assert same
    assert seconds[decisions.RECOMPUTED] > seconds[decisions.OURS]


def test_every_label_is_shown_and_scores_tell():
    logits, truth = decisions.make(30, 50)
    assert (truth.counts() > 0).all()
    shown = truth.multi_hot()
    assert logits[shown].mean() > logits[~shown].mean() + 5


def test_memory_is_measured_in_processes_of_their_own(tmp_path):
    found = decisions.memory_of_parts(60, 40, folder=tmp_path)
    assert set(found) == {"em", "expected_f2"}
    for one in found.values():
        assert one.resident >= one.own > 0
    assert list(tmp_path.iterdir()) == []


def test_the_large_file_holds_scores_of_each_image(tmp_path):
    decisions.write_large(tmp_path / "x.npy", 50, 7)
    logits = np.load(tmp_path / "x.npy")
    assert (logits.shape, logits.dtype) == ((50, 7), np.float32)
    assert (logits.std(axis=1) > 0).all()


def test_a_process_that_fails_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(decisions, "write_large", lambda *_: None)
    with pytest.raises(RuntimeError, match=r"em.* failed"):
        decisions.memory_of_parts(60, 40, folder=tmp_path)
