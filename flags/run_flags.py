"""Which run directory, and what it remembers of its flags."""

from absl import flags

from flags import data_flags

FLAGS = flags.FLAGS
TRAINING = (
    *data_flags.MODULES,
    "image_flags",
    "resampling_flags",
    "mixing_flags",
    "training_flags",
)
"""Modules of the flags that make a training what it is."""


def define():
    """Defines the flags."""
    flags.DEFINE_string("run", None, "Run directory, such as runs/mine.", required=True)


def of(modules):
    """Returns the flags that modules of `flags` defined, sorted by name."""
    by_module = FLAGS.flags_by_module_dict()
    found = [flag for name in modules for flag in by_module.get(f"flags.{name}", ())]
    return sorted(found, key=lambda flag: flag.name)


def resolved():
    """Returns {name: JSON value} of the flags of a training."""
    return {flag.name: flag.value for flag in of(TRAINING)}


def defaults():
    """Returns {name: JSON value}: what these flags are when nobody types them."""
    return {flag.name: flag.default for flag in of(TRAINING)}


def remember(stored):
    """Gives each data flag that was not typed the value that the run was made with.

    Args:
        stored: {name: value} of the run's flags.json.
    """
    for flag in of(data_flags.MODULES):
        if flag.name in stored and not flag.present:
            flag.value = stored[flag.name]
