"""What was decided stays as it was, on the disk, and is read as corrections."""

import dataclasses
import os
import sqlite3
import subprocess
import sys

import pytest

from data_pipelines import correction_log, corrections, decision_log, errors, labels

TIME = "2026-03-01T10:20:00.000+00:00"
VOCABULARY = labels.Vocabulary(("cat", "dog"))


def decision(action, *fields, **more):
    return decision_log.Decision(TIME, "ada", action, *fields, **more)


def written(log, *decisions):
    with log.writing():
        return [log.append(one) for one in decisions]


@pytest.fixture
def log(tmp_path):
    made = decision_log.Log(tmp_path / "review.sqlite", VOCABULARY)
    yield made
    made.close()


def test_rows_come_back_as_they_were_written_with_numbers_of_their_own(log):
    rows = [
        decision(
            "keep", "a.jpg", question='["a.jpg"]', before=("cat",), after=("cat",)
        ),
        decision("relabel", "né.jpg", "cat", "日本 🐕"),
        decision("merge", "", "cat", "dog", before=("cat",), after=("dog",)),
        decision("several_fit", "a.jpg", "cat", "dog"),
        decision("undo", "a.jpg", withdraws=1, before=("cat",), after=("cat",)),
    ]
    assert written(log, *rows) == rows
    assert log.since(0) == rows
    assert [one.number for one in log.since(0)] == [1, 2, 3, 4, 5]
    assert log.since(3) == rows[3:]


def test_what_counts_is_read_as_corrections(log, tmp_path):
    written(
        log,
        decision("keep", "a.jpg"),
        decision("remove", "a.jpg", "cat"),
        decision("several_fit", "b.jpg", "cat", "dog"),
        decision("exclude", "c.jpg"),
        decision("undo", "a.jpg", withdraws=2),
    )
    found = corrections.read(tmp_path / "review.sqlite")
    assert found == [
        correction_log.Correction(TIME, "ada", "add", "b.jpg", "dog"),
        correction_log.Correction(TIME, "ada", "exclude", "c.jpg"),
    ]
    assert [(one.file, one.row) for one in found] == [
        (str(tmp_path / "review.sqlite"), 3),
        (str(tmp_path / "review.sqlite"), 4),
    ]


def test_a_csv_is_still_read_as_one(tmp_path):
    row = correction_log.Correction(TIME, "ada", "exclude", "c.jpg")
    corrections.append(tmp_path / "log.csv", [row])
    assert corrections.read(tmp_path / "log.csv") == [row]
    with pytest.raises(errors.DataError, match="there is no such file"):
        corrections.read(tmp_path / "none.sqlite")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET who = 'bob'",
        "DELETE FROM decisions",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE number = 1",
        "UPDATE facts SET value = 'x'",
        "DELETE FROM facts",
        "INSERT OR REPLACE INTO facts VALUES ('vocabulary', 'x')",
        "REPLACE INTO decisions (time, who, action, id, label, new_label, question, "
        "before, after, withdraws) VALUES ('t', 'w', 'undo', '', '', '', '', '', '', "
        "1)",
    ],
)
def test_nothing_is_ever_changed_or_deleted(log, statement):
    rows = written(
        log, decision("keep", "a.jpg"), decision("undo", "a.jpg", withdraws=1)
    )
    other = sqlite3.connect(log.path)
    with pytest.raises(sqlite3.IntegrityError, match="never changed or deleted"):
        other.execute(statement)
    other.close()
    assert log.since(0) == rows


@pytest.mark.parametrize("withdraws", [2, 3, 99], ids=["undo", "itself", "nothing"])
def test_only_an_earlier_decision_can_be_withdrawn(log, withdraws):
    written(log, decision("keep", "a.jpg"), decision("undo", "a.jpg", withdraws=1))
    with pytest.raises(sqlite3.IntegrityError, match="withdraws an earlier decision"):
        written(log, decision("undo", "a.jpg", withdraws=withdraws))
    assert len(log.since(0)) == 2


def test_rows_of_one_step_are_written_all_or_not_at_all(log):
    with pytest.raises(sqlite3.IntegrityError):
        written(log, decision("keep", "a.jpg"), decision("undo", "a.jpg", withdraws=7))
    assert log.since(0) == []
    (kept,) = written(log, decision("keep", "b.jpg"))
    assert kept.number == 1


def test_what_is_acknowledged_is_on_the_disk(log):
    assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    full = 2
    assert log._connection.execute("PRAGMA synchronous").fetchone() == (full,)


def test_a_log_is_read_while_it_is_written_to_and_is_one_file_when_closed(log):
    written(log, decision("exclude", "a.jpg"))
    assert len(decision_log.corrections(log.path)) == 1
    log.close()
    assert os.listdir(log.path.parent) == ["review.sqlite"]
    os.chmod(log.path.parent, 0o555)
    try:
        assert len(decision_log.corrections(log.path)) == 1
    finally:
        os.chmod(log.path.parent, 0o755)
    log._connection = sqlite3.connect(log.path)


def test_a_log_of_another_vocabulary_is_refused(log):
    other = labels.Vocabulary(("cat", "cow"))
    with pytest.raises(errors.DataError, match="another vocabulary"):
        decision_log.Log(log.path, other)
    renamed = labels.Vocabulary(VOCABULARY.ids, ("Cat", "Dog"))
    decision_log.Log(log.path, renamed).close()


def test_another_file_is_refused_and_left_as_it_was(tmp_path):
    text, database = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("time,who\n")
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(decision_log.MAGIC + bytes(range(256)) * 20)
    for path in (text, database, damaged):
        before = path.read_bytes()
        with pytest.raises(errors.DataError, match="no log of a review"):
            decision_log.Log(path, VOCABULARY)
        assert path.read_bytes() == before
    for path in (database, damaged):
        with pytest.raises(errors.DataError, match="no log of a review"):
            corrections.read(path)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("keep", ()),
        ("keep", ("a.jpg", "cat")),
        ("undo", ("a.jpg", "cat")),
        ("several_fit", ("a.jpg", "cat")),
        ("remove", ("a.jpg",)),
        ("burn", ("a.jpg",)),
        ("remove", ("a\n.jpg", "cat")),
    ],
)
def test_a_row_with_other_fields_is_refused(action, fields):
    with pytest.raises(errors.DataError):
        decision(action, *fields)


def test_two_processes_lose_nothing_of_each_other(log):
    code = """
import sys
from data_pipelines import decision_log, labels
log = decision_log.Log(sys.argv[1], labels.Vocabulary(("cat", "dog")))
for number in range(40):
    with log.writing():
        log.append(decision_log.Decision("2026-03-01T10:20:00", sys.argv[2], "keep",
                                         f"{number}.jpg"))
log.close()
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(log.path), who])
        for who in ("ada", "bob")
    ]
    assert [one.wait() for one in started] == [0, 0]
    rows = log.since(0)
    assert [one.number for one in rows] == list(range(1, 81))
    for who in ("ada", "bob"):
        mine = [one.id for one in rows if one.who == who]
        assert mine == [f"{number}.jpg" for number in range(40)]


def test_a_decision_is_what_its_fields_say():
    one = decision("relabel", "a.jpg", "cat", "dog")
    assert one.correction() == correction_log.Correction(*dataclasses.astuple(one)[:6])
