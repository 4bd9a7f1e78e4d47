"""The score script ends with the challenge's figure, or with one line of error."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _score(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tools.score", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def files(tmp_path):
    contents = {
        "submission": "image_id,labels\na,x y\nb,z\nc,\nextra,x\n",
        "truth": "a,x\nb,y\nc,x\n",
        "tuning": "c,x\n",
        "short": "a,x\n",
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_text(content)
    return tmp_path


def test_the_last_line_is_the_score(files):
    found = _score(
        f"--submission={files}/submission.csv",
        f"--truth={files}/truth.csv",
        f"--exclude={files}/tuning.csv",
        "--bootstrap=100",
    )
    lines = found.stdout.splitlines()
    # a: 5 / (4 + 2), b: 0
    assert lines[-1] == "mean F2 0.416667 over 2 images"
    assert lines[0].endswith("have no label, which always scores 0, first row 4 (c)")
    assert lines[1] == "1 images of the truth excluded"
    assert lines[2] == "1 images of the submission not in the truth, ignored"
    assert lines[3] == "95 % interval: too few images, at least 10 are needed"
    assert found.returncode == 0


def test_the_line_before_the_score_is_its_interval(tmp_path):
    for name, labels in (("submission", "xxxxxxyyyyyy"), ("truth", "x" * 12)):
        rows = "".join(f"{image},{label}\n" for image, label in enumerate(labels))
        (tmp_path / f"{name}.csv").write_text(rows)
    found = _score(
        f"--submission={tmp_path}/submission.csv",
        f"--truth={tmp_path}/truth.csv",
        "--bootstrap=200",
    )
    interval, score = found.stdout.splitlines()
    low, high = (float(end) for end in interval.split()[3::2])
    assert 0.1 < low < 0.5 < high < 0.9
    assert score == "mean F2 0.500000 over 12 images"


def test_a_label_that_is_not_trainable_ends_the_score(files):
    (files / "codes.csv").write_text("label_code\nx\nz\n")
    found = _score(
        f"--submission={files}/submission.csv",
        f"--truth={files}/truth.csv",
        f"--trainable={files}/codes.csv",
    )
    assert found.returncode == 1
    assert "submission.csv, row 2: label 'y' is not trainable" in found.stderr


@pytest.mark.parametrize(
    ("submission", "message"),
    [("short", "2 missing, first b, c"), ("nowhere", "nowhere.csv")],
)
def test_bad_input_ends_in_one_line_without_a_traceback(files, submission, message):
    found = _score(
        f"--submission={files}/{submission}.csv", f"--truth={files}/truth.csv"
    )
    assert found.returncode == 1
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_the_constant_answer_scores_what_the_challenge_says(tmp_path):
    data = pathlib.Path(os.environ.get("INCLUSIVE_TF_DATA", ROOT / "../shared/data"))
    truth = data / "inclusive_images" / "stage_1_solutions.csv"
    if not truth.exists():
        pytest.skip("the challenge's label files are not there")
    ids = [line.split(",")[0] for line in truth.read_text().splitlines()]
    answer = "/m/01g317 /m/05s2s /m/07j7r"
    rows = "".join(f"{image},{answer}\n" for image in ids)
    (tmp_path / "constant.csv").write_text("image_id,labels\n" + rows)
    found = _score(f"--submission={tmp_path}/constant.csv", f"--truth={truth}")
    assert found.stdout == "mean F2 0.240855 over 32088 images\n"
