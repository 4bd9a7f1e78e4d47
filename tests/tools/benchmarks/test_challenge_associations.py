"""The simulation helps where labels come together, and not where they are scrambled."""

import numpy as np

from data_pipelines import labels
from tools.benchmarks import challenge_associations, challenge_thresholds


def _truth(seed, rows):
    """Ten pairs of labels, the second of each only ever with the first."""
    generator = np.random.default_rng(seed)
    first = generator.random((rows, 10)) < 0.12
    second = first & (generator.random((rows, 10)) < 0.8)
    return labels.SparseLabels.from_dense(np.concatenate([first, second], axis=1))


def test_associations_help_outside_and_scrambled_ones_get_no_strength():
    vocabulary = labels.Vocabulary([str(number) for number in range(20)])
    known = challenge_associations.count(_truth(0, 2000), vocabulary)
    tuning, outside = _truth(1, 400), _truth(2, 1500)
    prior = challenge_thresholds.priors_of("known", tuning, outside, 2.0, 0)
    scores = challenge_thresholds.Scores(prior, 1.5)
    logits = scores.draw(tuning, np.random.default_rng(3))
    ways = {
        "plain": {},
        "associations": {"associations": known},
        "scrambled": {"associations": challenge_associations.scrambled(known, 0)},
    }
    found = challenge_associations.measure(tuning, outside, scores, logits, ways, 0)
    assert found["associations"][1] > found["plain"][1] + 0.03
    assert found["associations"][2] > 0
    assert found["scrambled"][2] == 0
    assert found["scrambled"][1] == found["plain"][1]


def test_scrambling_keeps_the_weights_and_moves_them():
    vocabulary = labels.Vocabulary([str(number) for number in range(20)])
    known = challenge_associations.count(_truth(0, 500), vocabulary)
    other = challenge_associations.scrambled(known, 1).weights.toarray()
    np.testing.assert_array_equal(other, other.T)
    weights = known.weights.toarray()
    np.testing.assert_array_equal(np.sort(other.ravel()), np.sort(weights.ravel()))
    assert (other != weights).any()
