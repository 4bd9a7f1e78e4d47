"""Flags of augmentation reach the configuration that the library owns."""

import dataclasses

import pytest
from absl import flags
from absl.testing import flagsaver

from data_pipelines import augmentation, errors
from flags import image_flags

# the demo's data may be mirrored and moved a little
ON_BY_DEFAULT = {"mirror": 0.5, "shift": 0.05}


@pytest.fixture(scope="module", autouse=True)
def defined():
    """Defines the flags, for this module only, unless another one did."""
    before = set(flags.FLAGS)
    if "mirror" not in before:
        image_flags.define()
    yield
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


def given(**values):
    with flagsaver.flagsaver():
        flags.FLAGS.mark_as_parsed()
        for name, value in values.items():
            flags.FLAGS[name].parse(value)
        return image_flags.augmentation_config()


def test_without_flags_the_augmentation_is_the_librarys_default_and_two_more():
    assert given() == augmentation.AugmentationConfig(**ON_BY_DEFAULT)


def test_every_amount_has_a_flag():
    """Parses a value that is no default for each, and finds all of them again."""
    values = {
        "mirror": 0.25, "shift": 0.1, "rotate": 10.0, "zoom": 0.3, "brightness": 0.2,
        "contrast": 0.4, "noise": 0.05, "blur": 0.6, "edge": "reflect",
        "crop_scale": 0.4, "crop_aspect": 1.5, "gamma": 0.7, "hue": 0.1,
        "saturation": 0.15, "channel_shift": 0.35, "grey": 0.45, "jpeg": 0.55,
        "jpeg_quality": 30, "rand_augment": 2, "rand_magnitude": 7.0, "mixup": 0.2,
        "cutmix": 1.0, "batch_mix_probability": 0.9,
        "augmentation_schedule": "soft_to_hard", "rare_below": 50,
        "rare_strength": 3.0,
    }  # fmt: skip
    found = given(
        channels="3",
        augmentation_boundaries="0.25,0.5",
        **{name: str(value) for name, value in values.items()},
    )
    names = {"edge": "fill", "augmentation_schedule": "schedule"}
    expected = {names.get(name, name): value for name, value in values.items()}
    assert found.to_dict() == expected | {"boundaries": (0.25, 0.5)}
    default = augmentation.AugmentationConfig(**ON_BY_DEFAULT)
    for field in dataclasses.fields(found):
        assert getattr(found, field.name) != getattr(default, field.name), field.name


def test_choices_are_those_of_the_library():
    for name, choices in (
        ("edge", augmentation.FILLS),
        ("augmentation_schedule", augmentation.SCHEDULES),
    ):
        assert tuple(flags.FLAGS[name].parser.enum_values) == choices


@pytest.mark.parametrize("boundaries", ["a,b", "0.5", "0.6,0.3", "0,0.5,1"])
def test_boundaries_that_are_none_are_refused(boundaries):
    with pytest.raises(ValueError, match=r"Expected: two .* Received: "):
        given(augmentation_boundaries=boundaries)


def test_colour_is_refused_for_grey_images_when_flags_are_read():
    with pytest.raises(errors.SettingError, match=r"1 channel and hue 0\.1"):
        given(hue="0.1", channels="1")
    assert given(hue="0.1", channels="3").hue == 0.1
