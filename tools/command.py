"""How every script runs: flags in, one line out when the input is bad.

    if __name__ == "__main__":
        command.run(main)

A `DataError`, a missing extra or a file that cannot be opened ends the script with one
line on stderr and exit code 1; any other exception is a fault of ours and keeps its
traceback. `--help` shows the flags of the script and those that its modules in `flags/`
defined, since those are its flags too.
"""

import logging
import os
import sys

from absl import app
from absl import flags as absl_flags
from absl import logging as absl_logging

from data_pipelines import errors
from tools import tensorflow_start

_OURS = (
    errors.DataError,
    errors.MissingExtraError,
    errors.SettingError,
    errors.StoppedError,
    OSError,
)


def run(main):
    """Parses the flags, calls `main(arguments)` and exits.

    Args:
        main: called as absl calls it, with the script's name in a list; returns None or
            an exit code. Arguments that are not flags are refused before.
    """
    tensorflow_start.prepare()
    _show_flags_of_modules()
    app.run(lambda arguments: _guarded(main, arguments))


def _guarded(main, arguments):
    if not absl_flags.FLAGS["verbosity"].present:
        # Keras and TensorFlow tell what they export at the level of information
        absl_logging.set_verbosity(absl_logging.WARNING)
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
    try:
        if len(arguments) > 1:
            raise errors.DataError(
                "unexpected arguments",
                expected="flags only, as in --name=value",
                received=" ".join(arguments[1:]),
            )
        return main(arguments)
    except _OURS as error:
        line = " ".join(str(error).split())
        print(f"error: {line}", file=sys.stderr)
        code = getattr(error, "exit_code", 1)
        if getattr(error, "at_once", False):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        return code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _show_flags_of_modules():
    flags = absl_flags.FLAGS
    for module, defined in list(flags.flags_by_module_dict().items()):
        if module.startswith("flags."):
            for flag in defined:
                flags.register_key_flag_for_module(sys.argv[0], flag)
