"""The bootstrap draws what it says, and its intervals cover what they should."""

import numpy as np
import pytest
import scipy.stats

from inclusive_tf.evaluation import bootstrap


def test_a_resample_holds_as_many_images_as_there_are():
    drawn = np.concatenate(list(bootstrap.weights(13, 50, seed=1)))
    assert drawn.shape == (50, 13)
    np.testing.assert_array_equal(drawn.sum(axis=1), 13)


def test_counts_have_the_moments_of_a_multinomial():
    size, resamples = 20, 4000
    drawn = np.concatenate(list(bootstrap.weights(size, resamples)))
    expected = scipy.stats.multinomial(size, np.full(size, 1 / size))
    spread = np.sqrt(expected.cov()[0, 0] / resamples)
    assert np.abs(drawn.mean(axis=0) - 1).max() < 5 * spread
    np.testing.assert_allclose(np.cov(drawn.T), expected.cov(), atol=0.15)


def test_draws_depend_on_the_seed_and_not_on_chunks(monkeypatch):
    whole = np.concatenate(list(bootstrap.weights(7, 20, seed=3)))
    other = np.concatenate(list(bootstrap.weights(7, 20, seed=4)))
    monkeypatch.setattr(bootstrap, "CHUNK_CELLS", 21)
    chunked = list(bootstrap.weights(7, 20, seed=3))
    assert len(chunked) == 7
    np.testing.assert_array_equal(np.concatenate(chunked), whole)
    assert (whole != other).any()


def test_ends_are_percentiles_of_what_is_available():
    values = np.random.default_rng(0).normal(size=(200, 3))
    values[::2, 1] = np.nan
    values[:, 2] = np.nan
    low, high = bootstrap.interval_ends(values)
    np.testing.assert_allclose(low[0], np.percentile(values[:, 0], 2.5))
    np.testing.assert_allclose(high[1], np.percentile(values[1::2, 1], 97.5))
    assert np.isnan(low[2])
    assert np.isnan(high[2])


def test_the_interval_of_a_mean_agrees_with_the_normal_one():
    values = np.random.default_rng(0).random(2000)
    found = bootstrap.mean_interval(values, resamples=2000)
    assert found["value"] == pytest.approx(values.mean(), abs=1e-12)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=0.1)


def test_intervals_cover_the_true_mean_about_as_often_as_promised():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        found = bootstrap.mean_interval(generator.random(60) ** 2, 300, seed=trial)
        covered += found["low"] <= 1 / 3 <= found["high"]
    # 5 standard errors below 0.93, the level a percentile interval of 60 has
    assert covered / 200 > 0.93 - 5 * np.sqrt(0.93 * 0.07 / 200)


def test_no_resamples_give_a_value_without_ends():
    found = bootstrap.mean_interval(np.arange(20) / 19, resamples=0)
    assert found == {"value": 0.5, "low": None, "high": None, "n": 20}


@pytest.mark.parametrize("size", [1, 3, bootstrap.MIN - 1])
def test_too_few_images_give_a_value_without_ends(size):
    found = bootstrap.mean_interval(np.ones(size), 100)
    assert found == {"value": 1.0, "low": None, "high": None, "n": size}
    found = bootstrap.interval(0.5, 0.4, 0.6, 1000, clusters=size)
    ends = {"low": None, "high": None}
    assert found == {"value": 0.5, **ends, "n": 1000, "clusters": size}


def test_enough_images_or_clusters_give_ends():
    found = bootstrap.mean_interval(np.arange(bootstrap.MIN) % 2, 100)
    assert found["low"] < 0.5 < found["high"]
    found = bootstrap.interval(0.5, 0.4, 0.6, 30, clusters=bootstrap.MIN)
    assert (found["low"], found["high"]) == (0.4, 0.6)


def test_the_mean_of_nothing_is_not_available():
    for nothing in ([], np.zeros(0)):
        found = bootstrap.mean_interval(nothing)
        assert found == {"value": None, "low": None, "high": None, "n": 0}


def _mean_of(values):
    return lambda images: {"mean": images @ values / images.sum(axis=1)}


def _width(by_seed, clusters=None, resamples=500):
    statistics = [_mean_of(values) for values in by_seed]
    _, resampled = bootstrap.distribution(
        statistics, len(by_seed[0]), resamples, clusters=clusters
    )
    low, high = bootstrap.interval_ends(resampled["mean"])
    return high - low


def test_seeds_that_differ_widen_the_interval():
    image = np.random.default_rng(0).random(500)
    # seeds that agree say nothing more about the images than one seed
    assert _width([image] * 3) == pytest.approx(_width([image]))
    assert _width([image - 0.2, image, image + 0.2]) > 2 * _width([image] * 3)


def test_a_cluster_is_drawn_whole():
    clusters = np.array([7, 7, 2, 2, 2, 9])
    drawn = np.concatenate(list(bootstrap.weights(6, 200, clusters=clusters)))
    for value in (7, 2, 9):
        inside = drawn[:, clusters == value]
        np.testing.assert_array_equal(inside, inside[:, :1].repeat(inside.shape[1], 1))
    np.testing.assert_array_equal(drawn[:, [0, 2, 5]].sum(axis=1), 3)
    assert len(np.unique(drawn, axis=0)) == 10  # ways to draw 3 of 3 with replacement


def test_images_in_clusters_of_one_are_drawn_as_images():
    apart = np.concatenate(list(bootstrap.weights(9, 20, seed=2)))
    alone = np.concatenate(list(bootstrap.weights(9, 20, 2, np.arange(9) * 3)))
    np.testing.assert_array_equal(apart, alone)


def test_images_seen_twice_make_no_interval_narrower():
    image = np.random.default_rng(0).random(300)
    twice, clusters = np.tile(image, 2), np.tile(np.arange(300), 2)
    once = _width([image], resamples=2000)
    assert _width([twice], clusters, 2000) == pytest.approx(once, rel=1e-9)
    assert _width([twice], None, 2000) == pytest.approx(once / np.sqrt(2), rel=0.1)


def test_a_figure_that_is_not_available_is_null():
    assert bootstrap.interval(np.nan, np.nan, np.nan, 0) == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
    }
