"""The script serves, keeps what it acknowledged when killed, and says what is wrong."""

import contextlib
import http.client
import itertools
import json
import signal
import socket
import subprocess
import sys
import threading

import pytest

from data_pipelines import corrections, datasets, decision_log, labels, suspects
from data_pipelines.sources import table as table_source


@pytest.fixture
def data(make_table, tmp_path):
    """Arguments for a small table, its suspects and its log."""
    (tmp_path / "images").mkdir()
    rows = [
        (f"images/{number}.png", ("red", "blue", "red|blue")[number % 3], "g", "train")
        for number in range(12)
    ]
    path = make_table(rows)
    found = [
        suspects.Suspect(name, "wrong_label", shown.split("|")[0], "", 1 - place / 20)
        for place, (name, shown, *_) in enumerate(rows)
    ]
    suspects.write(tmp_path / "suspects.csv", found)
    return [
        "--dataset=table", f"--table={path}", f"--suspects={tmp_path / 'suspects.csv'}",
        f"--log={tmp_path / 'review.sqlite'}", "--who=ada",
    ]  # fmt: skip


def read(tmp_path, log):
    source = table_source.TableConfig(table=str(tmp_path / "labels.csv"))
    return datasets.read_labels(
        datasets.DataConfig("table", source, corrections=str(log))
    )


def test_it_serves_this_machine_alone_and_a_kill_loses_nothing_acknowledged(
    data, review, tmp_path
):
    server = review(*data)
    assert server.origin.startswith("http://127.0.0.1:")
    with socket.socket() as other:
        # an address of this machine too, at which one that listens to all would answer
        port = int(server.origin.rpartition(":")[2])
        assert other.connect_ex(("127.0.0.2", port)) != 0
    acknowledged = []

    def keep():
        for place in itertools.count():
            try:
                acknowledged.append(server.decide(place % 12, "keep")["number"])
            except (OSError, http.client.HTTPException):
                return

    worker = threading.Thread(target=keep)
    worker.start()
    while len(acknowledged) < 15:
        worker.join(0.01)
    server.end(signal.SIGKILL)
    worker.join()
    rows = decision_log.corrections(tmp_path / "review.sqlite")
    assert rows == []
    again = review(*data)
    item = again.get("/api/suspects/0")
    assert item["seen"] >= max(acknowledged)
    assert item["counts"] == [0, 12, 0, 0]
    # the numbers go on without a gap
    assert again.decide(0, "exclude")["number"] == item["seen"] + 2


@pytest.mark.parametrize(
    "named",
    [("--export_label_studio=x.xml",), ("--export_all=x", "--export_corrections=./x")],
)
def test_exports_that_would_overwrite_one_another_are_refused(
    data, call, named, tmp_path
):
    imported = f"--import_corrections={tmp_path / 'theirs.csv'}"
    said = call("review", *data, *named, imported, code=1).stderr
    assert "Exports would overwrite one another" in said
    assert not (tmp_path / "review.sqlite").exists()


def test_the_log_and_its_exports_are_applied_on_reading(data, review, call, tmp_path):
    server = review(*data, "--port=0", "--label_studio_prefix=s3://mine/")
    task = server.get("/exports/label_studio.json")[0]
    assert task["data"]["image"].startswith("s3://mine/images/")
    server.decide(0, "relabel", "red", "green")
    server.decide(2, "exclude")
    server.decide(1, "merge", "blue", "azure")
    out, error = server.end()
    assert (server.process.returncode, error) == (0, "")
    assert out == (
        "3 of 12 decided, 9 open, 0 settled by other decisions\n"
        f"log: {tmp_path / 'review.sqlite'}\n"
    )
    assert sorted(path.name for path in tmp_path.glob("review*")) == ["review.sqlite"]
    said = call(
        "review", *data, f"--export_corrections={tmp_path / 'c.csv'}",
        f"--export_all={tmp_path / 'all.csv'}",
        f"--export_label_studio={tmp_path / 'tasks.json'}",
    ).stdout.splitlines()  # fmt: skip
    assert said[0] == f"written: {tmp_path / 'c.csv'}"
    assert len(json.loads((tmp_path / "tasks.json").read_text())) == 12
    assert (tmp_path / "tasks.xml").read_text().startswith("<View>")
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 4
    for log in ("review.sqlite", "c.csv"):
        found, notes = read(tmp_path, tmp_path / log)
        assert found.vocabulary.ids == ("red", "green", "azure")
        assert found.labels.counts().tolist() == [6, 1, 7]
        assert "images/2.png" not in found.ids
        assert "corrections applied: 1 relabel, 1 merge, 1 exclude" in notes


def test_a_second_round_goes_on_with_the_log_of_the_first(data, call, tmp_path):
    """Suspects of an audit with --corrections name what those have made."""
    vocabulary = read(tmp_path, "")[0].vocabulary
    made = decision_log.Decision(
        "2026-03-01T10:20:00", "ada", "relabel", "images/0.png", "red", "green",
        before=("red",), after=("green",),
    )  # fmt: skip
    log = decision_log.Log(tmp_path / "review.sqlite", vocabulary)
    with contextlib.closing(log), log.writing():
        log.append(made)
    found = [suspects.Suspect("images/0.png", "wrong_label", "green", "red", 0.9)]
    suspects.write(tmp_path / "suspects.csv", found)
    (tmp_path / "d.csv").write_text("label,definition,checklist\ngreen,A green.,\n")
    exported = tmp_path / "c.csv"
    data = [*data, f"--definitions={tmp_path / 'd.csv'}"]
    said = call("review", *data, f"--export_corrections={exported}").stdout
    assert said.splitlines()[1:2] == [
        "0 of 1 decided, 1 open, 0 settled by other decisions"
    ]
    # so does a new log that takes in the corrections of the old one
    (tmp_path / "review.sqlite").unlink()
    imported = f"--import_corrections={exported}"
    said = call("review", *data, imported, f"--export_all={tmp_path / 'a.csv'}").stdout
    assert "0 of 1 decided, 1 open, 0 settled by other decisions" in said


def test_corrections_of_elsewhere_are_imported(data, call, tmp_path):
    row = corrections.Correction(
        "2026-03-01T10:20:00", "eve", "remove", "images/0.png", "red"
    )
    corrections.append(tmp_path / "theirs.csv", [row])
    said = call(
        "review", *data, f"--import_corrections={tmp_path / 'theirs.csv'}",
        f"--export_corrections={tmp_path / 'c.csv'}",
    ).stdout  # fmt: skip
    assert "1 corrections of" in said
    assert corrections.read(tmp_path / "c.csv") == [row]


def test_a_port_in_use_is_one_line(data, call):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = call("review", *data, f"--port={port}", code=1)
    assert said.stderr.splitlines() == [
        "error: The port cannot be used (Address already in use). Expected: a free "
        f"one, or 0 for any. Received: --port={port}."
    ]


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--suspects=", "There is nothing to review"),
        ("--corrections={log}", "The page applies its log itself"),
        ("--log={log}", "the log is of data with another vocabulary"),
    ],
    ids=["suspects", "corrections", "log"],
)
def test_bad_input_is_one_line(data, call, tmp_path, flag, said):
    log = tmp_path / "review.sqlite"
    decision_log.Log(log, labels.Vocabulary(("green",))).close()
    found = call("review", *data, flag.format(log=log), code=1)
    (line,) = found.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_without_flask_one_line_names_the_extra(root):
    code = (
        "import runpy, sys; sys.modules['flask'] = None; "
        "sys.argv[0] = 'tools/review.py'; "
        "runpy.run_module('tools.review', run_name='__main__')"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, "--suspects=/no/such.csv"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (
        1,
        "error: The review page needs an optional dependency: "
        "pip install 'inclusive_tf[review]'\n",
    )


def test_help_loads_neither_tensorflow_nor_flask(root):
    code = (
        "import runpy, sys\n"
        "sys.argv = ['tools/review.py', '--help']\n"
        "try:\n    runpy.run_module('tools.review', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'tensorflow', 'keras', 'flask'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "--suspects" in found.stdout
    assert found.stdout.splitlines()[-1] == "[]"
