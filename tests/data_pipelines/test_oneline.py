"""Other people's names are shown on one line, whatever they hold."""

import unicodedata

import hypothesis
from hypothesis import strategies

from data_pipelines import oneline


@hypothesis.given(strategies.text())
def test_clean_names_are_one_line_without_control_or_direction_marks(text):
    cleaned = oneline.clean(text)
    assert cleaned
    kinds = {unicodedata.category(one) for one in set(cleaned) - set("\u200c\u200d")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set(cleaned) & set("\n\r\t\0\x1b\u2028\u202a\u202d\u202e\u2066\u2069")
    cleaned.encode("utf-8")
    assert oneline.clean(cleaned) == cleaned


def test_half_a_surrogate_pair_can_be_written():
    assert oneline.clean("a\ud800b").encode("utf-8") == "a\ufffdb".encode()


def test_long_names_are_cut_and_say_so():
    assert len(oneline.short("x" * 10_000)) == oneline.SHORT
    assert oneline.short("x" * 10_000).endswith("…")
    assert oneline.short("x" * 80) == "x" * 80
