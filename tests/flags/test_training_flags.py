"""Flags of model and loss reach the configurations that the libraries own."""

import dataclasses
import inspect

import pytest
from absl import flags
from absl.testing import flagsaver

from flags import training_flags
from inclusive_tf import losses, models, registry


@pytest.fixture(scope="module", autouse=True)
def defined():
    """Defines the flags, for this module only, unless another one did."""
    before = set(flags.FLAGS)
    if "model" not in before:
        training_flags.define()
    yield
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


@pytest.fixture
def given():
    """Returns a function that gives flags and returns what a call makes of them."""

    def give(call, **values):
        with flagsaver.flagsaver():
            flags.FLAGS.mark_as_parsed()
            for name, value in values.items():
                flags.FLAGS[name].parse(value)
            return call()

    return give


def test_without_flags_the_model_is_the_librarys_default(given):
    assert models.ModelConfig(**given(training_flags.model_settings)) == (
        models.ModelConfig()
    )


def test_the_head_and_the_width_are_flags(given):
    settings = given(
        training_flags.model_settings,
        model="alexnet_small",
        filters="24",
        blocks="1,2",
        pooling="flatten",
        hidden="64,32",
        dropout="0.5",
    )
    config = models.ModelConfig(**settings)
    assert (config.name, config.filters, config.blocks) == ("alexnet_small", 24, (1, 2))
    assert (config.pooling, config.hidden) == ("flatten", (64, 32))


def test_units_that_are_no_numbers_are_refused(given):
    with pytest.raises(ValueError, match=r"--hidden cannot be read.*Received: big"):
        given(training_flags.model_settings, hidden="big")


def test_without_flags_a_loss_keeps_its_own_settings(given):
    assert given(training_flags.loss_settings) == {}


def test_every_setting_of_a_loss_is_a_flag(given):
    fields = dataclasses.fields(losses.LossConfig)
    names = [
        field.name for field in fields if field.name not in ("name", *losses.MEASURED)
    ]
    values = {name: 1.5 + number for number, name in enumerate(names)}
    settings = given(
        training_flags.loss_settings,
        **{f"loss_{name}": str(value) for name, value in values.items()},
    )
    assert settings == values
    assert losses.LossConfig("focal", **settings).settings() == values


def test_the_help_of_a_setting_states_the_default_of_each_loss_that_takes_it():
    for name in losses.LOSSES:
        loss = registry.resolve(losses.LOSSES, name, "loss")
        for setting, parameter in inspect.signature(loss.__init__).parameters.items():
            if f"loss_{setting}" in flags.FLAGS:
                stated = f"{name}: {parameter.default:g}"
                assert stated in flags.FLAGS[f"loss_{setting}"].help, (name, setting)
