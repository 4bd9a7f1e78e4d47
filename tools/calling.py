"""Runs scripts of this project from benchmarks and long tests, as a user would."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(script, *arguments, within=()):
    """Runs tools.SCRIPT to its end, whatever that is.

    Args:
        script: name within `tools`.
        arguments: of its command line.
        within: words of a command that runs another, such as `prlimit`.

    Returns:
        `subprocess.CompletedProcess` with text.
    """
    return subprocess.run(
        [*within, sys.executable, "-m", f"tools.{script}", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def call(script, *arguments):
    """Runs tools.SCRIPT to a good end.

    Args:
        script: name within `tools`.
        arguments: of its command line.

    Raises:
        RuntimeError: it failed; with what it wrote to the standard error stream.
    """
    done = run(script, *arguments)
    if done.returncode:
        raise RuntimeError(f"tools.{script} failed: {done.stderr.strip()}")
