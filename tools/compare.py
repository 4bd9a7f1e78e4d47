"""Compares two sets of predictions on the same images.

    python -m tools.compare --before=PLAIN/predictions/stage_1 \\
        --after=RESAMPLED/predictions/stage_1 \\
        --after_adaptation=RESAMPLED/adaptation/NAME --output=comparison.json

Prints after minus before for each measure with its 95-percent interval: paired, since
both sides are scored on the same resamples of the images, or of whole clusters where
the predictions have them. Each side's worst group is its own, chosen after looking.
Ids, their order, truth, groups and clusters must agree; with --leave_out_tuning, images
that either adaptation was fitted on are left out of both.

The JSON holds what `inclusive_tf.evaluation.figures.compare` returns: {"measures":
{name: {"difference", "low", "high", "n"}}} and further facts.
"""

from absl import flags

from flags import evaluation_flags
from tools import command

FLAGS = flags.FLAGS

evaluation_flags.define()
flags.DEFINE_string("before", None, "Folder of predictions.", required=True)
flags.DEFINE_string("after", None, "Folder of predictions.", required=True)
flags.DEFINE_string("before_adaptation", None, "Adaptation of --before.")
flags.DEFINE_string("after_adaptation", None, "Adaptation of --after.")
flags.DEFINE_bool(
    "leave_out_tuning",
    False,
    "Leave out images that an adaptation was fitted on, instead of refusing them.",
)
flags.DEFINE_string("output", None, "JSON file to write.")


def main(_):
    """Loads both sides, compares, prints and writes."""
    from data_pipelines import atomic
    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import figures, tables

    config = evaluation_flags.config_from_flags()
    threshold = evaluation_flags.threshold_logit()
    sides = [predictions_module.load(folder) for folder in (FLAGS.before, FLAGS.after)]
    adaptations = [
        adapted.load(folder) if folder else None
        for folder in (FLAGS.before_adaptation, FLAGS.after_adaptation)
    ]
    figures.require_same_images(*sides)
    for adaptation in filter(None, adaptations):
        if FLAGS.leave_out_tuning:
            sides = [adapted.without_fitted(adaptation, side) for side in sides]
    decided = [
        adapted.apply(adaptation, side) if adaptation else (side, threshold)
        for adaptation, side in zip(adaptations, sides, strict=True)
    ]
    compared = figures.compare(*decided[0], *decided[1], config.bootstrap, config.seed)
    print(tables.comparison(compared))
    (worst,) = compared["worst_groups"]
    print(f"\nworst group, chosen after looking: {worst['before']} before, ", end="")
    print(f"{worst['after']} after")
    if FLAGS.output:
        atomic.write_json(FLAGS.output, compared)
        print(f"\nwritten to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main)
