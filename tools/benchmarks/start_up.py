"""Times how fast scripts start: a score against pandas, and every --help.

    python -m tools.benchmarks.start_up
    python -m tools.benchmarks.start_up --submission=A.csv --truth=B.csv --rounds=11

Runs A B A B ...: A is `python -m tools.score`, B a process that imports pandas and
reads the two files. Then it times `--help` of each script in tools/ and looks whether
it imported TensorFlow. Prints tables in Markdown; ends with exit code 3 when the ratio
is above 1.5, a --help takes a second or longer, or one imports TensorFlow. Without
files it makes a pair as large as the challenge's stage 1.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from absl import flags

from data_pipelines import atomic
from tools import calling, command, parts
from tools.benchmarks import tables, turns

FLAGS = flags.FLAGS


OURS, THEIRS = "`tools.score`", "pandas reads the files"
MOST_RATIO = 1.5
MOST_HELP_SECONDS = 1.0
_STAGE_1_IMAGES = 32_088
_READ_BY_PANDAS = (
    "import sys, pandas\n"
    "for path in sys.argv[1:]:\n"
    "    pandas.read_csv(path, header=None, dtype=str, keep_default_na=False)\n"
)


def seconds_of(arguments):
    """Runs `python` with `arguments` from the root; returns (seconds, process)."""
    start = time.perf_counter()
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=calling.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return time.perf_counter() - start, process


def score_against_pandas(submission, truth, rounds):
    """Returns `turns.take` of scoring and of reading with pandas.

    Raises:
        RuntimeError: one of the processes failed.
    """

    def process(*arguments):
        seconds, done = seconds_of(arguments)
        if done.returncode:
            raise RuntimeError(f"{arguments[:2]} failed: {done.stderr.strip()}")
        return seconds

    ways = {
        OURS: lambda: process(
            "-m", "tools.score", f"--submission={submission}", f"--truth={truth}"
        ),
        THEIRS: lambda: process("-c", _READ_BY_PANDAS, str(submission), str(truth)),
    }
    return turns.take(ways, rounds)


def scripts():
    """Returns the names of the scripts in tools/, such as "tools.score"."""
    paths = sorted((calling.ROOT / "tools").glob("*.py"))
    return [
        f"tools.{path.stem}"
        for path in paths
        if "command.run(" in path.read_text("utf-8") and path.stem != "command"
    ]


def help_of(script, rounds=3):
    """Returns (median seconds of `--help`, whether that imports TensorFlow or Keras).

    Raises:
        RuntimeError: the script shows no help.
    """
    times = []
    for _ in range(rounds):
        seconds, process = seconds_of(["-m", script, "--help"])
        times.append(seconds)
    if "flags:" not in process.stdout:
        raise RuntimeError(f"{script} --help failed: {process.stderr.strip()}")
    _, process = seconds_of(["-X", "importtime", "-m", script, "--help"])
    imported = {line.rsplit("|")[-1].strip() for line in process.stderr.splitlines()}
    return statistics.median(times), bool(imported & {"tensorflow", "keras"})


def _make_files(folder):
    labels = [f"/m/{number:04x}" for number in range(500)]
    for name, step in (("submission.csv", 7), ("truth.csv", 11)):
        rows = [
            (f"{image:024x}", " ".join(labels[image * step % 497 :][:3]))
            for image in range(_STAGE_1_IMAGES)
        ]
        atomic.write_csv(folder / name, ("image_id", "labels"), rows)
    return folder / "submission.csv", folder / "truth.csv"


def report_helps(found):
    """Prints how `--help` of scripts went; returns whether all is within bounds.

    Args:
        found: {script: what `help_of` returned}.
    """
    slowest = max(found, key=lambda script: found[script][0])
    heavy = [f"`{script}`" for script, (_, is_heavy) in found.items() if is_heavy]
    return tables.report(
        f"`--help` of {len(found)} scripts",
        [
            tables.Figure(
                f"the slowest, `{slowest}`",
                found[slowest][0],
                "{:.3f} s",
                most=MOST_HELP_SECONDS,
            ),
            tables.Figure(
                f"that import TensorFlow or Keras: {', '.join(heavy) or 'none'}",
                len(heavy),
                "{:d}",
                most=0,
            ),
        ],
    )


def main(_):
    """Measures, prints, and says whether all is within bounds."""
    with tempfile.TemporaryDirectory() as folder:
        made = _make_files(pathlib.Path(folder))
        submission, truth = FLAGS.submission or made[0], FLAGS.truth or made[1]
        seconds = score_against_pandas(submission, truth, FLAGS.rounds)
    goal = turns.Goal(OURS, THEIRS, MOST_RATIO, "time")
    within = turns.report("Start-up and a score", seconds, 1, "processes", [goal])
    within &= report_helps({script: help_of(script) for script in scripts()})
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_string("submission", None, "CSV file; None makes one.")
    flags.DEFINE_string("truth", None, "CSV file; None makes one.")
    flags.DEFINE_integer("rounds", 7, "Runs of each process.", lower_bound=1)


if __name__ == "__main__":
    define()
    command.run(main)
