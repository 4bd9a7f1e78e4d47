"""What a person who watches a training sees."""

import sys
import time

import pytest

from inclusive_tf import writers

FIGURES = {
    "loss": 0.5, "seconds": 2.0, "images_per_second": 1234.0, "waiting_for_data": 0.25,
}  # fmt: skip


def test_a_line_an_epoch_says_what_it_cost(capsys):
    writers.Console().epoch(1, 3, 20, FIGURES)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "epoch 1/3, step 20, loss 0.5000, 1,234 images/s, 25% waiting for data, "
        "4 s left"
    )


def test_several_writers_are_told_the_same(capsys):
    several = writers.Several(writers.Console(), writers.Console())
    several.note("resuming after step 3")
    assert capsys.readouterr().out == 2 * "resuming after step 3\n"


def watch(first, batches, batch_size=10):
    bar = writers.ProgressBar(20, batch_size)
    bar.on_epoch_begin(0)
    # drawn once a second
    time.sleep(1.05)
    for batch in range(first, first + batches):
        bar.on_train_batch_end(batch, {"seconds_waited": 0.5})
    return bar


@pytest.mark.parametrize("first", [0, 5])
def test_a_bar_on_a_terminal_counts_images_and_waiting(monkeypatch, capsys, first):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bar = watch(first, 2)
    drawn = capsys.readouterr().err
    assert f"{10 * (first + 1)}" in drawn
    assert "images/s" in drawn
    assert "waiting for data" in drawn
    assert bar._bar.n == 10 * (first + 2)
    bar.on_epoch_end(0)


def test_elsewhere_there_is_no_bar(capsys):
    watch(0, 2).on_epoch_end(0)
    assert capsys.readouterr().err == ""


def test_a_training_that_goes_on_within_the_profiled_steps_records_no_more(
    monkeypatch, tmp_path
):
    from tensorflow import profiler

    calls = []
    monkeypatch.setattr(profiler.experimental, "start", lambda _: calls.append("start"))
    monkeypatch.setattr(profiler.experimental, "stop", lambda: calls.append("stop"))

    def steps(profile, count):
        for _ in range(count):
            profile.on_train_batch_begin(0)
            profile.on_train_batch_end(0, {"loss": 1.0})

    steps(writers.Profile(tmp_path, first=2, steps=3), 6)
    assert calls == ["start", "stop"]
    resumed = writers.Profile(tmp_path, first=2, steps=3)
    # as a checkpoint after step 2 has it
    resumed._begun = 2
    steps(resumed, 4)
    assert calls == ["start", "stop"]
