"""Puts the tables of a study into a page, between its marks."""

import pathlib

from data_pipelines import atomic, errors


def write(path, name, text):
    """Replaces what stands between the marks of a part.

    Args:
        path: Markdown page.
        name: of the part; its marks are `<!-- NAME -->` and `<!-- end NAME -->`.
        text: what shall stand there.

    Raises:
        errors.DataError: the page does not have the marks, each once, in that order.
    """
    path = pathlib.Path(path)
    before = path.read_text("utf-8")
    first, last = f"<!-- {name} -->", f"<!-- end {name} -->"
    places = before.find(first), before.find(last)
    if before.count(first) != 1 or before.count(last) != 1 or places[0] > places[1]:
        raise errors.DataError(
            "the page has no place for the tables",
            expected=f"{first} and {last}, each once",
            file=path,
        )
    start = places[0] + len(first)
    atomic.write_text(path, f"{before[:start]}\n{text.strip()}\n{before[places[1] :]}")
