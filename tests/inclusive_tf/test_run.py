"""A run directory holds one run, and says why it refuses another."""

import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import run


def test_the_same_flags_resume_and_others_are_named(tmp_path):
    here = run.Run(tmp_path / "run")
    with here.start({"epochs": 3, "seed": 0}):
        pass
    with here.start({"epochs": 3, "seed": 0}):
        pass
    with (
        pytest.raises(errors.DataError, match=r"--epochs 3 → 4; --loss None → 'x'"),
        here.start({"epochs": 4, "seed": 0, "loss": "x"}),
    ):
        pass


def test_flags_that_do_not_change_the_run_may_change(tmp_path):
    here = run.Run(tmp_path)
    with here.start({"epochs": 3, "data_dir": "a"}):
        pass
    with here.start({"epochs": 3, "data_dir": "b"}):
        pass


def test_a_second_process_is_refused(tmp_path, root):
    code = (
        "import sys; from inclusive_tf import run\n"
        "with run.Run(sys.argv[1]).start({}): print('held', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(errors.DataError, match="another process is training"),
            run.Run(tmp_path).start({}),
        ):
            pass
        other.communicate("\n", timeout=60)
    with run.Run(tmp_path).start({}):
        pass


def test_a_directory_that_is_no_run_is_named(tmp_path):
    with pytest.raises(errors.DataError, match=r"no finished run.*model\.json"):
        run.Run(tmp_path).read_json("model.json")


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(errors.DataError, match=r"model\.json: not a JSON file"):
        run.Run(tmp_path).read_json("model.json")


def test_vocabulary_and_last_layer_come_back(tmp_path):
    here = run.Run(tmp_path)
    vocabulary = labels.Vocabulary(["/m/1", 'a,"b"', "NA"], ["One", "Zwei\nDrei", "NA"])
    here.write_vocabulary(vocabulary, np.array([5, 0, 7]))
    again, counts = here.read_vocabulary()
    assert again == vocabulary
    assert counts.tolist() == [5, 0, 7]
    kernel, bias = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    here.write_last_layer(kernel, bias)
    found = here.read_last_layer()
    np.testing.assert_array_equal(found[0], kernel)
    np.testing.assert_array_equal(found[1], bias)
