"""Times mean F2 and its bootstrap beside scikit-learn, Fairlearn and a bare pass.

    python -m tools.benchmarks.figures
    python -m tools.benchmarks.figures --images=20000 --rounds=3 --folder=/fast/disk

Mean F2 of 100,000 x 7,178 float32 scores in a memory-mapped file against sparse truth,
in turn: by `evaluation.f2`; one NumPy pass over the scores (their maximum), which is
the limit; scikit-learn's `fbeta_score(average="samples")` of dense and of sparse
matrices, which are made from the truth before. scikit-learn takes the first --slice
images and is scaled to all, since it would hold several copies of everything. Memory
is measured in a process of its own.

Then 1,000 resamples of the mean F2 of 100,000 images and of 20 groups of them: by
`evaluation.bootstrap`, and by Fairlearn's `MetricFrame`, given the F2 of each image, of
which --fairlearn resamples are timed and scaled. `all figures` is what our evaluation
does with as many resamples: those, and precision, recall, F1 and F2 of each of 100
labels and of bands of them.

Prints tables in Markdown. Ends with exit code 3 where F2 is less than 50 times as fast
as dense scikit-learn, takes more than 2.5 passes, or more memory than one chunk and 64
bytes for each image and each label that is stated, where the bootstrap is less than 50
times as fast as Fairlearn's, or where ways disagree.
"""

import pathlib
import tempfile
import time

from absl import flags

from tools import command, parts
from tools.benchmarks import memory, tables, turns

FLAGS = flags.FLAGS

THRESHOLD = 0.0
OURS, PASS = "ours", "one pass"
DENSE, SPARSE = "scikit-learn, dense", "scikit-learn, sparse"
FAIRLEARN, ALL = "Fairlearn", "all figures"
LEAST_OVER_DENSE, MOST_PASSES, LEAST_OVER_FAIRLEARN = 50.0, 2.5, 50.0
BYTES_AN_ENTRY = 64
LEVELS = (0.025, 0.975)
_BLOCK = 4096


def make_scores(path, images, classes):
    """Writes float32 [images, classes] logits to a .npy file; returns their truth.

    Each image shows about four labels, and about as many more pass the threshold. The
    same rows come again every few thousand: what they hold is not what takes time.

    Returns:
        `labels.SparseLabels`.
    """
    import numpy as np

    from data_pipelines import labels

    generator = np.random.default_rng(0)
    rows = min(images, _BLOCK)
    shown = generator.random((rows, classes), np.float32) < 4 / classes
    shown[np.arange(rows), generator.integers(0, classes, rows)] = True
    block = generator.standard_normal((rows, classes), np.float32)
    block += np.where(shown, np.float32(1), np.float32(-3))
    large = np.lib.format.open_memmap(path, "w+", np.float32, (images, classes))
    for first in range(0, images, rows):
        part = large[first : first + rows]
        part[:] = block[: len(part)]
    large.flush()
    truth = labels.SparseLabels.from_dense(shown)
    return truth.take(np.arange(images) % rows)


def ways_of_f2(scores, truth, slice_):
    """Ways to score.

    Args:
        scores: float32 [N, C].
        truth: `labels.SparseLabels`.
        slice_: images that scikit-learn takes.

    Returns:
        {name: function of nothing that returns (mean F2 or None, images it took)}.
    """
    import numpy as np
    import scipy.sparse
    from sklearn import metrics

    from inclusive_tf.evaluation import f2

    few = truth.take(np.arange(slice_))
    dense = few.multi_hot()
    sparse = scipy.sparse.csr_matrix(dense)

    def by_scikit_learn(true, given):
        return metrics.fbeta_score(
            true, given, beta=2, average="samples", zero_division=0
        )

    def bare():
        scores.max()

    return {
        OURS: lambda: (f2.mean_f2(scores, THRESHOLD, truth), len(scores)),
        PASS: lambda: (bare(), len(scores)),
        DENSE: lambda: (by_scikit_learn(dense, scores[:slice_] >= THRESHOLD), slice_),
        SPARSE: lambda: (
            by_scikit_learn(
                sparse, scipy.sparse.csr_matrix(scores[:slice_] >= THRESHOLD)
            ),
            slice_,
        ),
    }


def scaled(way, whole):
    """Returns a function that calls a way and returns what all of the work would take.

    Args:
        way: function of nothing; the last that it returns is how much it took on.
        whole: how much there is.
    """

    def run():
        began = time.perf_counter()
        *_, took = way()
        return (time.perf_counter() - began) * whole / took

    return run


def time_f2(scores, truth, slice_, rounds):
    """Returns `turns.take` of the ways, each scaled to all images."""
    ways = ways_of_f2(scores, truth, slice_)
    timed = {name: scaled(way, len(scores)) for name, way in ways.items()}
    return turns.take(timed, rounds)


def scoring(path, offsets, index):
    """Prepares a score of a mapped file; see `memory.apart`.

    Args:
        path: .npy file of the scores.
        offsets: .npy file, of `labels.SparseLabels`.
        index: .npy file, of `labels.SparseLabels`.
    """
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf.evaluation import f2

    scores = np.load(path, mmap_mode="r")
    index = np.load(index)
    truth = labels.SparseLabels(
        np.load(offsets), index, np.ones(len(index), np.float32), scores.shape[1]
    )
    return lambda: f2.mean_f2(scores, THRESHOLD, truth)


def memory_of_f2(path, truth):
    """Returns `memory.Used` of one score in a process of its own."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        parts = [str(pathlib.Path(folder) / name) for name in ("offsets.npy", "i.npy")]
        np.save(parts[0], truth.offsets)
        np.save(parts[1], truth.index)
        return memory.apart("tools.benchmarks.figures:scoring", str(path), *parts)


def make_predictions(images, groups, classes=100):
    """Predictions of images in groups.

    Returns:
        `predictions.Predictions`.
    """
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf import predictions

    generator = np.random.default_rng(1)
    shown = generator.random((images, classes), np.float32) < 4 / classes
    logits = generator.standard_normal((images, classes), np.float32)
    logits += np.where(shown, np.float32(1), np.float32(-3))
    return predictions.Predictions(
        ids=np.arange(images).astype(str),
        logits=logits,
        features=np.zeros((images, 1), np.float32),
        truth=labels.SparseLabels.from_dense(shown),
        unlisted_is_absent=True,
        group=generator.integers(0, groups, images).astype(np.int32),
        group_names=tuple(map(str, range(groups))),
        training_counts=np.arange(classes) + 1,
        vocabulary=labels.Vocabulary(tuple(f"l{label}" for label in range(classes))),
        source={},
    )


def ways_of_intervals(predicted, resamples, fairlearn_resamples):
    """Ways to find intervals of the mean F2 of all images and of each group.

    Args:
        predicted: `predictions.Predictions`.
        resamples: how many.
        fairlearn_resamples: how many Fairlearn draws.

    Returns:
        {name: function of nothing that returns (float64 [1 + G] lower ends, and upper
        ends, resamples)}; without Fairlearn where it is not installed.
    """
    import numpy as np
    import scipy.sparse

    from inclusive_tf.evaluation import bootstrap, f2, figures

    count, groups = len(predicted), len(predicted.group_names)
    per_image = f2.per_image(predicted.logits, THRESHOLD, predicted.truth)
    rows = np.arange(count + 1)
    # a column for all images, and one a group
    sizes = scipy.sparse.csr_array(
        (np.ones(count), predicted.group, rows), (count, groups)
    )
    sums = sizes.multiply(per_image[:, None]).tocsr()

    def means(weights):
        by_group = weights @ sums, weights @ sizes
        return {
            "all": by_group[0].sum(axis=1) / by_group[1].sum(axis=1),
            "groups": by_group[0] / by_group[1],
        }

    def ours():
        _, drawn = bootstrap.distribution([means], count, resamples)
        ends = [bootstrap.interval_ends(drawn[name]) for name in ("all", "groups")]
        return *(np.append(*pair) for pair in zip(*ends, strict=True)), resamples

    def all_figures():
        found = figures.figures(predicted, THRESHOLD, resamples)
        rows = [found["measures"]["mean_f2"]]
        rows += [group["mean_f2"] for group in found["groups"]]
        ends = (np.array([row[end] for row in rows]) for end in ("low", "high"))
        return *ends, resamples

    ways = {OURS: ours, ALL: all_figures}
    try:
        from fairlearn import metrics
    except ModuleNotFoundError:
        return ways

    def by_fairlearn():
        frame = metrics.MetricFrame(
            metrics=lambda true, _: true.mean(),
            y_true=per_image,
            y_pred=per_image,
            sensitive_features=predicted.group,
            n_boot=fairlearn_resamples,
            ci_quantiles=list(LEVELS),
            random_state=0,
        )
        ends = [
            np.append(overall, by_group)
            for overall, by_group in zip(
                frame.overall_ci, frame.by_group_ci, strict=True
            )
        ]
        return *ends, fairlearn_resamples

    return ways | {FAIRLEARN: by_fairlearn}


def time_intervals(ways, resamples, rounds):
    """Returns `turns.take` of the ways, each scaled to all resamples."""
    # Fairlearn takes too long for a round that is not counted
    for name in set(ways) - {FAIRLEARN}:
        ways[name]()
    timed = {name: scaled(way, resamples) for name, way in ways.items()}
    return turns.take(timed, rounds, warm_up=0)


def _report_f2():
    import numpy as np

    from inclusive_tf.evaluation import f2

    images, classes, slice_ = FLAGS.images, FLAGS.labels, min(FLAGS.slice, FLAGS.images)
    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as folder:
        path = pathlib.Path(folder) / "scores.npy"
        truth = make_scores(path, images, classes)
        scores = np.load(path, mmap_mode="r")
        seconds = time_f2(scores, truth, slice_, FLAGS.rounds)
        few = ways_of_f2(scores[:slice_], truth.take(np.arange(slice_)), slice_)
        found = [few[name]()[0] for name in (OURS, DENSE, SPARSE)]
        used = memory_of_f2(path, truth)
    within = turns.report(
        f"Mean F2, {images:,} x {classes:,} (scikit-learn scaled from {slice_:,})",
        seconds, images, "images",
        [turns.Goal(OURS, DENSE, LEAST_OVER_DENSE),
         turns.Goal(OURS, SPARSE, 1),
         turns.Goal(OURS, PASS, MOST_PASSES, "time")],
    )  # fmt: skip
    chunk = 4 * f2.CHUNK_CELLS + BYTES_AN_ENTRY * (images + len(truth.index))
    return within & tables.report(
        "Mean F2 in a process of its own",
        [
            tables.Figure("memory of its own, beyond what was there",
                          used.grown / 1e6, "{:,.1f} MB", most=chunk / 1e6),
            tables.Figure("that as a share of the scores",
                          used.grown / (4 * images * classes), "{:.2%}"),
            tables.Figure("greatest difference of the ways", float(np.ptp(found)),
                          "{:.1g}", most=1e-9),
        ],
    )  # fmt: skip


def _report_intervals():
    predicted = make_predictions(FLAGS.images, FLAGS.groups)
    ways = ways_of_intervals(predicted, FLAGS.resamples, FLAGS.fairlearn)
    seconds = time_intervals(ways, FLAGS.resamples, FLAGS.rounds)
    goals = []
    if FAIRLEARN in ways:
        goals = [turns.Goal(OURS, FAIRLEARN, LEAST_OVER_FAIRLEARN)]
    else:
        print("Fairlearn is not installed (extra `[bench]`) and was left out.\n")
    return turns.report(
        f"Intervals, {FLAGS.images:,} images, {FLAGS.groups} groups "
        f"(Fairlearn scaled from {FLAGS.fairlearn})",
        seconds, FLAGS.resamples, "resamples", goals,
    )  # fmt: skip


def main(_):
    """Measures, prints, and says whether the goals are met."""
    within = True
    if FLAGS.part != "intervals":
        within &= _report_f2()
    if FLAGS.part != "f2":
        within &= _report_intervals()
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_enum("part", "all", ["all", "f2", "intervals"], "What is measured.")
    flags.DEFINE_integer("images", 100_000, "Images.", 1)
    flags.DEFINE_integer("labels", 7178, "Labels of the scores.", 1)
    flags.DEFINE_integer("slice", 1000, "Images that scikit-learn takes.", 1)
    flags.DEFINE_integer("groups", 20, "Groups.", 1)
    flags.DEFINE_integer("resamples", 1000, "Resamples.", 1)
    flags.DEFINE_integer("fairlearn", 20, "Resamples that Fairlearn takes.", 1)
    flags.DEFINE_integer("rounds", 3, "Turns.", 1)
    flags.DEFINE_string(
        "folder", None, "Where the large file is made; None is temporary."
    )


if __name__ == "__main__":
    define()
    command.run(main)
