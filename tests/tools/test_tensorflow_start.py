"""TensorFlow starts with oneDNN, and silently, but for what goes wrong."""

import subprocess
import sys

import pytest

PREPARED = "from tools import tensorflow_start; tensorflow_start.prepare()\n"


def said_by(root, code, path=()):
    done = subprocess.run(
        [sys.executable, "-c", PREPARED + code], cwd=root, capture_output=True,
        text=True, check=True, env={"PYTHONPATH": ":".join(map(str, path))},
    )  # fmt: skip
    return done.stdout.split(), done.stderr


def test_tensorflow_is_imported_silently_with_onednn(root):
    code = (
        "import keras, tensorflow, sys\n"
        "from tensorflow.python.framework import test_util\n"
        "print(test_util.IsMklEnabled(), file=sys.stderr)"
    )
    assert said_by(root, code) == ([], "True\n")


@pytest.fixture
def package(tmp_path):
    """A package of TensorFlow's name that greets, warns and counts its imports."""
    folder = tmp_path / "tensorflow"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "import os\n"
        "os.write(2, b'I0000 port.cc:153] oneDNN custom operations are on. You\\n')\n"
        "os.write(2, b'the CPU is too old\\n')\n"
        "print('imported')\n"
        "if 'FAILS' in os.environ: raise ImportError('no library')\n"
    )
    (folder / "part.py").write_text("")
    return tmp_path


def test_other_lines_are_passed_on_and_later_ones_too(root, package):
    code = (
        "import importlib.util, sys\n"
        "importlib.util.find_spec('tensorflow')\n"
        "import tensorflow.part, tensorflow\n"
        "assert tensorflow.__spec__.loader.is_package('tensorflow')\n"
        "print('later', file=sys.stderr)"
    )
    out, error = said_by(root, code, [package])
    assert out == ["imported"]
    assert error == "the CPU is too old\nlater\n"


def test_an_import_that_fails_says_why(root, package):
    code = (
        "import os, sys\n"
        "os.environ['FAILS'] = ''\n"
        "try: import tensorflow\n"
        "except ImportError as error: print(error, file=sys.stderr)"
    )
    assert said_by(root, code, [package])[1] == "the CPU is too old\nno library\n"
