"""A training killed at moments of its own choosing ends as one that was left alone."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

FLAGS = [
    "--dataset=table", "--height=8", "--width=8", "--channels=3", "--blocks=1,1",
    "--growth=4", "--batch_size=8", "--steps_per_epoch=10", "--warmup_steps=2",
    "--epochs=3", "--dropout=0.2", "--mirror=0.5", "--shift=0.1", "--keep=2",
    "--resampling=class_aware", "--learning_rate=0.01",
]  # fmt: skip
LAST = "step-00000030"


def start(root, run, table, *more):
    """Starts a training whose every step is followed by a checkpoint."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.train", f"--run={run}", f"--table={table}",
         *FLAGS, "--checkpoint_minutes=1e-8", *more],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for_checkpoints(run, process, count):
    """Waits until the process has written so many checkpoints more."""
    seen, deadline = set((run / "checkpoints").glob("step-*")), time.monotonic() + 300
    new = set()
    while len(new) < count and process.poll() is None:
        assert time.monotonic() < deadline
        new |= set((run / "checkpoints").glob("step-*")) - seen
        time.sleep(0.001)


def end_of(run):
    """Returns everything that two equal trainings have in common."""
    folder = run / "checkpoints" / LAST
    with np.load(folder / "variables.npz") as stored:
        variables = {name: stored[name] for name in stored.files}
    history = json.loads((run / "training.json").read_text())["history"]
    figures = [
        {name: value for name, value in epoch.items()
         if name not in ("seconds", "images_per_second", "waiting_for_data")}
        for epoch in history
    ]  # fmt: skip
    return variables, figures


@pytest.mark.parametrize("carrier", ["indexed", "streaming"])
def test_killed_within_epochs_it_ends_with_the_same_bits(
    root, make_table, colour_rows, tmp_path, carrier
):
    """A SIGKILL, most likely within a write, and a SIGTERM; then left alone."""
    table = make_table(colour_rows())
    more = [f"--carrier={carrier}"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    process = start(root, whole, table, *more)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    chance = random.Random(carrier)
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = start(root, parts, table, *more)
        wait_for_checkpoints(parts, process, chance.randint(1, 6))
        time.sleep(chance.random() * 0.05)
        process.send_signal(number)
        said = process.communicate()[0]
        if number == signal.SIGKILL:
            assert process.returncode == -number, said
        else:
            assert process.returncode == 128 + number, said
            assert "told to stop after step" in said
    process = start(root, parts, table, *more)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert "resuming after step" in said
    (first, history), (second, other) = end_of(whole), end_of(parts)
    assert history == other
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
