"""Runs each script with no room for its files, and looks at what is left.

    python -m tools.soak.full_disk

A run is trained and everything made of it once. Then each script runs again where no
file may be larger than 0, 2,000 and 20,000 bytes. It has to end with exit code 1 and
one line that names a file, or well where all its files are smaller; and every file that
was there has to be as it was, or whole and new. TensorFlow wants a folder for temporary
files when it is imported: where none takes a byte, the line names those folders.
"""

import pathlib
import tempfile

from data_pipelines import atomic
from tools import command
from tools.soak import scripts

LIMITS = (0, 2_000, 20_000)
SAID = ("no room", "too large", "No usable temporary directory")


def sums(folder):
    """Returns {path: SHA-256} of the files below a folder; logs are appended to."""
    return {
        path: atomic.sha256(path)
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file() and "logs" not in path.parts
    }


def end_of(done, before, after):
    """Returns ("refused" or "well", faults) of one call.

    Args:
        done: `subprocess.CompletedProcess`.
        before: `sums` before it.
        after: `sums` after it.
    """
    lines = [x for x in done.stderr.splitlines() if x.startswith("error:")]
    if not done.returncode:
        return "well", []
    faults = []
    if done.returncode != 1 or len(lines) != 1 or "Traceback (most" in done.stdout:
        faults.append(f"exit code {done.returncode}: {done.stderr[-600:]}")
    elif not any(words in lines[0] for words in SAID):
        faults.append(f"another error: {lines[0][:300]}")
    changed = [str(path) for path in before if after.get(path) != before[path]]
    litter = [str(path) for path in after if path.name.startswith(".")
              and path.name != ".lock" and path not in before]  # fmt: skip
    faults += [f"changed: {one}" for one in changed]
    faults += [f"left behind: {one}" for one in litter]
    return "refused", faults


def main(_):
    """Runs all and prints a table."""
    faults, rows = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        run, table, _ = scripts.trained(folder)
        steps = scripts.steps(run, table, folder)
        for script, arguments in steps:
            done = scripts.call(script, *arguments)
            if done.returncode:
                raise RuntimeError(f"tools.{script} failed: {done.stderr}")
        again = (f"--run={folder / 'other'}", f"--table={table}", *scripts.TRAINING)
        for script, arguments in [("train", again), *steps]:
            row = [script]
            for limit in LIMITS:
                before = sums(folder)
                done = scripts.call(script, *arguments, limit=limit)
                end, wrong = end_of(done, before, sums(folder))
                row.append("FAULT" if wrong else end)
                faults += [f"{script}, {limit} bytes: {one}" for one in wrong]
            rows.append(row)
    print("| script | " + " | ".join(f"{limit:,} bytes" for limit in LIMITS) + " |")
    print("| --- |" + " --- |" * len(LIMITS))
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print("\n*refused*: exit code 1, one line that names the file (or the folders for "
          "temporary files), and every file that was there is as it was; *well*: all "
          "files are smaller.")  # fmt: skip
    for fault in faults:
        print(f"- FAULT: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    command.run(main)
