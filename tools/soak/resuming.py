"""Kills a training at random moments, and compares its end with one left alone.

    python -m tools.soak.resuming
    python -m tools.soak.resuming --kills=3 --carrier=indexed

For each carrier, one training runs undisturbed; another of the same flags gets --kills
signals at moments that the seed draws, SIGKILL four times in five, else SIGTERM, and is
started again after each. Every step is followed by a checkpoint, so that many kills
fall into a write. Dropout, augmentation, resampling, a moving average of the weights,
plateaus of the learning rate, clipping and momentum are on. Both must end with the same
bits: weights, optimiser, average, dropout's state and figures. Ends with exit code 1
where they do not.
"""

import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from absl import flags

from tools import calling, command

FLAGS = flags.FLAGS
EPOCHS, STEPS = 6, 30
TRAINING = (
    "--dataset=table", "--height=8", "--width=8", "--channels=3", "--blocks=1,1",
    "--growth=4", "--batch_size=8", f"--steps_per_epoch={STEPS}", "--warmup_steps=2",
    f"--epochs={EPOCHS}", "--dropout=0.2", "--mirror=0.5", "--shift=0.1", "--keep=2",
    "--resampling=class_aware", "--learning_rate=0.01", "--checkpoint_minutes=1e-8",
    "--average=ema", "--schedule=plateau", "--plateau_patience=1", "--clip_norm=1",
)  # fmt: skip
PATIENCE = 300.0
"""Seconds that checkpoints may take to come."""
TIMED = ("seconds", "images_per_second", "waiting_for_data")
"""Figures of an epoch that hang on the clock."""


def write_table(folder):
    """Writes small images and a table of them; returns its path."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    rows = ["path,labels,group,split"]
    for split, count in (("train", 48), ("validation", 12)):
        for number in range(count):
            label = ("red", "red", "red|blue", "blue")[number % 4]
            pixels = generator.integers(0, 60, (16, 16, 3), dtype=np.uint8)
            pixels[:, :8, 0] += 180 * ("red" in label)
            pixels[:, 8:, 2] += 180 * ("blue" in label)
            Image.fromarray(pixels).save(folder / f"{split}{number}.png")
            rows.append(f"{split}{number}.png,{label},north,{split}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def start(run, table, *more):
    """Starts the training in a process of its own; `more` flags come last."""
    return subprocess.Popen(
        [sys.executable, "-m", "tools.train", f"--run={run}", f"--table={table}",
         *TRAINING, *more],
        cwd=calling.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(process):
    """Waits for a training that nobody disturbs; returns what it said.

    Raises:
        RuntimeError: it failed.
    """
    said = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f"the training failed:\n{said}")
    return said


def disturb(run, process, number, chance, most=12):
    """Sends a training a signal at a random moment of its steps.

    Args:
        run: its run directory.
        process: of `start`.
        number: `signal.SIGKILL` or `signal.SIGTERM`.
        chance: `random.Random`.
        most: checkpoints that it may write before.

    Returns:
        (exit code, what it said).

    Raises:
        RuntimeError: its checkpoints do not come.
    """
    folder, deadline = run / "checkpoints", time.monotonic() + PATIENCE
    before, seen = set(folder.glob("step-*")), set()
    wanted = chance.randint(1, most)
    while len(seen) < wanted and process.poll() is None:
        seen |= set(folder.glob("step-*")) - before
        if time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"no checkpoints:\n{process.communicate()[0]}")
        time.sleep(0.001)
    time.sleep(chance.random() * 0.05)
    process.send_signal(number)
    said = process.communicate()[0]
    return process.returncode, said


def exit_code(number):
    """Returns the exit code of a process that a signal ended as it should."""
    return -number if number == signal.SIGKILL else 128 + number


def end_of(run):
    """Returns ({variable: array}, figures of the epochs) of a training that ended."""
    import h5py
    import numpy as np

    folder = max((run / "checkpoints").glob("step-*"))
    variables = {"step": np.array(folder.name)}
    with np.load(folder / "variables.npz") as stored:
        variables |= {name: stored[name] for name in stored.files}

    def keep(name, found):
        if isinstance(found, h5py.Dataset):
            variables[name] = found[()]

    with h5py.File(folder / "model.weights.h5") as stored:
        stored.visititems(keep)
    history = json.loads((run / "training.json").read_text("utf-8"))["history"]
    figures = [
        {name: value for name, value in epoch.items() if name not in TIMED}
        for epoch in history
    ]
    return variables, figures


def differences(run, other):
    """Returns the names of what differs between two trainings that ended."""
    import numpy as np

    (first, history), (second, figures) = end_of(run), end_of(other)
    names = [
        name
        for name in sorted(first.keys() | second.keys())
        if not np.array_equal(first.get(name, ()), second.get(name, ()))
    ]
    return names + ["figures"] * (history != figures)


def kill_often(run, table, flag, kills, chance):
    """Starts the training and disturbs it, again and again.

    Returns:
        [(name of the signal, whether a write was going on)].

    Raises:
        RuntimeError: it ended otherwise than the signal says.
    """
    told = []
    for _ in range(kills):
        number = signal.SIGTERM if chance.random() < 0.2 else signal.SIGKILL
        code, said = disturb(run, start(run, table, flag), number, chance)
        if code not in (exit_code(number), 0):
            raise RuntimeError(f"{code} after {number.name}:\n{said}")
        told.append((number.name, any((run / "checkpoints").glob(".*"))))
        newest = max((run / "checkpoints").glob("step-*"), default=run)
        print(f"{flag}: {number.name}, {newest.name}", file=sys.stderr, flush=True)
    return told


def main(_):
    """Kills, compares and prints."""
    failed = False
    for carrier in FLAGS.carrier:
        chance = random.Random(f"{FLAGS.seed} {carrier}")
        with tempfile.TemporaryDirectory() as temporary:
            folder, flag = pathlib.Path(temporary), f"--carrier={carrier}"
            table = write_table(folder)
            finish(start(folder / "whole", table, flag))
            told = kill_often(folder / "parts", table, flag, FLAGS.kills, chance)
            finish(start(folder / "parts", table, flag))
            found = differences(folder / "whole", folder / "parts")
            failed |= bool(found)
            killed = [one for one in told if one[0] == "SIGKILL"]
            print(
                f"- {carrier}: {len(killed)} SIGKILL ({sum(one[1] for one in killed)} "
                f"within a write) and {len(told) - len(killed)} SIGTERM among "
                f"{EPOCHS * STEPS} steps: "
                + (f"DIFFERENT {', '.join(found)}" if found else "the same bits"),
                flush=True,
            )
    return 1 if failed else 0


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("kills", 20, "Signals sent to a training.", 1)
    flags.DEFINE_list("carrier", ["indexed", "streaming"], "Carriers.")
    flags.DEFINE_integer("seed", 0, "Decides when and how.")


if __name__ == "__main__":
    define()
    command.run(main)
