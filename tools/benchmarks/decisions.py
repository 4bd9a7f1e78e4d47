"""Times decisions at the size of the Inclusive Images Challenge, on one core.

    python -m tools.benchmarks.decisions
    python -m tools.benchmarks.decisions --part=memory --folder=/fast/disk

--part=search: coordinate ascent of the 3rd place's rule over 7,178 labels, 99
candidates, 1,000 images and two passes, against the same search that recomputes the
mean F2 of all images with vectorised NumPy for each candidate. The recomputation is
timed on the first --slice labels of the first pass and scaled to all; both are timed in
turn, --rounds times. Ends with exit code 3 above 60 s, below a ratio of 100, or where
the two find different thresholds.

--part=memory: priors by EM, and sets of the best expected F2 with the logits that they
make, for 100,000 x 7,178 float32 logits in a memory-mapped file. Each runs in a process
of its own. Prints seconds and, as copies of the scores, the most memory of its own and
the most resident, which counts the pages of the file too; ends with exit code 3 where
the first is above two.

Tables are in Markdown.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time

from absl import flags

from tools import command, parts
from tools.benchmarks import memory, tables, turns

FLAGS = flags.FLAGS


MOST_SECONDS = 60.0
LEAST_RATIO = 100.0
MOST_COPIES = 2.0
PASSES, CANDIDATES = 2, 99
PARTS = {
    "em": "EM of the priors",
    "expected_f2": "sets of the largest expected F2",
}
OURS, RECOMPUTED = "coordinate ascent", "recomputing the metric"


def make(images, classes, seed=0):
    """Scores and truth with a long tail; each label is shown at least once.

    Returns:
        (float32 [N, C] logits, `labels.SparseLabels`).
    """
    import numpy as np

    from data_pipelines import labels

    generator = np.random.default_rng(seed)
    share = np.minimum(0.5, 0.4 / np.arange(1, classes + 1))
    shown = generator.random((images, classes), np.float32) < share
    shown[generator.integers(0, images, classes), np.arange(classes)] = True
    logits = 3 * generator.standard_normal((images, classes), np.float32)
    logits += (9 * shown + np.log(share) - 4.5).astype(np.float32)
    return logits, labels.SparseLabels.from_dense(shown)


def recompute(logits, truth, labels, grid):
    """The first pass over some labels, with the whole metric for each candidate.

    `f2.mean_f2` is the fastest recomputation that the project has: vectorised NumPy
    in chunks that fit the processor's cache.

    Args:
        logits: float32 [N, C].
        truth: `labels.SparseLabels`.
        labels: int [k]; the first labels, in order.
        grid: float64 [candidates], logits.

    Returns:
        float64 [k]: their thresholds, all others being at probability 0.5.
    """
    import numpy as np

    from inclusive_tf.adaptation import label_thresholds
    from inclusive_tf.evaluation import f2

    threshold = np.zeros(truth.num_classes)
    for label in labels:
        scores = np.empty(len(grid))
        for place, candidate in enumerate(grid):
            threshold[label] = candidate
            scores[place] = f2.mean_f2(logits, threshold, truth)
        best = scores >= scores.max() - label_thresholds.EQUAL
        threshold[label] = grid[np.flatnonzero(best)[-1]]
    return threshold[labels]


def search(images, classes, slice_, rounds):
    """Times both searches in turn.

    Returns:
        ({way: [seconds of the whole search]}, whether both found the same thresholds
        in the slice's first pass).
    """
    import numpy as np
    from scipy import special

    from inclusive_tf.adaptation import label_thresholds

    logits, truth = make(images, classes)
    rule = label_thresholds.GridSearch(passes=PASSES, candidates=CANDIDATES)
    grid = special.logit(np.linspace(rule.lowest, rule.highest, CANDIDATES))
    first = np.arange(slice_)
    expected = recompute(logits, truth, first, grid)

    def scaled():
        began = time.perf_counter()
        recompute(logits, truth, first, grid)
        return (time.perf_counter() - began) * classes / slice_ * PASSES

    ways = {
        OURS: lambda: label_thresholds.grid_search(logits, truth, rule=rule),
        RECOMPUTED: scaled,
    }
    seconds = turns.take(ways, rounds, warm_up=0)
    once = dataclasses.replace(rule, passes=1)
    found = label_thresholds.grid_search(logits, truth, rule=once).threshold_logit
    return seconds, bool(np.array_equal(found[first], expected))


def write_large(path, images, classes):
    """Writes float32 [images, classes] logits to a .npy file, a part at a time."""
    import numpy as np

    large = np.lib.format.open_memmap(path, "w+", np.float32, (images, classes))
    step = max(1, (1 << 24) // classes)
    for first in range(0, images, step):
        part = large[first : first + step]
        part[:] = make(len(part), classes, seed=[first, 1])[0]
    large.flush()


def deciding(path, part):
    """Prepares what one process of the memory part does; see `memory.apart`.

    Args:
        path: of the .npy file.
        part: "em" or "expected_f2".
    """
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf.adaptation import priors, rules

    logits = np.load(path, mmap_mode="r")
    classes = logits.shape[1]
    rows = [[label] for label in range(classes)] * 6
    source = labels.SparseLabels.from_lists(rows, classes)

    def work():
        if part == "em":
            priors.em(source, logits)
        else:
            rules.apply(rules.EXPECTED_F2, logits)

    return work


def memory_of_parts(images, classes, folder=None):
    """Runs both parts, each in a process of its own.

    Returns:
        {part: `memory.Used`}.

    Raises:
        RuntimeError: a process failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = str(pathlib.Path(made) / "logits.npy")
        write_large(path, images, classes)
        return {
            part: memory.apart("tools.benchmarks.decisions:deciding", path, part)
            for part in PARTS
        }


def _report_search():
    seconds, same = search(FLAGS.images, FLAGS.labels, FLAGS.slice, FLAGS.rounds)
    within = turns.report(
        f"Thresholds, {FLAGS.images:,} x {FLAGS.labels:,}, {CANDIDATES} candidates, "
        f"{PASSES} passes; recomputing is scaled from {FLAGS.slice} labels",
        seconds, FLAGS.labels, "labels", [turns.Goal(OURS, RECOMPUTED, LEAST_RATIO)],
    )  # fmt: skip
    return within & tables.report(
        "The search",
        [
            tables.Figure("seconds", statistics.median(seconds[OURS]), "{:.1f} s",
                          most=MOST_SECONDS),
            tables.Figure("both find the same thresholds (1: yes)",
                          int(same), "{:d}", least=1),
        ],
    )  # fmt: skip


def _report_memory():
    images, classes = FLAGS.target_images, FLAGS.labels
    scores = 4 * images * classes
    rows = []
    for part, one in memory_of_parts(images, classes, FLAGS.folder).items():
        rows += [
            tables.Figure(f"{PARTS[part]}: time", one.seconds, "{:.1f} s"),
            tables.Figure(f"{PARTS[part]}: memory of its own", one.own / scores,
                          "{:.2f} copies", most=MOST_COPIES),
            tables.Figure(f"{PARTS[part]}: with the mapped file", one.resident / scores,
                          "{:.2f} copies"),
        ]  # fmt: skip
    return tables.report(f"Decisions on {images:,} x {classes:,} float32", rows)


def main(_):
    """Measures, prints, and says whether all is within bounds."""
    within = True
    if FLAGS.part != "memory":
        within &= _report_search()
    if FLAGS.part != "search":
        within &= _report_memory()
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_enum("part", "all", ["all", "search", "memory"], "What is measured.")
    flags.DEFINE_integer("labels", 7178, "Labels.", lower_bound=2)
    flags.DEFINE_integer("images", 1000, "Tuning images of the search.", lower_bound=2)
    flags.DEFINE_integer("target_images", 100_000, "Images of the memory part.")
    flags.DEFINE_integer("slice", 3, "Labels recomputed.", lower_bound=1)
    flags.DEFINE_integer("rounds", 2, "Turns.", lower_bound=1)
    flags.DEFINE_string(
        "folder", None, "Where the large file is made; None is temporary."
    )


if __name__ == "__main__":
    define()
    command.run(main)
