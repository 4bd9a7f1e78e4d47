"""A small data set of awkward images and names, and the scripts that work on it."""

import csv
import io
import os
import pathlib
import sys
import tarfile
import time

from tools import calling

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://example.org","x")',
    "two\nlines\rand a return",
    "\u202eright to left",
    "x" * 10_000,
    "@SUM(1)",
    "NA",
)
GROUPS = ("=1+1", "<b>south</b>\n\u202e")
SPLITS = {"train": 48, "validation": 16, "tuning": 24, "stage": 24}
TRAINING = (
    "--dataset=table", "--height=16", "--width=16", "--channels=3", "--growth=4",
    "--blocks=1", "--batch_size=16", "--epochs=1", "--warmup_steps=1", "--mirror=0",
    "--shift=0", "--max_bad_fraction=0.9",
)  # fmt: skip


def awkward(folder):
    """Puts awkward files into a folder; returns their paths.

    They are those of `awkward_images.tar` where the real data are, else a few that are
    made here.
    """
    data = pathlib.Path(
        os.environ.get("INCLUSIVE_TF_DATA", calling.ROOT.parent / "shared" / "data")
    )
    archive = data / "awkward_images.tar"
    if archive.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        return sorted((folder / "awkward_images" / "files").iterdir())
    good = picture(0)
    made = {
        "cut.png": good[:50],
        "empty.jpg": b"",
        "page.png": b"<html>",
        "a.jpg": good,
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


def picture(number):
    """Returns the bytes of a PNG file whose colours tell its label."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(number)
    pixels = random.integers(0, 60, (20, 24, 3), np.uint8)
    pixels[..., number % 3] += np.uint8(20 * (number % len(NAMES)))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make(folder):
    """Makes a table; returns (its path, paths of the awkward images)."""
    strange = awkward(folder)
    rows = []
    for split, count in SPLITS.items():
        for number in range(count):
            path = f"{split}-{number}.png"
            (folder / path).write_bytes(picture(number))
            rows.append((path, NAMES[number % len(NAMES)], GROUPS[number % 2], split))
    for number, path in enumerate(strange):
        split = list(SPLITS)[number % len(SPLITS)]
        name = path.relative_to(folder).as_posix()
        rows.append((name, NAMES[number % len(NAMES)], GROUPS[number % 2], split))
    table = folder / "labels.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("path", "labels", "group", "split"), *rows])
    return table, strange


def call(script, *arguments, limit=None):
    """Runs a script in a process of its own.

    Args:
        script: name within `tools`.
        arguments: of its command line.
        limit: bytes that a file may have; None: any.

    Returns:
        `subprocess.CompletedProcess` with text.
    """
    begin = time.monotonic()
    within = [] if limit is None else ["prlimit", f"--fsize={limit}:unlimited"]
    done = calling.run(script, *arguments, within=within)
    seconds = time.monotonic() - begin
    room = "" if limit is None else f" within {limit} bytes a file"
    print(f"{script}{room}: exit code {done.returncode} after {seconds:.0f} s",
          file=sys.stderr, flush=True)  # fmt: skip
    return done


def trained(folder):
    """Makes the table and trains on it; returns (run, table, awkward paths).

    Raises:
        RuntimeError: the training failed.
    """
    table, strange = make(folder)
    run = folder / "run"
    done = call("train", f"--run={run}", f"--table={table}", *TRAINING)
    if done.returncode:
        raise RuntimeError(f"tools.train failed: {done.stderr}")
    return run, table, strange


def steps(run, table, folder):
    """Returns [(script, arguments)] of what is done with a run, in order."""
    stage, both = run / "predictions" / "stage", run / "adaptation" / "both"
    plain = (f"--runs=plain={run}", "--evaluate=stage", "--bootstrap=20")
    return [
        ("predict", (f"--run={run}",)),
        ("adapt", (f"--predictions={run}/predictions/tuning", "--last_layer",
                   "--threshold=global", f"--output={both}")),
        ("evaluate", (f"--predictions={stage}", f"--adaptation={both}",
                      "--bootstrap=20", f"--output={folder}/figures.json")),
        ("explain", (f"--run={run}", "--split=stage", f"--adaptation={both}",
                     "--count=6", "--methods=grad_cam,occlusion")),
        ("audit", (f"--predictions={stage}", f"--judged={stage}", f"--run={run}",
                   f"--output={folder}/audit")),
        ("explore", ("--dataset=table", f"--table={table}",
                     f"--output={folder}/explore")),
        ("report", (*plain, f"--output={folder}/report")),
        ("export", (f"--run={run}", f"--adaptation={both}")),
    ]  # fmt: skip
