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
    found = bootstrap.mean_interval(np.array([1.0, 0.0]), resamples=0)
    assert found == {"value": 0.5, "low": None, "high": None, "n": 2}


def test_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(0)
    image = generator.random(500)
    alike = [image, image, image]
    apart = [image - 0.2, image, image + 0.2]

    def width(values, same_images=True):
        found = bootstrap.mean_interval(values, 500, same_images=same_images)
        assert found["value"] == pytest.approx(image.mean())
        return found["high"] - found["low"]

    one = bootstrap.mean_interval(image, 500)
    # seeds that agree say nothing more about the images than one seed
    assert width(alike) == pytest.approx(one["high"] - one["low"])
    assert width(apart) > 2 * width(alike)
    assert width(alike, same_images=False) < 0.8 * width(alike)


def test_a_figure_that_is_not_available_is_null():
    assert bootstrap.interval(np.nan, np.nan, np.nan, 0) == {
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
    }
