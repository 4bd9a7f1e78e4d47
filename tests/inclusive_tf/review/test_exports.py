"""What leaves a review is what was decided, in the forms that others read."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import pytest

from data_pipelines import correction_log, corrections, errors
from inclusive_tf.review import desk as review_desk
from inclusive_tf.review import exports

TIME = "2026-03-01T10:20:00"


def ask(desk, place, action, label="", new_label=""):
    seen = desk.item(place)["seen"]
    return desk.decide(review_desk.Request(place, seen, action, label, new_label))


@pytest.fixture
def reviewed(make_desk):
    desk = make_desk()
    ask(desk, 0, "relabel", "cat", "dog")
    ask(desk, 1, "several_fit", "cat", "dog")
    ask(desk, 2, "keep")
    ask(desk, 4, "exclude")
    wrong, _ = ask(desk, 3, "add", "cow")
    desk.undo(wrong.number, wrong.number)
    return desk


def test_the_csv_of_corrections_does_what_the_log_does(reviewed, tmp_path):
    (tmp_path / "c.csv").write_text(exports.corrections_csv(reviewed.now))
    from_csv = corrections.read(tmp_path / "c.csv")
    assert from_csv == corrections.read(reviewed.log.path)
    assert [one.action for one in from_csv] == ["relabel", "add", "exclude"]
    one, _ = corrections.apply(reviewed.table, from_csv)
    assert one.ids.tolist() == ["a.png", "b.png", "c.png", "d.png", "f.png"]


def test_the_csv_of_everything_has_every_row(reviewed):
    rows = list(csv.DictReader(io.StringIO(exports.all_csv(reviewed.now))))
    assert [row["action"] for row in rows] == [
        "relabel", "several_fit", "keep", "exclude", "add", "undo",
    ]  # fmt: skip
    assert [row["stands"] for row in rows] == ["yes"] * 4 + ["no"] * 2
    assert rows[5]["withdraws"] == "5"
    assert json.loads(rows[1]["before"]) == ["cat", "cow"]
    assert json.loads(rows[0]["question"]) == ["a.png", "wrong_label", "cat", "dog"]


def test_no_spreadsheet_calculates_what_the_csv_for_people_holds(make_desk):
    desk = make_desk(who="=HYPERLINK(1)")
    ask(desk, 0, "relabel", "cat", "dog")
    (row,) = csv.DictReader(io.StringIO(exports.all_csv(desk.now)))
    assert row["who"] == "'=HYPERLINK(1)"
    # the log of corrections is read back, and stays as it is
    assert ",=HYPERLINK(1)," in exports.corrections_csv(desk.now)


def test_tasks_of_label_studio_fit_their_configuration(reviewed):
    view = ElementTree.fromstring(exports.label_studio_config(reviewed.now))
    image, choices = view
    assert (image.tag, image.get("value")) == ("Image", "$image")
    assert choices.get("choice") == "multiple"
    known = {one.get("alias", one.get("value")) for one in choices}
    assert known == {one["id"] for one in reviewed.labels()}
    tasks = json.loads(exports.label_studio_tasks(reviewed, "/files/?d="))
    assert [task["data"]["id"] for task in tasks] == [
        "a.png", "b.png", "c.png", "d.png", "e.png",
    ]  # fmt: skip
    for task in tasks:
        for one in [*task["predictions"], *task.get("annotations", ())]:
            (result,) = one["result"]
            assert result["from_name"] == choices.get("name")
            assert result["to_name"] == choices.get("toName") == image.get("name")
            assert result["type"] == "choices"
            assert set(result["value"]["choices"]) <= known
    first = tasks[0]
    assert first["data"]["image"] == "/files/?d=a.png"
    assert first["data"]["stated"] == ["cat"]
    # both suspicions of the image together
    assert first["predictions"][0]["result"][0]["value"]["choices"] == ["dog", "cow"]
    assert first["annotations"][0]["result"][0]["value"]["choices"] == ["dog"]
    assert [task["annotations"][0]["was_cancelled"] for task in tasks
            if "annotations" in task] == [False, False, False, True]  # fmt: skip
    assert "annotations" not in tasks[3]


def test_corrections_are_imported_once_and_take_part(reviewed, tmp_path):
    rows = [
        correction_log.Correction(TIME, "eve", "remove", "f.png", "cow"),
        correction_log.Correction(TIME, "eve", "merge", "", "cow", "calf"),
        correction_log.Correction(TIME, "eve", "add", "f.png", "calf"),
        correction_log.Correction(TIME, "eve", "exclude", "zzz.png"),
    ]
    path = tmp_path / "theirs.csv"
    correction_log.append(path, rows)
    assert exports.import_corrections(reviewed, path) == [
        f"3 corrections of {path} were added to the log",
        "1 name an image that is not in the data",
    ]
    written = reviewed.log.since(6)
    assert [(one.before, one.after) for one in written] == [
        (("cow",), ()), (("cow",), ("calf",)), ((), ("calf",)),
    ]  # fmt: skip
    assert [one.who for one in written] == ["eve"] * 3
    assert reviewed.now.labels(5) == (("calf",), False)
    again = exports.import_corrections(reviewed, path)
    assert again[:2] == [
        f"0 corrections of {path} were added to the log",
        "3 were in the log before",
    ]


def test_an_import_that_does_not_fit_adds_nothing(reviewed, tmp_path):
    path = tmp_path / "theirs.csv"
    correction_log.append(path, [
        correction_log.Correction(TIME, "eve", "remove", "f.png", "cow"),
        correction_log.Correction(TIME, "eve", "add", "f.png", "unicorn"),
    ])  # fmt: skip
    with pytest.raises(errors.DataError, match=r"theirs\.csv, row 3: .*not known"):
        exports.import_corrections(reviewed, path)
    assert len(reviewed.log.since(0)) == 6
