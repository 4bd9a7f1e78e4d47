"""Runs scripts of a package one after another and keeps what they print in a page."""

import datetime
import os
import platform
import subprocess
import sys

from inclusive_tf.recipes import page as page_of_parts
from tools import calling

MISSED = "**missed**"
"""What a script prints beside a figure that does not reach its goal."""
MISSED_CODE = 3
"""Exit code of a script that ran to its end and missed a goal."""
NOT_HERE = 77
"""Exit code of a script that this machine lacks something for."""


def run(package, parts, page="", mark="{}"):
    """Runs scripts, each in a process of its own, and prints what they print.

    Args:
        package: name within `tools`.
        parts: {script: arguments of its command line}, in order.
        page: Markdown page that gets what each printed, between its marks, and keeps
            what it has of those that could not run here; empty: none.
        mark: the marks' name, in which {} stands for the script's.

    Returns:
        Exit code: 1 where that of a part was neither 0 nor `NOT_HERE`; the others
            still run.

    Raises:
        errors.DataError: the page has no place for a part.
    """
    failed = False
    for name, arguments in parts.items():
        done = subprocess.run(
            [sys.executable, "-m", f"tools.{package}.{name}", *arguments],
            cwd=calling.ROOT, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        said = f"{_facts(done)}\n\n{done.stdout.strip()}"
        print(f"{name}: {said}\n", flush=True)
        if page and done.returncode != NOT_HERE:
            page_of_parts.write(page, mark.format(name), said)
        failed = failed or done.returncode not in (0, NOT_HERE)
    return int(failed)


def exit_code(met):
    """Returns the exit code of a script whose goals are all met, or not."""
    return 0 if met else MISSED_CODE


def _facts(done):
    """When and where a part ran, and how it ended, in one line."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    if not done.returncode:
        end = "passed"
    elif done.returncode == NOT_HERE:
        end = "not run"
    elif done.returncode == MISSED_CODE:
        end = "missed"
    else:
        end = f"FAILED (exit code {done.returncode})"
    python, cores = platform.python_version(), len(os.sched_getaffinity(0))
    return f"{day}, Python {python}, {cores} cores ({platform.machine()}): {end}"
