"""The script from a table of images to issues, a page, and training without them."""

import csv
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from data_pipelines import exclusion, image_issues, labels
from inclusive_tf import quality_page

HOSTILE = '"><img src=x onerror=alert(1)>.png'


def run(root, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "tools.quality", *map(str, arguments)],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def looked(tmp_path_factory, root):
    """A data set with planted faults, and what the script says of it."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    rows = []
    for number in range(24):
        pixels = generator.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        split = "train" if number < 16 else "test"
        rows.append((f"{number}.png", "red", ("north", "south")[number % 2], split))
    Image.open(folder / "20.png").save(folder / "leaked.png")
    Image.new("RGB", (24, 24), "black").save(folder / HOSTILE)
    (folder / "broken.png").write_bytes(b"no image")
    rows += [(name, "blue<b>", "north", "train")
             for name in ("leaked.png", HOSTILE, "broken.png")]  # fmt: skip
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "labels", "group", "split"), *rows])
    output = folder / "quality"
    said = run(
        root, "--dataset=table", f"--table={folder / 'labels.csv'}",
        f"--output={output}", "--title=<script>alert(1)</script>",
    )  # fmt: skip
    return folder, output, said


def test_the_issues_are_written_and_counted_by_split(looked):
    _, output, said = looked
    assert said.returncode == 0, said.stderr
    found = {
        (row.id, row.issue)
        for row in exclusion.read(output / "issues.csv").itertuples()
    }
    assert {("leaked.png", "leak"), ("broken.png", "unreadable"),
            (HOSTILE, "dark"), (HOSTILE, "low_information")} <= found  # fmt: skip
    lines = {line.split()[0]: line.split()[1:] for line in said.stdout.splitlines()}
    assert lines["train"] == ["test", "all"]
    assert lines["leak"] == ["1", "0", "1"]
    assert lines["images"] == ["19", "8", "27"]


def test_training_can_leave_them_out(looked):
    from data_pipelines import datasets
    from data_pipelines.sources import table

    folder, output, _ = looked
    config = datasets.DataConfig(
        "table", table.TableConfig(table=str(folder / "labels.csv")),
        exclude=str(output / "issues.csv"), exclude_issues=("leak", "unreadable"),
    )  # fmt: skip
    left, notes = datasets.read_labels(config)
    assert left.split_counts() == {"train": 17, "test": 8}
    assert notes == ["2 images were left out (leak 1, unreadable 1)"]


def test_the_page_needs_nothing_from_outside_and_names_are_escaped(looked):
    page = (looked[1] / "index.html").read_text()
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(re.match(r"data:image/jpeg;base64,|#", one) for one in sources)
    assert page.count("data:image/jpeg") >= 4
    assert "Share of each group" in page


def test_a_pair_of_repeats_stands_side_by_side(looked):
    page = (looked[1] / "index.html").read_text()
    section = page[page.index('<section id="leak">') :].split("</section>")[0]
    assert re.findall(r'alt="([^"]*)"', section) == ["leaked.png", "20.png"]
    assert "same pixels as 20.png of split test; labels differ" in section


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--kinds=blurred", "no such kind of issue"),
        ("--thresholds=dark", "A threshold cannot be read"),
        ("--thresholds=leak=0.3", "A threshold cannot be used"),
        ("--predictions=/no/such", "not a predictions folder"),
    ],
)
def test_bad_flags_are_one_line(looked, root, flag, line):
    said = run(root, "--dataset=table", f"--table={looked[0] / 'labels.csv'}",
               f"--output={looked[0] / 'other'}", flag)  # fmt: skip
    assert said.returncode == 1
    assert line in said.stderr
    assert "Traceback" not in said.stderr
    assert not (looked[0] / "other").exists()


def test_many_groups_are_drawn_together_and_nothing_found_is_said():
    count = 30
    table = labels.LabelTable(
        ids=np.array([f"i{row}" for row in range(count)]),
        locations=np.array([f"/i{row}" for row in range(count)]),
        labels=labels.SparseLabels.from_lists([[0]] * count, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.arange(count, dtype=np.int32),
        group_names=tuple(f"g{row}" for row in range(count)),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )
    rows = [exclusion.Row("i3", "unreadable", 0, "empty")]
    found = image_issues.Found(rows, ("unreadable", "dark"), {}, ["a <note>"])
    page = quality_page.render(table, found, "t", 10**6)
    assert "1 of 30 images have an issue" in page
    assert "10 further groups (n = 10)" in page
    sought = page[page.index("Looked for and not found") :]
    assert "<dt>Dark</dt>" in sought
    assert "Unreadable" not in sought
    # a kind that no image has is no row of zeros
    assert '<th scope="row">unreadable</th>' in page
    assert '<th scope="row">dark</th>' not in page
    assert "a &lt;note&gt;" in page
