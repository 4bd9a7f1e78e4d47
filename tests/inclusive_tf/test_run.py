"""A run directory holds one run, and says why it refuses another."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import models, run


def test_the_same_flags_resume_and_others_are_named(tmp_path):
    here = run.Run(tmp_path / "run")
    with here.start({"epochs": 3, "seed": 0}):
        here.write_json("flags.json", {"epochs": 3, "seed": 0})
    with here.start({"epochs": 3, "seed": 0}):
        pass
    with (
        pytest.raises(errors.DataError, match=r"--epochs 3 → 4; --loss None → 'x'"),
        here.start({"epochs": 4, "seed": 0, "loss": "x"}),
    ):
        pass


def test_flags_that_do_not_change_the_run_may_change(tmp_path):
    here = run.Run(tmp_path)
    here.write_json("flags.json", {"epochs": 3, "data_dir": "a"})
    with here.start({"epochs": 3, "data_dir": "b"}):
        pass


def test_a_flag_that_an_older_run_does_not_know_counts_as_its_default(tmp_path):
    here = run.Run(tmp_path)
    here.write_json("flags.json", {"epochs": 3})
    with here.start({"epochs": 3, "blur": 0.0}, {"epochs": 8, "blur": 0.0}):
        pass
    with (
        pytest.raises(errors.DataError, match=r"--blur 0\.0 → 0\.5"),
        here.start({"epochs": 3, "blur": 0.5}, {"epochs": 8, "blur": 0.0}),
    ):
        pass


def test_a_start_that_fails_leaves_the_directory_free_for_other_flags(tmp_path):
    here = run.Run(tmp_path)
    with pytest.raises(KeyError), here.start({"table": "typo.csv"}):
        raise KeyError
    with here.start({"table": "right.csv"}):
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


def test_a_run_of_another_format_is_refused_with_the_reason(tmp_path):
    here = run.Run(tmp_path)
    config = dataclasses.asdict(models.ModelConfig())
    here.write_json("model.json", {"model": config})
    again = models.ModelConfig.from_dict(here.read_model()["model"])
    assert again == models.ModelConfig()
    here.write_json("model.json", {"model": config, "format": 2})
    with pytest.raises(errors.DataError, match=r"another format.*Received: 2"):
        here.read_model()
    with pytest.raises(errors.DataError, match=r"model\.json: .*'breadth'"):
        models.ModelConfig.from_dict({"breadth": 3}, tmp_path / "model.json")
    here.write_json("model.json", [])
    with pytest.raises(errors.DataError, match="describes no model"):
        here.read_model()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,name\na,b\n", "row 1: the columns are others"),
        ("label,name,training_count\na,b,many\n", "row 2: the training count"),
        ("label,name,training_count\na,b,1\na,b,1\n", "stands twice"),
    ],
)
def test_a_vocabulary_of_another_form_is_refused(tmp_path, text, said):
    (tmp_path / "vocabulary.csv").write_text(text)
    with pytest.raises(errors.DataError, match=said):
        run.Run(tmp_path).read_vocabulary()


def test_the_vocabulary_comes_back(tmp_path):
    here = run.Run(tmp_path)
    vocabulary = labels.Vocabulary(["/m/1", 'a,"b"', "NA"], ["One", "Zwei\nDrei", "NA"])
    here.write_vocabulary(vocabulary, np.array([5, 0, 7]))
    again, counts = here.read_vocabulary()
    assert again == vocabulary
    assert counts.tolist() == [5, 0, 7]
