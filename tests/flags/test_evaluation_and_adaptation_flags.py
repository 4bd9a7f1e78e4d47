"""Flags fill their dataclasses."""

import pytest
import scipy.special
from absl import flags

from flags import adaptation_flags, evaluation_flags


def _parsed(module, *arguments):
    values = flags.FlagValues()
    module.define(values)
    values(["script", *arguments])
    return module.config_from_flags(values)


def test_defaults_are_probability_one_half_and_a_thousand_resamples():
    config = _parsed(evaluation_flags)
    assert (config.threshold, config.bootstrap, config.seed) == (0.5, 1000, 0)


@pytest.mark.parametrize("threshold", ["0", "1", "-0.1", "nan"])
def test_a_threshold_is_a_probability_between_0_and_1(threshold):
    with pytest.raises(flags.IllegalFlagValueError):
        _parsed(evaluation_flags, f"--threshold={threshold}")


@pytest.mark.parametrize("probability", ["0.5", "0.2", "1e-12", "0.999999"])
def test_a_threshold_is_one_logit(probability):
    values = flags.FlagValues()
    evaluation_flags.define_decision(values)
    values(["script", f"--threshold={probability}"])
    expected = scipy.special.logit(float(probability))
    assert evaluation_flags.threshold_logit(values) == pytest.approx(expected, 1e-9)


def test_what_is_asked_to_be_fitted_is_fitted():
    config = _parsed(adaptation_flags, "--last_layer", "--folds=3", "--name=mine")
    assert (config.last_layer, config.threshold) == (True, "none")
    assert (config.folds, config.seed, config.name) == (3, 0, "mine")
