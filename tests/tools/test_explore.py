"""The script writes a page and its figures, or one line of error."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _explore(*arguments, code=None):
    start = ["-c", code] if code else ["-m", "tools.explore"]
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_table_becomes_a_page_and_its_figures(make_table, colour_rows, tmp_path):
    rows = colour_rows()
    (tmp_path / "images").mkdir()
    path = make_table(rows)
    (tmp_path / "images" / "train0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    output = tmp_path / "exploration"
    found = _explore(
        "--dataset=table", f"--table={path}", f"--output={output}", "--sheets=2",
        "--pair_images=2",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines == [
        "1 of 84 sampled images cannot be read",
        f"84 images explored: {output / 'index.html'}",
    ]
    figures = json.loads((output / "figures.json").read_text())
    assert figures["title"] == "Data set: table"
    assert figures["described"] == {"split": "train", "images": 48}
    shown = {row["name"]: row["images"] for row in figures["frequency"]["most"]}
    assert shown == {"red": 40, "blue": 16}
    assert figures["shift"]["to"]["split"] == "tuning"
    assert figures["pictures"]["unreadable"][0]["id"] == "images/train0.png"
    assert (output / "index.html").stat().st_size < 8e6


def test_figures_of_the_table_alone_need_no_tensorflow(make_table, tmp_path):
    path = make_table([("a.png", "x", "g", "train"), ("b.png", "y", "g", "train")])
    code = (
        "import runpy, sys; sys.modules['tensorflow'] = None; "
        "sys.argv[0] = 'tools/explore.py'; "
        "runpy.run_module('tools.explore', run_name='__main__')"
    )
    found = _explore(
        "--dataset=table", f"--table={path}", f"--output={tmp_path / 'out'}",
        "--sample=0", "--sheets=0", code=code,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "out" / "index.html").exists()


def test_without_plotly_one_line_names_the_extra_before_anything_is_read(tmp_path):
    code = (
        "import runpy, sys; sys.modules['plotly'] = None; "
        "sys.argv[0] = 'tools/explore.py'; "
        "runpy.run_module('tools.explore', run_name='__main__')"
    )
    found = _explore("--dataset=table", "--table=/no/such.csv", code=code)
    assert found.returncode == 1
    assert found.stderr == (
        "error: The page of explore needs an optional dependency: "
        "pip install 'inclusive_tf[explore]'\n"
    )


def test_a_split_that_is_not_there_is_one_line(make_table, tmp_path):
    path = make_table([("a.png", "x", "g", "train"), ("b.png", "y", "g", "train")])
    found = _explore(
        "--dataset=table", f"--table={path}", "--to_split=stage_9", "--sample=0",
        "--sheets=0", f"--output={tmp_path / 'o'}",
    )  # fmt: skip
    assert found.returncode == 1
    (line,) = found.stderr.splitlines()
    assert line == (
        "error: there is no such split. Expected: one of train. Received: stage_9."
    )
    assert not (tmp_path / "o").exists()
