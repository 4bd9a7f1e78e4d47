"""Flags of similarity and mixing say what the libraries' own defaults say."""

import inspect
import json
import subprocess
import sys

import pytest

from data_pipelines import pixel_features
from data_pipelines.resampling import mixing, similarity

_PRINT = """
import json
from absl import flags
from flags import mixing_flags, similar_flags
mixing_flags.define()
similar_flags.define()
found = {name: flags.FLAGS[name].default for name in flags.FLAGS}
found["methods"] = flags.FLAGS["method"].parser.enum_values
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def default(root):
    """{flag: default}, of a process of its own: flags are global."""
    printed = subprocess.run(
        [sys.executable, "-c", _PRINT], cwd=root, capture_output=True, check=True
    )
    return json.loads(printed.stdout)


def test_mixing_flags_have_the_defaults_of_the_library(default):
    config = mixing.MixingConfig()
    assert default["mix_below"] == config.below
    assert default["mix_partners"] == config.partners
    assert default["mix_share"] == config.max_share
    assert default["mix_predictions"] == config.predictions


def test_methods_are_those_of_the_library(default):
    assert tuple(default["methods"]) == similarity.METHODS


def test_pixel_settings_have_the_defaults_of_the_library(default):
    found = inspect.signature(pixel_features.measure).parameters
    assert default["feature_size"] == found["size"].default
    assert default["feature_channels"] == found["channels"].default
    assert default["ignore_brightness"] == found["ignore_brightness"].default
    assert default["max_pixels"] == found["max_pixels"].default
