"""Scripts end in one line on bad input, and keep their traceback on a fault of ours."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

_SCRIPT = """
from data_pipelines import errors
from flags import evaluation_flags
from tools import command

evaluation_flags.define()

def main(_):
    {body}

command.run(main)
"""


def _run(body, *arguments):
    return subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(body=body), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("raise errors.DataError('too\\nbad', file='f', row=2)", "f, row 2: too bad."),
        ("open('/no/such')", "[Errno 2] No such file or directory: '/no/such'"),
        (
            "raise errors.MissingExtraError('review', 'review')",
            "review needs an optional dependency: pip install 'inclusive_tf[review]'",
        ),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_1(body, line):
    found = _run(body)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"error: {line}\n"


def test_a_fault_of_ours_keeps_its_traceback():
    found = _run("1 / 0")
    assert found.returncode == 1
    assert "Traceback" in found.stderr
    assert "ZeroDivisionError" in found.stderr


def test_an_argument_that_is_no_flag_is_refused():
    found = _run("print('ran')", "threshold", "0.5")
    assert (found.returncode, found.stdout) == (1, "")
    assert "Received: threshold 0.5." in found.stderr


def test_the_exit_code_of_main_is_the_scripts():
    assert _run("return 3").returncode == 3
    assert _run("pass").returncode == 0


def test_help_shows_the_flags_of_flag_modules():
    found = _run("print('ran')", "--help")
    assert "--threshold" in found.stdout
    assert "ran" not in found.stdout


def test_a_flag_out_of_range_is_refused():
    found = _run("print('ran')", "--threshold=1.5")
    assert found.returncode == 1
    assert "must lie between 0 and 1" in found.stderr
