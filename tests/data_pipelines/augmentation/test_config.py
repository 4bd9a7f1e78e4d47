import json

import pytest

from data_pipelines import augmentation, errors

EVERYTHING = augmentation.AugmentationConfig(
    mirror=0.5,
    rotate=15,
    fill="reflect",
    crop_scale=0.4,
    jpeg=0.3,
    jpeg_quality=20,
    rand_augment=2,
    mixup=0.2,
    schedule="soft_to_hard",
    boundaries=(0.25, 0.5),
    rare_below=50,
)


@pytest.mark.parametrize(
    "values",
    [
        {"mirror": 1.5},
        {"shift": -0.1},
        {"rotate": 181},
        {"zoom": float("inf")},
        {"noise": float("nan")},
        {"blur": "much"},
        {"contrast": True},
        {"fill": "pink"},
        {"flip": 0.5},
        {"crop_scale": 0},
        {"crop_aspect": 0.9},
        {"hue": 0.6},
        {"jpeg_quality": 0},
        {"jpeg_quality": 55.5},
        {"rand_augment": 1.5},
        {"rand_augment": True},
        {"rand_magnitude": 11},
        {"mixup": -0.2},
        {"cutmix": float("inf")},
        {"batch_mix_probability": 1.1},
        {"schedule": "hard_to_soft"},
        {"boundaries": (0.5, 0.2)},
        {"boundaries": (0.5,)},
        {"boundaries": (0.5, 1.5)},
        {"boundaries": "0.3,0.6"},
        {"rare_below": -1},
        {"rare_below": 2.5},
        {"rare_strength": float("nan")},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(values):
    with pytest.raises(errors.DataError, match=r"Expected: .* Received: "):
        augmentation.AugmentationConfig.from_dict(values)


def test_a_configuration_comes_back_from_json():
    stored = json.loads(json.dumps(EVERYTHING.to_dict()))
    assert augmentation.AugmentationConfig.from_dict(stored) == EVERYTHING


def test_colour_is_varied_only_where_there_is_some():
    EVERYTHING.require_channels(1)
    coloured = augmentation.AugmentationConfig(saturation=0.2)
    coloured.require_channels(3)
    with pytest.raises(errors.SettingError, match=r"no colour.* saturation 0\.2"):
        coloured.require_channels(1)


def test_the_configuration_needs_no_tensorflow():
    import subprocess
    import sys

    code = (
        "import sys\nfrom data_pipelines import augmentation\n"
        "augmentation.AugmentationConfig(mirror=0.5)\n"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
