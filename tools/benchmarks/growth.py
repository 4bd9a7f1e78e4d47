"""Measures how time and memory grow with the work.

    python -m tools.benchmarks.growth
    python -m tools.benchmarks.growth --works=f2 --works=rates --times=1,4,16

Each work is done once, twice, 4, 8 and 16 times as large, each size in a process of its
own:

    indexed     an epoch of 256 photographs and more, see `carriers`
    streaming   the same from TFRecords
    f2          mean F2 of 2,000 images and more with 7,178 labels, from a mapped file
    fusion      label fusion of 0.5 % of the challenge's rows and more (`label_fusion`)
    rates       rates and an epoch's plan of 2 % of the challenge and more (`sampling`)
    report      a report of 8 errors and more, see `report`

The exponent is the slope of log seconds over log size by least squares: 1 is linear.
Prints a table in Markdown. Ends with exit code 3 where an exponent is above 1.1, or
where what streams needs more than 1.3 times the memory for the largest as for the
smallest: a mapped file's own pages, which the system takes back, do not count.
"""

import dataclasses
import functools
import pathlib
import tempfile

from absl import flags

from tools import command, parts
from tools.benchmarks import (
    carriers,
    figures,
    label_fusion,
    memory,
    report,
    sampling,
    tables,
)

FLAGS = flags.FLAGS

MOST_EXPONENT, MOST_MEMORY = 1.1, 1.3
CLASSES = 7_178
PHOTOGRAPHS = 256


@dataclasses.dataclass(frozen=True)
class Work:
    """Work of any size.

    Args:
        title: what it is, and its smallest size.
        make: function of (folder, size from 1) that makes its input there and returns
            the arguments of `prepare`.
        prepare: "module:name", see `memory.apart`.
        streams: whether it should need no more memory for more work.
    """

    title: str
    make: object
    prepare: str
    streams: bool = False


def _make_photographs(carrier, folder, size):
    carriers.lay_out(carrier, PHOTOGRAPHS * size, folder)
    return carrier, PHOTOGRAPHS * size, str(folder)


def _make_f2(folder, size):
    import numpy as np

    truth = figures.make_scores(folder / "scores.npy", 2_000 * size, CLASSES)
    np.save(folder / "offsets.npy", truth.offsets)
    np.save(folder / "index.npy", truth.index)
    names = ("scores", "offsets", "index")
    return [str(folder / f"{name}.npy") for name in names]


def _make_fusion(folder, size):
    return "fusion", str(folder), label_fusion.make_files(folder, 0.005 * size)


def _make_rates(folder, size):
    sampling.make(folder, 0.02 * size)
    return "plan_by_label", str(folder)


def _make_report(folder, size):
    return 8 * size, str(folder)


def reporting(count, folder):
    """Prepares a report of so many errors; see `memory.apart`."""
    made = report.make(count, 28, 56, 1)
    # imports are no part of the work
    rows, predicted, training = made
    report.write(report.describe(rows[:2], predicted, training), folder)
    return lambda: report.write(report.describe(*made), folder)


_HERE = "tools.benchmarks"
WORKS = {
    **{
        carrier: Work(
            f"{carrier} carrier, {PHOTOGRAPHS} photographs",
            functools.partial(_make_photographs, carrier),
            f"{_HERE}.carriers:bringing",
            streams=True,
        )
        for carrier in ("indexed", "streaming")
    },
    "f2": Work(
        "mean F2, 2,000 images", _make_f2, f"{_HERE}.figures:scoring", streams=True
    ),
    "fusion": Work(
        "label fusion, 0.5 %", _make_fusion, f"{_HERE}.label_fusion:working"
    ),
    "rates": Work("rates and plan, 2 %", _make_rates, f"{_HERE}.sampling:counting"),
    "report": Work("report, 8 errors", _make_report, f"{_HERE}.growth:reporting"),
}


def exponent(sizes, values):
    """Returns b of values = a * sizes^b, by least squares of the logarithms."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def measure(work, sizes, folder=None):
    """Does work of each size in a process of its own.

    Args:
        work: `Work`.
        sizes: list of int.
        folder: where input is made; None: temporary.

    Returns:
        list of `memory.Used`.
    """
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            arguments = work.make(pathlib.Path(made), size)
            found.append(memory.apart(work.prepare, *arguments))
    return found


def figures_of(work, sizes, used):
    """Returns the `tables.Figure`s of a work: how its time and its memory grow."""
    seconds = [one.seconds for one in used]
    # what is there before the work, the interpreter and its libraries, is no part of
    # what grows, but of what is needed
    needed = [one.own for one in used]
    ratio = needed[-1] / needed[0]
    said = ", ".join(f"{one:.2g}" for one in seconds)
    megabytes = ", ".join(f"{one / 1e6:,.0f}" for one in needed)
    return [
        tables.Figure(
            f"{work.title}: exponent of the seconds ({said})",
            exponent(sizes, seconds),
            "{:.2f}",
            most=MOST_EXPONENT,
        ),
        tables.Figure(
            f"{work.title}: memory ({megabytes} MB), largest over smallest",
            ratio,
            "{:.2f}",
            most=MOST_MEMORY if work.streams else None,
        ),
    ]


def main(_):
    """Measures, prints, and says whether the goals are met."""
    sizes = [int(size) for size in FLAGS.times]
    rows = []
    for name in FLAGS.works:
        used = measure(WORKS[name], sizes, FLAGS.folder)
        rows += figures_of(WORKS[name], sizes, used)
    title = f"{', '.join(FLAGS.times)} times the work"
    return parts.exit_code(tables.report(title, rows))


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_multi_enum("works", list(WORKS), list(WORKS), "What is measured.")
    flags.DEFINE_list("times", ["1", "2", "4", "8", "16"], "Sizes, rising.")
    flags.DEFINE_string("folder", None, "Where input is made; None is temporary.")


if __name__ == "__main__":
    define()
    command.run(main)
