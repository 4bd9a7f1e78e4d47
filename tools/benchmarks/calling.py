"""Runs the scripts of this project from a benchmark."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def call(script, *arguments):
    """Runs tools.SCRIPT to its end.

    Args:
        script: name within `tools`.
        arguments: of its command line.

    Raises:
        RuntimeError: it failed; with what it wrote to the standard error stream.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{script}", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"tools.{script} failed: {done.stderr.strip()}")
