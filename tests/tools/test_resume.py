"""A training killed at moments of its own choosing ends as one that was left alone."""

import random
import signal

import pytest

from tools.soak import resuming

SHORT = ["--steps_per_epoch=4", "--epochs=3"]


@pytest.mark.parametrize(
    ("carrier", "number"),
    [("indexed", signal.SIGKILL), ("streaming", signal.SIGTERM)],
)
def test_killed_within_an_epoch_it_ends_with_the_same_bits(
    make_table, colour_rows, tmp_path, carrier, number
):
    """A SIGKILL, most likely within a write, or a SIGTERM; `make soak` mixes them."""
    table = make_table(colour_rows())
    more = [f"--carrier={carrier}", *SHORT]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    resuming.finish(resuming.start(whole, table, *more))
    process = resuming.start(parts, table, *more)
    chance = random.Random(carrier)
    code, said = resuming.disturb(parts, process, number, chance, most=6)
    assert code == resuming.exit_code(number), said
    assert ("told to stop after step" in said) == (number == signal.SIGTERM)
    said = resuming.finish(resuming.start(parts, table, *more))
    assert "resuming after step" in said
    assert resuming.end_of(whole)[0]["step"] == "step-00000012"
    assert resuming.differences(whole, parts) == []
