"""Tables go between their marks and touch nothing else."""

import pytest

from data_pipelines import errors
from inclusive_tf.recipes import page


def test_what_stands_between_the_marks_is_replaced(tmp_path):
    path = tmp_path / "results.md"
    path.write_text("before\n<!-- a -->\nold\n<!-- end a -->\nafter\n")
    page.write(path, "a", "\n| new |\n")
    page.write(path, "a", "| newer |")
    assert path.read_text() == "before\n<!-- a -->\n| newer |\n<!-- end a -->\nafter\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- a -->",
        "<!-- end a --> <!-- a -->",
        "<!-- a --><!-- a --><!-- end a -->",
    ],
)
def test_a_page_without_a_place_is_refused(tmp_path, text):
    path = tmp_path / "results.md"
    path.write_text(text)
    with pytest.raises(errors.DataError, match="no place for the tables"):
        page.write(path, "a", "x")
    assert path.read_text() == text
