"""Long tails have the sizes that are published, and weights that are the formula's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipelines.resampling import long_tail


@pytest.mark.parametrize(
    ("classes", "largest", "ratio", "total"),
    [
        (10, 5000, 100, 12_406),
        (10, 5000, 50, 13_996),
        (100, 500, 100, 10_847),
        (100, 500, 50, 12_608),
    ],
)
def test_cifar_long_tails_have_their_published_sizes(classes, largest, ratio, total):
    counts = long_tail.long_tail_counts(classes, largest, ratio)
    assert counts.sum() == total
    assert (counts[0], counts[-1]) == (largest, largest // ratio)


def test_cifar_10_long_tail_has_its_published_counts():
    np.testing.assert_array_equal(
        long_tail.long_tail_counts(10, 5000, 100),
        [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50],
    )


@given(st.integers(1, 200), st.integers(1, 10_000), st.floats(1, 1000))
def test_a_long_tail_falls_from_the_largest_to_the_smallest(classes, largest, ratio):
    counts = long_tail.long_tail_counts(classes, largest, ratio)
    assert counts[0] == largest
    assert (np.diff(counts) <= 0).all()
    if classes > 1:
        assert abs(counts[-1] - largest / ratio) <= 1


@pytest.mark.parametrize("beta", [0.9, 0.99, 0.999, 0.9999])
@pytest.mark.parametrize("classes", [(10, 5000), (100, 500)])
def test_effective_numbers_are_the_geometric_sums_they_stand_for(beta, classes):
    counts = long_tail.long_tail_counts(*classes, 100)
    sums = [math.fsum(beta**power for power in range(count)) for count in counts]
    np.testing.assert_allclose(
        long_tail.effective_number(counts, beta), sums, rtol=1e-10
    )
    weights = long_tail.effective_number_weights(counts, beta)
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-12)
    np.testing.assert_allclose(weights * sums, weights[0] * sums[0], rtol=1e-10)


def test_weights_of_cifar_10_long_tail_go_from_alike_to_inverse_frequency():
    counts = long_tail.long_tail_counts(10, 5000, 100)
    np.testing.assert_allclose(long_tail.effective_number_weights(counts, 0.0), 1)
    inverse = 10 / counts / (1 / counts).sum()
    near = long_tail.effective_number_weights(counts, 1 - 1e-12)
    np.testing.assert_allclose(near, inverse, rtol=1e-6)
    # rarest over commonest, by the closed form at beta 0.9999
    ratio = (1 - 0.9999**5000) / (1 - 0.9999**50)
    weights = long_tail.effective_number_weights(counts, 0.9999)
    assert weights[-1] / weights[0] == pytest.approx(ratio, rel=1e-9)
    assert ratio == pytest.approx(78.88, abs=0.01)


def test_a_class_without_images_weighs_nothing():
    weights = long_tail.effective_number_weights([10, 0, 10], 0.9)
    np.testing.assert_allclose(weights, [1, 0, 1])


@pytest.mark.parametrize("arguments", [(0, 10, 2), (3, -1, 2), (3, 10, 0.5),
                                       (3, 10, math.nan)])  # fmt: skip
def test_a_tail_that_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match="no such long tail"):
        long_tail.long_tail_counts(*arguments)


@pytest.mark.parametrize(("counts", "beta"), [([1], 1.0), ([1], -0.1), ([-1], 0.5),
                                              ([math.inf], 0.5)])  # fmt: skip
def test_an_effective_number_that_cannot_be_is_refused(counts, beta):
    with pytest.raises(ValueError, match="no such effective number"):
        long_tail.effective_number(counts, beta)
