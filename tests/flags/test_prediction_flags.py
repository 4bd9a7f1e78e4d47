"""Flags of prediction say what the libraries' own defaults and choices are."""

import pytest
from absl import flags as absl_flags

from data_pipelines import errors, views
from flags import prediction_flags
from inclusive_tf.training import target_statistics

FLAGS = absl_flags.FLAGS


@pytest.fixture
def parse():
    """Returns a function that parses arguments with these flags, for one test only."""
    before = set(FLAGS)
    prediction_flags.define()

    def parse(*arguments):
        FLAGS(["tests", *arguments])

    yield parse
    FLAGS.unparse_flags()
    for name in set(FLAGS) - before:
        delattr(FLAGS, name)


def test_flags_nobody_types_are_the_libraries_defaults(parse):
    parse()
    assert prediction_flags.views_config() == views.ViewsConfig()
    expected = target_statistics.StatisticsConfig()
    assert prediction_flags.statistics_config() == expected


def test_choices_are_those_of_the_library(parse):
    assert list(FLAGS["views"].parser.enum_values) == list(views.COUNTS)
    assert tuple(FLAGS["view_mean"].parser.enum_values) == views.MEANS


def test_each_flag_reaches_its_setting(parse):
    parse("--views=five_crops", "--view_mean=probabilities", "--view_scale=1.5",
          "--statistics_from=tuning,stage", "--statistics_prior=8")  # fmt: skip
    expected = views.ViewsConfig("five_crops", 1.5, "probabilities")
    assert prediction_flags.views_config() == expected
    expected = target_statistics.StatisticsConfig(("tuning", "stage"), 8.0)
    assert prediction_flags.statistics_config() == expected


def test_a_scale_of_1_is_refused(parse):
    parse("--views=five_crops", "--view_scale=1")
    with pytest.raises(errors.SettingError, match="above 1, at most 4"):
        prediction_flags.views_config()
