"""Definitions are read from CSV and TOML alike, and what is unknown is counted."""

import pytest

from data_pipelines import errors
from inclusive_tf.review import definitions

KNOWN = ("bar", "café")
CSV = """label,definition,checklist
bar,"Drinks, over a counter",high chairs| bottles |counter
café,,
inn,A house,beds
"""
TOML = """
[bar]
definition = "Drinks, over a counter"
checklist = ["high chairs", "bottles", "counter"]
["café"]
[inn]
definition = "A house"
"""


@pytest.mark.parametrize(("name", "text"), [("d.csv", CSV), ("d.toml", TOML)])
def test_both_forms_say_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found, notes = definitions.read(tmp_path / name, KNOWN)
    assert found == {
        "bar": definitions.Definition(
            "Drinks, over a counter", ("high chairs", "bottles", "counter")
        ),
        "café": definitions.Definition(""),
    }
    assert notes == [
        "1 defined labels are not in the data and are left out (first: inn)"
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("d.csv", "label,definition\nbar,x\n", "columns are others"),
        ("d.csv", CSV + "bar,again,\n", r"d\.csv, row 5: a label is defined twice"),
        ("d.csv", "label,definition,checklist\ninn,x,\n", "no label that is defined"),
        ("d.toml", "bar = 3\n", "'bar' has another form"),
        ("d.toml", "[bar]\nchecklist = 'stools'\n", "'bar' has another form"),
        ("d.toml", "[bar]\nchecklist = [1]\n", "'bar' has another form"),
        ("d.toml", "[bar]\ncolour = 'red'\n", "'bar' has another form"),
        ("d.toml", "[bar\n", "no TOML"),
    ],
    ids=str,
)
def test_another_form_is_refused(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(errors.DataError, match=said):
        definitions.read(tmp_path / name, KNOWN)


@pytest.mark.parametrize("name", ["d.csv", "d.toml"])
def test_a_missing_or_unreadable_file_is_said(tmp_path, name):
    with pytest.raises(errors.DataError, match="no such file"):
        definitions.read(tmp_path / name, KNOWN)
    (tmp_path / name).write_bytes(b"[b\xff]")
    with pytest.raises(errors.DataError, match="not UTF-8"):
        definitions.read(tmp_path / name, KNOWN)
