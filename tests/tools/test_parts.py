"""Parts run as scripts of their own, and a page keeps what they print."""

import pytest

from data_pipelines import errors
from tools import calling, parts
from tools.benchmarks import __main__ as bench
from tools.soak import __main__ as soak

ENDS = {
    "good": "import sys; print('| it is', *sys.argv[1:], '|')",
    "slow": f"print('2 s, at most 1 s, {parts.MISSED}'); "
    f"raise SystemExit({parts.exit_code(False)})",
    "broken": f"print('half, {parts.MISSED}'); raise RuntimeError",
    "absent": f"print('no such machine'); raise SystemExit({parts.NOT_HERE})",
}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with places for scripts that end in each way."""
    folder = tmp_path / "tools" / "sample"
    folder.mkdir(parents=True)
    for name, code in ENDS.items():
        (folder / f"{name}.py").write_text(code)
    monkeypatch.setattr(calling, "ROOT", tmp_path)
    path = tmp_path / "page.md"
    path.write_text(
        "\n".join(f"<!-- of {name} -->\nold\n<!-- end of {name} -->" for name in ENDS)
    )
    return path


def test_the_page_keeps_what_each_printed_and_how_it_ended(page, capsys):
    asked = {"good": ("so", "1"), "slow": (), "broken": ()}
    assert parts.run("sample", asked, page, "of {}") == 1
    good, slow, broken, absent = page.read_text().split("<!-- end of ")[:4]
    assert "passed\n\n| it is so 1 |" in good
    assert "missed\n\n2 s" in slow
    assert "FAILED (exit code 1)\n\nhalf" in broken
    assert "old" not in good + slow + broken
    assert absent.endswith("<!-- of absent -->\nold\n")
    assert "good: 2" in capsys.readouterr().out


def test_what_this_machine_cannot_run_is_said_and_leaves_the_page_alone(page, capsys):
    before = page.read_text()
    assert parts.run("sample", {"absent": ()}, page, "of {}") == 0
    assert page.read_text() == before
    assert "not run\n\nno such machine" in capsys.readouterr().out


def test_parts_that_all_end_well_end_well_without_a_page(page):
    before = page.read_text()
    assert parts.run("sample", {"good": ()}) == 0
    assert page.read_text() == before


def test_a_page_without_a_place_is_an_error(page):
    with pytest.raises(errors.DataError, match="no place"):
        parts.run("sample", {"good": ()}, page)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("reliability.md", soak.PARTS),
        ("benchmarks.md", [bench.MARK.format(name) for name in bench.PARTS]),
    ],
)
def test_the_pages_have_a_place_for_each_part(root, path, names):
    text = (root / "docs" / path).read_text("utf-8")
    for name in names:
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- end {name} -->") == 1
