"""Times decisions at the size of the Inclusive Images Challenge, on one core.

    python -m tools.benchmarks.decisions
    python -m tools.benchmarks.decisions --part=memory --folder=/fast/disk

--part=search: coordinate ascent of the 3rd place's rule over 7,178 labels, 99
candidates, 1,000 images and two passes, against the same search that recomputes the
mean F2 of all images with vectorised NumPy for each candidate. The recomputation is
timed on the first --slice labels of the first pass and scaled to all; both are timed in
turn, --rounds times, and the best times count. Ends with exit code 1 above 60 s, below
a ratio of 100, or where the two find different thresholds.

--part=memory: priors by EM, and sets of the best expected F2 with the logits that they
make, for 100,000 x 7,178 float32 logits in a memory-mapped file. Each runs in a process
of its own. Prints seconds and, as copies of the scores, the most memory of its own and
the most resident, which counts the pages of the file too; ends with exit code 1 where
the first is above two.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from absl import flags

from tools import command

FLAGS = flags.FLAGS


MOST_SECONDS = 60.0
LEAST_RATIO = 100.0
MOST_COPIES = 2.0
PASSES, CANDIDATES = 2, 99
ROOT = pathlib.Path(__file__).resolve().parents[2]


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
        {"ours": seconds, "recomputed": seconds scaled to the whole search, "ratio",
        "same": whether both found the same thresholds in the slice's first pass}.
    """
    import numpy as np
    from scipy import special

    from inclusive_tf.adaptation import label_thresholds

    logits, truth = make(images, classes)
    rule = label_thresholds.GridSearch(passes=PASSES, candidates=CANDIDATES)
    grid = special.logit(np.linspace(rule.lowest, rule.highest, CANDIDATES))
    first = np.arange(slice_)
    recompute(logits, truth, first[:1], grid[:1])
    ours, theirs = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        label_thresholds.grid_search(logits, truth, rule=rule)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        expected = recompute(logits, truth, first, grid)
        theirs.append((time.perf_counter() - began) / slice_)
    once = dataclasses.replace(rule, passes=1)
    found = label_thresholds.grid_search(logits, truth, rule=once).threshold_logit
    whole = min(theirs) * classes * PASSES
    return {
        "ours": min(ours),
        "recomputed": whole,
        "ratio": whole / min(ours),
        "same": bool(np.array_equal(found[first], expected)),
    }


def write_large(path, images, classes):
    """Writes float32 [images, classes] logits to a .npy file, a part at a time."""
    import numpy as np

    large = np.lib.format.open_memmap(path, "w+", np.float32, (images, classes))
    step = max(1, (1 << 24) // classes)
    for first in range(0, images, step):
        part = large[first : first + step]
        part[:] = make(len(part), classes, seed=[first, 1])[0]
    large.flush()


def measure_part(path, part):
    """What one process of the memory part does.

    Args:
        path: of the .npy file.
        part: "em" or "expected_f2".

    Returns:
        {"seconds", "own": most bytes of memory that no file is behind, "resident": most
        bytes with the file's mapped pages}.
    """
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf.adaptation import priors, rules

    logits = np.load(path, mmap_mode="r")
    classes = logits.shape[1]
    rows = [[label] for label in range(classes)] * 6
    source = labels.SparseLabels.from_lists(rows, classes)
    watch = _Watch()
    began = time.perf_counter()
    with watch:
        if part == "em":
            priors.em(source, logits)
        else:
            rules.apply(rules.EXPECTED_F2, logits)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "own": watch.own, "resident": watch.resident}


class _Watch:
    """Looks at this process's memory (Linux) a hundred times a second."""

    def __init__(self):
        self.own = self.resident = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self):
        while not self._stop.wait(0.01):
            self._look()

    def _look(self):
        page = os.sysconf("SC_PAGE_SIZE")
        fields = pathlib.Path("/proc/self/statm").read_text("ascii").split()
        resident, shared = int(fields[1]) * page, int(fields[2]) * page
        self.own = max(self.own, resident - shared)
        self.resident = max(self.resident, resident)


def memory(images, classes, folder=None):
    """Runs both parts, each in a process of its own.

    Returns:
        {part: what `measure_part` returned}.

    Raises:
        RuntimeError: a process failed.
    """
    found = {}
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = str(pathlib.Path(made) / "logits.npy")
        write_large(path, images, classes)
        for part in ("em", "expected_f2"):
            code = (
                "import json, sys; from tools.benchmarks import decisions;"
                "print(json.dumps(decisions.measure_part(*sys.argv[1:])))"
            )
            process = subprocess.run(
                [sys.executable, "-c", code, path, part],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            if process.returncode:
                raise RuntimeError(f"{part} failed: {process.stderr.strip()}")
            found[part] = json.loads(process.stdout)
    return found


def main(_):
    """Measures, prints, and says whether all is within bounds."""
    within = True
    if FLAGS.part != "memory":
        found = search(FLAGS.images, FLAGS.labels, FLAGS.slice, FLAGS.rounds)
        print(f"coordinate ascent, {FLAGS.images} x {FLAGS.labels}, {CANDIDATES} "
              f"candidates, {PASSES} passes: {found['ours']:.2f} s")  # fmt: skip
        print(f"recomputing the metric: {found['recomputed']:.0f} s, scaled from "
              f"{FLAGS.slice} labels of the first pass")  # fmt: skip
        said = "the same thresholds" if found["same"] else "DIFFERENT thresholds"
        print(f"ratio {found['ratio']:.0f}, at least {LEAST_RATIO:.0f}; {said}")
        within = (
            found["ours"] <= MOST_SECONDS
            and found["ratio"] >= LEAST_RATIO
            and found["same"]
        )
    if FLAGS.part != "search":
        sizes = FLAGS.target_images, FLAGS.labels
        scores = 4 * sizes[0] * sizes[1]
        for part, one in memory(*sizes, FLAGS.folder).items():
            print(f"{part}, {sizes[0]} x {sizes[1]}: {one['seconds']:.1f} s, "
                  f"{one['own'] / scores:.2f} copies of the scores in memory of its "
                  f"own, {one['resident'] / scores:.2f} with the mapped file"
                  )  # fmt: skip
            within = within and one["own"] <= MOST_COPIES * scores
    return 0 if within else 1


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
