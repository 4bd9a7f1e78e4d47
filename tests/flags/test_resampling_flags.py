"""Flags of resampling reach the policy that takes them, and no other."""

import pytest
from absl import flags
from absl.testing import flagsaver

from data_pipelines.resampling import policies
from flags import resampling_flags


@pytest.fixture(scope="module", autouse=True)
def defined():
    """Defines the flags, for this module only, unless another one did."""
    before = set(flags.FLAGS)
    if "resampling" not in before:
        resampling_flags.define()
    yield
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


def settings(**values):
    with flagsaver.flagsaver():
        flags.FLAGS.mark_as_parsed()
        for name, value in values.items():
            flags.FLAGS[name].parse(value)
        return resampling_flags.policy_settings()


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_without_flags_a_policy_has_its_own_defaults(policy):
    assert settings(resampling=policy) == policies.defaults(policy)


def test_flags_reach_the_policy_that_takes_them_and_others_are_left_aside():
    given = {
        "resampling_power": "0.5",
        "repeat_threshold": "0.2",
        "root_scale": "7",
        "effective_beta": "0.9",
        "least_count": "3",
        "most_count": "30",
    }
    expected = {
        "class_aware": {"power": 0.5},
        "repeat_factor": {"power": 0.5, "threshold": 0.2},
        "effective_number": {"power": 0.5, "beta": 0.9},
        "rarest_or_average": {"power": 0.5, "least": 3.0, "most": 30.0},
        "root_linear": {"power": 0.5, "scale": 7.0},
    }
    for policy, found in expected.items():
        assert settings(resampling=policy, **given) == found
