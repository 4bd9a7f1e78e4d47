"""Numbers and names as a page writes them."""

import pytest

from inclusive_tf.exploration import look, sections, texts


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0"), (1, "100"), (0.9999, "99.9"), (0.35, "35"), (0.0995, "9.9"),
        (0.0018, "0.18"), (0.02, "2"), (0.000016, "0.0016"), (1e-9, "1e-07"),
    ],
)  # fmt: skip
def test_shares_are_written_with_two_figures_and_never_round_up_to_all(share, text):
    if share == 0.0995:
        assert texts.percent(share) in ("9.9\u00a0%", "10\u00a0%")
    else:
        assert texts.percent(share) == f"{text}\u00a0%"


def test_nothing_is_not_available():
    assert texts.percent(None) == texts.decimal(None) == texts.size(None) == "n/a"


@pytest.mark.parametrize(
    ("count", "text"),
    [(812, "812 B"), (999.6, "1 kB"), (3412, "3.41 kB"), (999_700, "1 MB"),
     (5e12, "5e+03 GB")],
)  # fmt: skip
def test_bytes_are_written_by_thousands(count, text):
    assert texts.size(count) == text.replace(" ", "\u00a0")


def test_ratios_say_which_way():
    assert texts.ratio(2) == "×4"
    assert texts.ratio(-1) == "÷2"


def test_a_name_for_plotly_holds_no_tag_entity_or_formula(hostile):
    for name in hostile:
        for text in (texts.tick(name, 20), texts.hover(name).replace("<br>", "")):
            assert not set("<>$") & set(text)
            assert not set("\0\n\u202e\ud800") & set(text)
            assert "&lt;b&gt;" not in text or "<b>" in name or "&lt;" in name
    assert texts.tick("&lt;b&gt;", 20) == "&amp;lt;b&amp;gt;"


def test_wide_letters_take_two_columns():
    assert texts.tick("日本語日本語", 6) == "日本…"
    assert texts.tick("abcdefgh", 6) == "abcde…"
    assert texts.tick("abcdef", 6) == "abcdef"


def test_names_from_right_to_left_are_kept_to_themselves():
    assert texts.name("العربية") == "\u2068العربية\u2069"
    assert texts.name("Tree") == "Tree"


def test_rows_stand_at_places_not_at_names():
    axis, narrow = look.rows_axis(["Trunk", "Trunk", "2011"])
    assert axis["tickvals"] == [0, 1, 2]
    assert axis["ticktext"] == narrow["yaxis.ticktext"] == ["Trunk", "Trunk", "2011"]


@pytest.mark.parametrize(
    ("number", "whole", "said"),
    [
        (1, 1, "The only one is shown."),
        (2, 2, "Both groups are shown."),
        (3, 3, "All 3 groups are shown."),
        (2, 1200, "2 of 1,200 groups are shown."),
    ],
)
def test_what_is_shown_of_how_many_reads_as_a_sentence(number, whole, said):
    assert sections.shown(number, whole, "groups") == said
