"""The distribution is that of multiplying all labels out."""

import numpy as np
import pytest
import scipy.stats

from inclusive_tf.adaptation import poisson_binomial


def _multiplied_out(chances):
    found = np.ones(1)
    for chance in chances:
        found = np.convolve(found, [1 - chance, chance])
    return found


@pytest.mark.parametrize("count", [0, 3, 40])
def test_large_and_small_chances_are_multiplied_out(count):
    generator = np.random.default_rng(count)
    large = generator.random((4, count))
    small = poisson_binomial.SMALL * generator.random((4, 5000))
    sums = poisson_binomial.power_sums(small)
    length = poisson_binomial.order(large.sum(axis=1).max() + sums[:, 0].max()) + 1
    found = poisson_binomial.distribution(large, sums, length)
    for row in range(4):
        expected = _multiplied_out([*large[row], *small[row]])[:length]
        np.testing.assert_allclose(found[row, : len(expected)], expected, atol=1e-9)
    assert (found.sum(axis=1) >= 1 - 2e-9).all()


@pytest.mark.parametrize("mean", [0.01, 2.0, 30.0])
def test_more_than_the_order_are_present_with_a_chance_below_one_in_a_billion(mean):
    assert scipy.stats.poisson.sf(poisson_binomial.order(mean), mean) < 1e-9
    assert poisson_binomial.order(mean) < mean + 10 * np.sqrt(mean) + 20


def test_a_label_taken_out_leaves_the_distribution_of_the_others():
    chances = np.array([[0.0, 1e-4, 0.3, 0.5, 0.7, 0.999, 1.0]])
    nothing = np.zeros((1, 4))
    length = chances.size + 1
    found = poisson_binomial.distribution(chances, nothing, length)
    without = poisson_binomial.without(found, chances)[0]
    for label in range(chances.size):
        expected = _multiplied_out(np.delete(chances[0], label))
        np.testing.assert_allclose(
            without[label, : len(expected)], expected, atol=1e-12
        )
