"""Settings that no training can have are refused, with what it could have."""

import pytest

from data_pipelines import errors
from inclusive_tf.training import config


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"clip_norm": float("nan")}, "clip_norm"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"checkpoint_minutes": float("nan")}, "checkpoint_minutes"),
        # Adam would not look at it
        ({"weight_decay": 0.1, "optimizer": "adam"}, "0 with adam"),
        ({"schedule": "step"}, "cosine or constant or plateau"),
        ({"epochs": 0}, "at least 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, said):
    with pytest.raises(errors.SettingError, match=said):
        config.TrainingConfig(**settings)


def test_an_epoch_shows_each_image_once_unless_told_otherwise():
    assert config.TrainingConfig(batch_size=8).steps_an_epoch(30) == 3
    assert config.TrainingConfig(batch_size=64).steps_an_epoch(30) == 1
    assert config.TrainingConfig(steps_per_epoch=5).steps_an_epoch(30) == 5
