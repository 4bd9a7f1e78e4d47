"""The simulation of the challenge is what its page says."""

import numpy as np
import pytest
import scipy.special

from data_pipelines import errors, labels
from inclusive_tf.adaptation import label_thresholds
from tools.benchmarks import challenge_thresholds


def _truth(seed, rows, classes=40):
    generator = np.random.default_rng(seed)
    shown = generator.random((rows, classes)) < 1 / np.arange(2, classes + 2)
    return labels.SparseLabels.from_dense(shown)


def test_scores_are_right_for_their_prior():
    truth = _truth(0, 4000)
    share = truth.counts() / len(truth)
    scores = challenge_thresholds.Scores(scipy.special.logit(share), 2.0)
    logits = scores.draw(truth, np.random.default_rng(1))
    mean = scipy.special.expit(logits).mean(axis=0)
    np.testing.assert_allclose(mean, share, atol=0.02)
    shown = truth.multi_hot()
    difference = logits[shown].mean() - (logits - logits * shown).sum() / (~shown).sum()
    assert difference > 4


def test_worlds_know_one_share_the_outside_or_a_shifted_one():
    tuning, outside = _truth(0, 200), _truth(1, 1000)
    found = {
        world: challenge_thresholds.priors_of(world, tuning, outside, 2.0, 0)
        for world in challenge_thresholds.WORLDS
    }
    assert np.ptp(found["equal"]) == 0
    np.testing.assert_allclose(
        scipy.special.expit(found["known"]), (outside.counts() + 0.5) / 1001
    )
    assert 1 < np.std(found["shifted"] - found["known"]) < 3
    with pytest.raises(errors.SettingError, match="equal, known, shifted"):
        challenge_thresholds.priors_of("other", tuning, outside, 2.0, 0)


def test_the_noise_is_set_by_the_third_places_rule():
    tuning, outside = _truth(0, 150), _truth(1, 300)
    prior = challenge_thresholds.priors_of("equal", tuning, outside, 2.0, 0)
    scores, logits = challenge_thresholds.calibrated(prior, tuning, 0.7, seed=0)
    reached = label_thresholds.grid_search(logits, tuning).mean_f2
    assert reached == pytest.approx(0.7, abs=5e-4)
    found = challenge_thresholds.measure(tuning, outside, scores, logits, seed=0)
    assert found[challenge_thresholds.THIRD_PLACE][0] == reached
    assert all(0 < score < 1 for row in found.values() for score in row)
    with pytest.raises(errors.DataError, match="no noise"):
        challenge_thresholds.calibrated(prior, tuning, 1.5, seed=0)


def test_the_verdict_holds_for_every_seed():
    theirs, ours = challenge_thresholds.THIRD_PLACE, challenge_thresholds.SHRUNK
    found = {theirs: [(0.6, 0, 0.4)] * 2, ours: [(0.46, 0, 0.42), (0.5, 0, 0.41)]}
    assert challenge_thresholds.verdict(found) == pytest.approx((-0.04, 0.01))
    found[ours][1] = (0.43, 0, 0.39)
    assert challenge_thresholds.verdict(found) == pytest.approx((0.01, -0.01))
    lines = challenge_thresholds.table(found)
    assert lines[1].endswith("0.200 [0.200, 0.200]")


def test_the_challenges_own_files_are_read(real_data):
    folder = real_data / "inclusive_images"
    if not folder.is_dir():
        pytest.skip("no files of the challenge")
    from data_pipelines.sources import inclusive_images

    config = inclusive_images.InclusiveImagesConfig(data_dir=str(folder))
    table, _ = inclusive_images.read_with_notes(config)
    sizes = [len(table.select_split(name)) for name in ("tuning", "stage_1")]
    assert (sizes, len(table.vocabulary)) == ([1000, 31098], 7178)
