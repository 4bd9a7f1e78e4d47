"""Streams are started anew, and only what follows the first batches is timed."""

import time

import pytest

from tools.benchmarks import streams


def test_a_stream_is_started_anew_and_its_beginning_is_not_counted():
    asked = []

    def start(count):
        asked.append(count)
        for number in range(count):
            time.sleep(0.05 if number < 2 else 0)
            yield number

    stream = streams.Stream(start, batches=5, before=2)
    ways = streams.ways({"a": stream}, batches=10)
    assert ways["a"]() < 0.05
    assert ways["a"]() < 0.05
    assert asked == [7, 7]


def test_seconds_stand_for_the_batches_asked_for():
    stream = streams.Stream(lambda count: iter(_slow(count)), batches=2)
    assert streams.ways({"a": stream}, batches=20)["a"]() >= 10 * 0.02


def test_a_stream_that_ends_early_is_an_error():
    stream = streams.Stream(lambda count: iter(range(count - 1)), batches=2)
    with pytest.raises(StopIteration):
        stream.seconds(2)


def _slow(count):
    for number in range(count):
        time.sleep(0.01)
        yield number
