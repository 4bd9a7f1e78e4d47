import math

import hypothesis
import pytest
from hypothesis import strategies

from inclusive_tf.report import wording


@hypothesis.given(strategies.text())
def test_markdown_names_keep_nothing_that_markdown_or_html_reads(text):
    escaped = wording.markdown(text, limit=10_000)
    assert not set(escaped) & set("<>|*_`[]\\")


@hypothesis.given(strategies.floats(-1, 1))
def test_a_number_is_its_value_and_never_a_false_zero(value):
    text = wording.number(value, signed=True)
    assert float(text.replace("−", "-")) == pytest.approx(value, abs=5e-4, rel=0.06)
    if value:
        assert float(text.replace("−", "-")) != 0
        assert text[0] in "+−"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_a_missing_number_is_not_available(missing):
    assert wording.number(missing) == "n/a"
    assert wording.count(missing) == "n/a"


@pytest.mark.parametrize(
    ("interval", "reason"),
    [
        (None, "not measured"),
        ({"value": None, "low": None, "high": None, "n": 0}, "no images"),
        ({"value": None, "n": 12}, "not defined for these images"),
        ({"value": math.nan, "n": 12}, "not defined for these images"),
        ({"value": 0.5, "low": None, "high": None, "n": 12}, "no interval was"),
    ],
)
def test_what_is_missing_has_a_reason(interval, reason):
    assert wording.figure(interval).reason.startswith(reason)


def test_a_figure_holds_value_interval_and_n():
    interval = {"value": 0.6312, "low": 0.6171, "high": 0.6449, "n": 5000}
    assert str(wording.figure(interval)) == "0.631 [0.617, 0.645]"
    assert wording.figure(interval).n == "5,000"


def test_items_are_listed_as_in_a_sentence():
    assert [wording.words(list("abc"[:n])) for n in range(4)] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
