"""How tests of the scripts call them: as a user would, in a process of their own."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def call(root):
    """Returns a function that runs a script and expects how it ends.

    It takes the script's name, its arguments and the exit code that is right, and
    returns the `subprocess.CompletedProcess`. A traceback is never right.
    """

    def run(script, *arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", f"tools.{script}", *map(str, arguments)],
            cwd=root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run
