"""What associations of labels do to scores of the challenge's images.

    python -m tools.benchmarks.challenge_associations --data_dir=FOLDER

Labels are real, scores are simulated as in tools.benchmarks.challenge_thresholds. The
images of stage 1 that are not in the tuning set are dealt into two halves: associations
are counted in one, the other is the outside. Strength and threshold are fitted on the
1,000 tuning images; "scrambled" has the same associations between labels drawn at
random, and should change nothing outside.

The noise of the simulated scores is independent between labels. A network's is not: it
has seen which labels come together, so a real gain will be smaller than what is shown.

Each row: mean F2 on the tuning images out of fold and outside, and the strength; the
mean over seeds and, in brackets, the lowest and the highest.
"""

import dataclasses

from absl import flags

from tools import command
from tools.benchmarks import challenge_thresholds

FLAGS = flags.FLAGS
_CHUNK_ROWS = 2000


def count(truth, vocabulary):
    """Returns the `associations.Associations` of `labels.SparseLabels`."""
    import numpy as np

    from inclusive_tf.adaptation import associations

    counts = associations.count(truth)
    weights, together = associations.measure(counts)
    return associations.Associations(
        weights, together, counts.label, counts.images, vocabulary,
        "ppmi", associations.SHRINKAGE, np.zeros(0, str),
    )  # fmt: skip


def scrambled(found, seed):
    """Returns the same associations between labels that a permutation names."""
    import numpy as np

    order = np.random.default_rng([seed, 6]).permutation(len(found.vocabulary))
    weights = found.weights[order][:, order].tocsr()
    return dataclasses.replace(found, weights=weights)


def measure(tuning, outside, scores, logits, ways, seed):
    """Fits each way on the tuning images and scores it outside.

    Args:
        tuning: `labels.SparseLabels`.
        outside: `labels.SparseLabels`.
        scores: `challenge_thresholds.Scores`.
        logits: float32 [N, C] of the tuning images.
        ways: {name: what `adapted.fit` is told}.
        seed: of folds and noise.

    Returns:
        {name: (mean F2 out of fold, outside, strength)}.
    """
    import numpy as np

    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import f2

    fitted_on = challenge_thresholds.as_predictions("tuning", tuning, logits)
    fits = {
        name: adapted.fit(fitted_on, False, "global", seed=seed, **parts)
        for name, parts in ways.items()
    }
    found = {
        name: [fit.figures["mean_f2"], 0.0,
               fit.figures.get("associations", {}).get("strength", 0.0)]
        for name, fit in fits.items()
    }  # fmt: skip
    generator = np.random.default_rng([seed, 2])
    for first in range(0, len(outside), _CHUNK_ROWS):
        part = outside.take(np.arange(first, min(first + _CHUNK_ROWS, len(outside))))
        drawn = scores.draw(part, generator)
        chunk = challenge_thresholds.as_predictions("outside", part, drawn)
        for name, fit in fits.items():
            changed, threshold = adapted.apply(fit, chunk)
            total = f2.per_image(changed.logits, threshold, part).sum()
            found[name][1] += total / len(outside)
    return found


def main(_):
    """Reads the labels, counts, simulates, fits and prints."""
    import numpy as np

    from data_pipelines import labels
    from data_pipelines.sources import inclusive_images

    config = inclusive_images.InclusiveImagesConfig(data_dir=FLAGS.data_dir)
    whole, _notes = inclusive_images.read_with_notes(config)
    tuning = whole.select_split("tuning").labels
    stage = whole.select_split("stage_1").labels
    order = np.random.default_rng(0).permutation(len(stage))
    half = len(order) // 2
    # numbers for ids, as the predictions have them
    vocabulary = labels.Vocabulary([str(n) for n in range(tuning.num_classes)])
    known = count(stage.take(np.sort(order[:half])), vocabulary)
    outside = stage.take(np.sort(order[half:][: FLAGS.outside]))
    pairs = known.weights.nnz // 2
    print(f"{len(tuning)} tuning images, {half} counted with {pairs:,} pairs, "
          f"{len(outside)} outside, {FLAGS.seeds} seeds")  # fmt: skip
    for world in FLAGS.worlds:
        rows = {}
        for seed in range(FLAGS.seeds):
            prior = challenge_thresholds.priors_of(
                world, tuning, outside, FLAGS.prior_error, seed
            )
            scores, logits = challenge_thresholds.calibrated(
                prior, tuning, FLAGS.target, seed
            )
            ways = _ways(known, seed)
            found = measure(tuning, outside, scores, logits, ways, seed)
            for name, row in found.items():
                rows.setdefault(name, []).append(row)
        print(f"\nworld {world}")
        print(f"{'way':40} {'out of fold':22} {'outside':22} strength")
        for name, values in rows.items():
            columns = np.array(values).T
            cells = [f"{c.mean():.3f} [{c.min():.3f}, {c.max():.3f}]" for c in columns]
            print(f"{name:40} " + " ".join(f"{cell:22}" for cell in cells).rstrip(),
                  flush=True)  # fmt: skip


def _ways(known, seed):
    counted = {"priors": "counted"}
    return {
        "threshold": {},
        "associations + threshold": {"associations": known},
        "counted + threshold": counted,
        "counted + associations + threshold": counted | {"associations": known},
        "counted + scrambled + threshold": counted
        | {"associations": scrambled(known, seed)},
    }


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    challenge_thresholds.define()
    FLAGS.set_default("outside", 15_549)


if __name__ == "__main__":
    define()
    command.run(main)
