"""Feeds changed files to every reader until the time is over.

    python -m tools.soak.fuzz --minutes=10

Runs the tests of tests/hostile again and again with hypothesis' profile "soak", each
round with a new seed, which is printed: `pytest tests/hostile
--hypothesis-profile=soak --hypothesis-seed=SEED` repeats it. A round that is going on
when the time is over is finished. Exit code 1 where a reader did something else than
read or refuse, with what the round printed.
"""

import random
import re
import subprocess
import sys
import time

from absl import flags

from tools import calling, command

FLAGS = flags.FLAGS
FILES = ("tests/hostile/test_readers.py", "tests/hostile/test_image_files.py")
_EXAMPLES = re.compile(r"(\d+) passing")
_FAILURES = re.compile(r"^=+ FAILURES =+\n(.*?)^=+ Hypothesis Stat", re.M | re.S)


def round_of(seed, files=FILES, profile="soak"):
    """Runs every test once.

    Args:
        seed: int, of the examples.
        files: of tests.
        profile: of hypothesis; see tests/conftest.py.

    Returns:
        (exit code, what was printed, examples that were read or refused).
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         f"--hypothesis-profile={profile}", f"--hypothesis-seed={seed}",
         "--hypothesis-show-statistics", *files],
        cwd=calling.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    passing = sum(map(int, _EXAMPLES.findall(said)))
    return done.returncode, said, passing


def found_in(said):
    """Returns what pytest says of failures, without statistics; else the end of it."""
    failures = _FAILURES.search(said)
    return (failures[1] if failures else said)[-6000:]


def main(_):
    """Runs rounds and prints what they found."""
    start, seeds, examples, code = time.monotonic(), [], 0, 0
    while not code and time.monotonic() - start < 60 * FLAGS.minutes:
        seeds.append(random.SystemRandom().randrange(2**32))
        code, said, passing = round_of(seeds[-1])
        examples += passing
    minutes = (time.monotonic() - start) / 60
    print(f"- {minutes:.1f} minutes, {len(seeds)} rounds, {examples:,} changed files")
    print(f"- seeds: {', '.join(map(str, seeds))}")
    if code:
        print(f"- the last round found something:\n\n```\n{found_in(said)}\n```")
        return 1
    print("- each was read or refused with an error of ours; no process died")
    return 0


if __name__ == "__main__":
    flags.DEFINE_float("minutes", 10.0, "When no new round is begun.", 0)
    command.run(main)
