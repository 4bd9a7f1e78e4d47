"""Suspicions are read back as they were written, and a wrong row is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipelines import errors, suspects

ROWS = [
    suspects.Suspect("c.jpg", "image", "", "", 0.5, "blurry"),
    suspects.Suspect("a.jpg", "wrong_label", "cat", "dog", 0.75, 'given, "0.02"'),
    suspects.Suspect("a.jpg", "wrong_label", "cow", "", 0.25),
    suspects.Suspect("b.jpg", "missing_label", "", "dog", 1.0),
    suspects.Suspect("d.jpg", "several_fit", "cat", "dog", 0.0),
]


def test_what_is_written_is_read_back_most_suspicious_first(tmp_path):
    suspects.write(tmp_path / "s.csv", ROWS)
    assert suspects.read(tmp_path / "s.csv") == sorted(ROWS, key=lambda r: -r.score)


@settings(max_examples=25)
@given(st.lists(st.text(min_size=1), min_size=1))
def test_any_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("suspects") / "s.csv"
    rows = [suspects.Suspect(t, "wrong_label", t, t, 0.5, t) for t in texts]
    suspects.write(path, rows)
    assert suspects.read(path) == rows


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,wrong,cat,,0.5,", "no such kind"),
        (",image,,,0.5,", "no id"),
        ("a,image,cat,,0.5,", "label of 'image' must be empty"),
        ("a,wrong_label,,dog,0.5,", "label of 'wrong_label' is empty"),
        ("a,missing_label,,,0.5,", "new_label of 'missing_label' is empty"),
        ("a,image,,,1.7,", "out of range"),
        ("a,image,,,nan,", "out of range"),
        ("a,image,,,high,", "out of range"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, said):
    path = tmp_path / "s.csv"
    path.write_text(f"{','.join(suspects.HEADER)}\nb,image,,,0.1,\n{row}\n")
    with pytest.raises(errors.DataError, match=rf"s\.csv, row 3: .*{said}"):
        suspects.read(path)
