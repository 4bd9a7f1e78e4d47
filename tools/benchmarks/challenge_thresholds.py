"""How threshold rules hold up outside the images they were fitted on.

    python -m tools.benchmarks.challenge_thresholds --data_dir=FOLDER

FOLDER has the challenge's classes-trainable.csv, tuning_labels.csv and
stage_1_solutions.csv. The labels are real, the scores are simulated: label c of image i
has the logit

    z_ic = prior_c + d^2 (y_ic - 1/2) + d e_ic,    e_ic standard normal,

which is right for images whose shares of labels are sigmoid(prior_c). One number is
free, the noise 1 / d. It is set, for each seed, so that the 3rd place's rule has a mean
F2 of 0.63 on the 1,000 tuning images, as it had in the challenge (0.503 on stage 1,
reported by its authors). The images of stage 1 that are not in the tuning set are the
outside; nothing is chosen on them. What the scores know of how common labels are:

- equal: nothing; one prior for all labels, the mean share in the tuning set;
- known: everything; the shares of the outside itself;
- shifted: the training's shares instead, simulated as those of the outside moved by
  normal errors of --prior_error in the logit.

Each row is one rule: mean F2 on the tuning images in sample and cross-fitted, outside,
and the gap, in sample less outside; the mean over seeds and, in brackets, the lowest
and the highest. "counted + threshold" moves each label to its share in the tuning set
and fits one threshold. The last line of a world says whether, in every seed, the gap of
the shrunk rule is under a quarter of the 3rd place's and its score outside higher; how
near the nearest seed is stands beside it.
"""

import dataclasses

from absl import flags

from tools import command

FLAGS = flags.FLAGS


WORLDS = ("equal", "known", "shifted")
THIRD_PLACE = "3rd place's rule"
SHRUNK = "shrunk"
RULES = {
    "global": {"threshold": "global"},
    THIRD_PLACE: {"threshold": "per_class_third_place"},
    "per label, exact cuts": {"threshold": "per_class"},
    SHRUNK: {"threshold": "shrunk"},
    "counted + threshold": {"threshold": "global", "priors": "counted"},
}
_CHUNK_ROWS = 2000


@dataclasses.dataclass(frozen=True)
class Scores:
    """Simulated scores.

    Args:
        prior: float64 [C]; logits of the shares that the scores are right for.
        separation: d; the noise is its inverse.
    """

    prior: object
    separation: float

    def draw(self, truth, generator):
        """Returns float32 [N, C]: logits of the images of a truth."""
        import numpy as np

        shape = len(truth), truth.num_classes
        logits = generator.standard_normal(shape, np.float32)
        logits *= np.float32(self.separation)
        logits += (self.prior - self.separation**2 / 2).astype(np.float32)
        logits[truth.rows(), truth.index] += np.float32(self.separation**2)
        return logits


def priors_of(world, tuning, outside, prior_error, seed):
    """Returns float64 [C]: what the scores of a world know.

    Args:
        world: one of `WORLDS`.
        tuning: `labels.SparseLabels`.
        outside: `labels.SparseLabels`.
        prior_error: deviation in world "shifted".
        seed: of that deviation.

    Raises:
        errors.SettingError: there is no such world.
    """
    import numpy as np
    from scipy import special

    from data_pipelines import errors

    if world not in WORLDS:
        raise errors.SettingError(
            f"there is no world {world!r}; expected one of {', '.join(WORLDS)}"
        )
    classes = tuning.num_classes
    if world == "equal":
        share = tuning.counts().sum() / (len(tuning) * classes)
        return np.full(classes, special.logit(share))
    known = special.logit((outside.counts() + 0.5) / (len(outside) + 1))
    if world == "known":
        return known
    return known + prior_error * np.random.default_rng([seed, 3]).normal(size=classes)


def calibrated(prior, tuning, target, seed):
    """Finds the noise with which the 3rd place's rule has the mean F2 `target`.

    Returns:
        (`Scores`, float32 [N, C] logits of the tuning images).

    Raises:
        errors.DataError: no noise gives it.
    """
    import numpy as np

    from data_pipelines import errors
    from inclusive_tf.adaptation import label_thresholds

    low, high = 0.25, 16.0
    for _ in range(14):
        scores = Scores(prior, float(np.sqrt(low * high)))
        logits = scores.draw(tuning, np.random.default_rng([seed, 1]))
        reached = label_thresholds.grid_search(logits, tuning).mean_f2
        if abs(reached - target) < 5e-4:
            return scores, logits
        if reached < target:
            low = scores.separation
        else:
            high = scores.separation
    raise errors.DataError(
        "no noise gives the 3rd place's rule its mean F2",
        expected=f"{target}",
        received=f"{reached:.4f} at d = {scores.separation:.3f}",
    )


def measure(tuning, outside, scores, logits, seed):
    """Fits every rule on the tuning images and scores it outside.

    Args:
        tuning: `labels.SparseLabels`.
        outside: `labels.SparseLabels`.
        scores: `Scores`.
        logits: float32 [N, C] of the tuning images.
        seed: of folds and noise.

    Returns:
        {rule: (mean F2 in sample, cross-fitted, outside)}.
    """
    import numpy as np

    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import f2

    fitted_on = as_predictions("tuning", tuning, logits)
    fits = {
        rule: adapted.fit(fitted_on, False, seed=seed, **parts)
        for rule, parts in RULES.items()
    }
    again = dataclasses.replace(fitted_on, ids=np.char.add(fitted_on.ids, " again"))
    found = {
        rule: [f2.mean_f2(*_decided(fit, again), tuning), fit.figures["mean_f2"], 0.0]
        for rule, fit in fits.items()
    }
    generator = np.random.default_rng([seed, 2])
    for first in range(0, len(outside), _CHUNK_ROWS):
        part = outside.take(np.arange(first, min(first + _CHUNK_ROWS, len(outside))))
        chunk = as_predictions("outside", part, scores.draw(part, generator))
        for rule, fit in fits.items():
            total = f2.per_image(*_decided(fit, chunk), part).sum()
            found[rule][2] += total / len(outside)
    return found


def _decided(fit, predictions):
    from inclusive_tf.adaptation import adapted

    changed, threshold = adapted.apply(fit, predictions)
    return changed.logits, threshold


def as_predictions(name, truth, logits):
    """Returns `predictions.Predictions` of simulated logits [N, C]."""
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf import predictions

    return predictions.Predictions(
        ids=np.array([f"{name} {row}" for row in range(len(truth))]),
        logits=logits,
        features=np.zeros((len(truth), 0), np.float32),
        truth=truth,
        unlisted_is_absent=True,
        group=np.zeros(len(truth), np.int32),
        group_names=("all",),
        training_counts=np.zeros(truth.num_classes, np.int64),
        vocabulary=labels.Vocabulary([str(n) for n in range(truth.num_classes)]),
        source={"simulated": name},
    )


def table(found):
    """Returns the lines of a table of {rule: [(in sample, cross-fitted, outside)]}."""
    import numpy as np

    lines = [f"{'rule':24} {'in sample':22} {'cross-fitted':22} {'outside':22} gap"]
    for rule, rows in found.items():
        rows = np.array(rows)
        columns = [*rows.T, rows[:, 0] - rows[:, 2]]
        cells = [f"{c.mean():.3f} [{c.min():.3f}, {c.max():.3f}]" for c in columns]
        lines.append(f"{rule:24} " + " ".join(f"{cell:22}" for cell in cells).rstrip())
    return lines


def verdict(found):
    """Says whether the shrunk rule keeps more than the 3rd place's, in every seed.

    Args:
        found: {rule: list, one a seed, of (in sample, cross-fitted, outside)}.

    Returns:
        (room under a quarter of the 3rd place's gap, lead outside): floats, those of
        the worst seed; each holds where it is above 0.
    """
    import numpy as np

    theirs, ours = np.array(found[THIRD_PLACE]), np.array(found[SHRUNK])
    gaps = theirs[:, 0] - theirs[:, 2], ours[:, 0] - ours[:, 2]
    return float((gaps[0] / 4 - gaps[1]).min()), float((ours - theirs)[:, 2].min())


def main(_):
    """Reads the labels, simulates, fits and prints."""
    import numpy as np

    from data_pipelines.sources import inclusive_images

    config = inclusive_images.InclusiveImagesConfig(data_dir=FLAGS.data_dir)
    whole, _notes = inclusive_images.read_with_notes(config)
    tuning = whole.select_split("tuning").labels
    outside = whole.select_split("stage_1").labels
    if FLAGS.outside:
        order = np.random.default_rng(0).permutation(len(outside))
        outside = outside.take(np.sort(order[: FLAGS.outside]))
    print(f"{len(tuning)} tuning images, {len(outside)} outside, "
          f"{tuning.num_classes} labels, {FLAGS.seeds} seeds")  # fmt: skip
    for world in FLAGS.worlds:
        found, noises = {rule: [] for rule in RULES}, []
        for seed in range(FLAGS.seeds):
            prior = priors_of(world, tuning, outside, FLAGS.prior_error, seed)
            scores, logits = calibrated(prior, tuning, FLAGS.target, seed)
            noises.append(1 / scores.separation)
            for rule, row in measure(tuning, outside, scores, logits, seed).items():
                found[rule].append(row)
        said = ", ".join(f"{noise:.3f}" for noise in noises)
        print(f"\nworld {world}: noise {said}")
        print("\n".join(table(found)))
        room, lead = verdict(found)
        print(f"shrunk in every seed: gap under a quarter of the 3rd place's: "
              f"{'yes' if room > 0 else 'no'} (by {room:.4f}); outside higher: "
              f"{'yes' if lead > 0 else 'no'} (by {lead:.4f})",
              flush=True)  # fmt: skip


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_string(
        "data_dir", None, "Folder of the challenge's files.", required=True
    )
    flags.DEFINE_integer("seeds", 3, "Draws of the noise.", lower_bound=1)
    flags.DEFINE_list("worlds", ["equal", "known", "shifted"], "What the scores know.")
    flags.DEFINE_float("target", 0.63, "Mean F2 of the 3rd place's rule in sample.")
    flags.DEFINE_float("prior_error", 2.0, "Deviation of the logits in world shifted.")
    flags.DEFINE_integer("outside", None, "Images of stage 1 to use; None is all.")


if __name__ == "__main__":
    define()
    command.run(main)
