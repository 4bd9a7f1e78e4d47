"""Which run directory, and what it remembers of its flags."""

from absl import flags

FLAGS = flags.FLAGS
OUR_MODULES = "flags."


def define():
    """Defines the flags."""
    flags.DEFINE_string("run", None, "Run directory, such as runs/mine.", required=True)


def resolved():
    """Returns {name: JSON value} of the flags our modules define, but for --run."""
    found = {}
    for module, defined in FLAGS.flags_by_module_dict().items():
        if module.startswith(OUR_MODULES):
            found |= {flag.name: flag.value for flag in defined if flag.name != "run"}
    return dict(sorted(found.items()))


def remember(stored):
    """Gives every flag that was not typed the value that the run was made with.

    Args:
        stored: {name: value} of the run's flags.json.
    """
    for name, value in stored.items():
        if name in FLAGS and not FLAGS[name].present:
            FLAGS[name].value = value
