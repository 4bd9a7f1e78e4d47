"""Shares of labels in a new place are found again, and unsure labels stay."""

import numpy as np
import pytest
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.adaptation import histograms, priors


def _place(seed, rows, shares, contrast=3.0, training_shares=None):
    """Truth of given shares, and logits calibrated for the shares of the training."""
    generator = np.random.default_rng(seed)
    truth = labels.SparseLabels.from_dense(
        generator.random((rows, len(shares))) < shares
    )
    evidence = contrast**2 * (truth.multi_hot() - 0.5)
    evidence += contrast * generator.normal(size=evidence.shape)
    training_shares = shares if training_shares is None else training_shares
    return (evidence + scipy.special.logit(training_shares)).astype(np.float32), truth


SOURCE = np.array([0.5, 0.3, 0.1, 0.05, 0.2])
TARGET = np.array([0.1, 0.5, 0.02, 0.2, 0.2])


def _em(logits, source, rounds=3000):
    """The algorithm as printed: reweigh, take the mean, again."""
    chances = scipy.special.expit(logits.astype(np.float64))
    share = source.copy()
    for _ in range(rounds):
        present = chances * share / source
        absent = (1 - chances) * (1 - share) / (1 - source)
        share = (present / (present + absent)).mean(axis=0)
    return share


def test_the_limit_of_em_is_found():
    _, source_truth = _place(0, 4000, SOURCE)
    logits, _ = _place(1, 3000, TARGET, contrast=2.0, training_shares=SOURCE)
    found = priors.em(source_truth, logits)
    expected = _em(logits, found.source)
    np.testing.assert_allclose(found.target, expected, rtol=2e-3)
    np.testing.assert_allclose(
        found.shift,
        scipy.special.logit(found.target) - scipy.special.logit(found.source),
    )


def test_em_and_bbse_find_the_shares_of_the_target():
    source_logits, source_truth = _place(0, 8000, SOURCE)
    logits, _ = _place(1, 8000, TARGET, training_shares=SOURCE)
    for found in (
        priors.em(source_truth, logits),
        priors.bbse(source_logits, source_truth, logits),
    ):
        np.testing.assert_allclose(found.target, TARGET, atol=0.015)
        assert (found.kept, found.clipped) == ({}, 0)


def test_a_calibration_line_is_applied_first():
    _, source_truth = _place(0, 4000, SOURCE)
    logits, _ = _place(1, 4000, TARGET, training_shares=SOURCE)
    plain = priors.em(source_truth, logits)
    lined = priors.em(source_truth, (logits - 0.7) / 0.5, slope=0.5, offset=0.7)
    np.testing.assert_allclose(lined.target, plain.target, rtol=5e-3)


def test_bbse_is_the_solution_of_its_two_equations():
    source_logits, source_truth = _place(0, 500, SOURCE, contrast=1.0)
    logits, _ = _place(1, 400, TARGET, 1.0, SOURCE)
    found = priors.bbse(source_logits, source_truth, logits)
    shown = source_truth.multi_hot()
    for label in range(5):
        count = shown[:, label].sum()
        cut = np.sort(source_logits[:, label])[-count]
        given = source_logits[:, label] >= cut
        rates = np.array(
            [given[shown[:, label]].mean(), given[~shown[:, label]].mean()]
        )
        confusion = np.array([rates, 1 - rates])
        predicted = (logits[:, label] >= cut).mean()
        share, _ = np.linalg.solve(confusion, [predicted, 1 - predicted])
        assert found.target[label] == pytest.approx(np.clip(share, 0.5 / 401, 1), 1e-6)


def test_labels_that_say_too_little_stay_and_are_counted():
    shares = np.array([0.3, 0.002, 0.3])
    source_logits, source_truth = _place(0, 1000, shares)
    source_logits[:, 2] = np.random.default_rng(0).normal(size=1000)
    target = _place(1, 1000, np.array([0.4, 0.3, 0.6]), 3.0, shares)[0]
    found = priors.bbse(source_logits, source_truth, target)
    assert found.shift[0] > 0.2
    assert (found.shift[1:] == 0).all()
    assert sum(found.kept.values()) == 2
    assert any("fewer than 5 source images" in note for note in found.notes())
    assert priors.em(source_truth, target).shift[1] == 0


def test_a_share_that_explodes_is_clipped_and_counted():
    _, source_truth = _place(0, 2000, np.array([0.01]))
    target = np.full((500, 1), 12.0, np.float32)
    found = priors.em(source_truth, target)
    assert found.shift[0] == pytest.approx(priors.LARGEST_SHIFT)
    assert (found.clipped, "cut" in found.notes()[0]) == (1, True)


def test_counted_priors_make_the_mean_probability_the_share():
    logits, truth = _place(0, 600, TARGET, training_shares=SOURCE)
    found = priors.counted(logits, truth)
    mean = scipy.special.expit(logits + found.shift).mean(axis=0)
    np.testing.assert_allclose(mean, found.target, rtol=2e-3)
    # each label was seen: half an image is added on each side
    np.testing.assert_allclose(found.target, (truth.counts() + 0.5) / 601)


def test_labels_never_seen_share_what_labels_seen_once_have():
    truth = labels.SparseLabels.from_lists([[0], [0], [1], [], [0, 2]], 12)
    found = priors.counted(np.zeros((5, 12), np.float32), truth)
    pseudo = 2 / 9  # two labels were seen once, nine never
    np.testing.assert_allclose(found.target[3:], pseudo / (5 + 2 * pseudo))


def test_only_stated_labels_count_where_the_others_are_unknown():
    dense = np.array([[1, 0, 0], [1, 0.25, 0], [0.25, 1, 0]])
    truth = labels.SparseLabels.from_dense(dense)
    logits = np.array([[3, 99, 1], [1, -1, 1], [0, 2, 1]], np.float32)
    found = priors.counted(logits, truth, unlisted_is_absent=False)
    alone = priors.counted(
        np.array([[3], [1], [0]], np.float32),
        labels.SparseLabels.from_lists([[0], [0], []], 1),
    )
    assert found.shift[0] == pytest.approx(alone.shift[0], abs=0.01)
    assert (found.shift[2], found.kept) == (0, {"never stated": 1})


def test_a_histogram_counts_every_score_once_whatever_the_chunks(monkeypatch):
    logits = np.random.default_rng(0).normal(0, 20, (100, 3)).astype(np.float32)
    whole = histograms.count(logits, slope=0.5)
    monkeypatch.setattr(histograms, "_CHUNK_CELLS", 7)
    np.testing.assert_array_equal(histograms.count(logits, slope=0.5), whole)
    assert (whole.sum(axis=1) == 100).all()
    edges = np.linspace(-20, 20, histograms.BINS + 1)
    expected, _ = np.histogram(np.clip(logits[:, 0] * 0.5, -20, 20), edges)
    assert np.abs(np.cumsum(expected) - np.cumsum(whole[0])).max() <= 1


def test_truth_without_labels_and_other_widths_are_refused():
    nothing = labels.SparseLabels.from_lists([[], []], 2)
    with pytest.raises(errors.DataError, match="no image shows any label"):
        priors.counted(np.zeros((2, 2), np.float32), nothing)
    one = labels.SparseLabels.from_lists([[0], []], 2)
    with pytest.raises(errors.DataError, match="do not fit the source"):
        priors.em(one, np.zeros((4, 3), np.float32))
