"""Computes the figures of predictions: overall, by group, by band and by label.

    python -m tools.evaluate --predictions=RUN/predictions/stage_1 \\
        --adaptation=RUN/adaptation/NAME --constant_from=RUN/predictions/tuning \\
        --output=figures.json

Prints mean F2, macro F2, recall of head, middle and tail, the worst group, all groups
and the most frequent labels, each with the number of images it rests on and its
95-percent interval by bootstrap over images, or over whole clusters where the
predictions have them; fewer than 10 are too few for an interval. The worst group is
chosen after looking, among groups of at least 10 images. A row gives the best constant
answer, chosen on --constant_from; without that it is chosen on the same images, which
flatters it.

The JSON holds what `inclusive_tf.evaluation.figures.figures` returns, and further
"threshold_logit", "source" and "constant": {"labels", "positions", "chosen_on",
"figures"}.
"""

from absl import flags

from flags import evaluation_flags
from tools import command

FLAGS = flags.FLAGS

evaluation_flags.define()
flags.DEFINE_string("predictions", None, "Folder of predictions.", required=True)
flags.DEFINE_string("adaptation", None, "Folder of an adaptation to apply.")
flags.DEFINE_bool(
    "leave_out_tuning",
    False,
    "Leave out images that the adaptation or the constant answer was fitted on, "
    "instead of refusing them.",
)
flags.DEFINE_string(
    "constant_from", None, "Predictions whose truth chooses the constant answer."
)
flags.DEFINE_string("output", None, "JSON file to write.")


def main(_):
    """Loads, computes, prints and writes."""
    import numpy as np
    from scipy import special

    from data_pipelines import atomic, oneline
    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import figures, tables

    config = evaluation_flags.config_from_flags()
    predictions, threshold = adapted.load_decided(
        FLAGS.predictions,
        FLAGS.adaptation,
        evaluation_flags.threshold_logit(),
        FLAGS.leave_out_tuning,
    )
    chosen_from = None
    if FLAGS.constant_from:
        chosen_from = predictions_module.load(FLAGS.constant_from)
        if FLAGS.leave_out_tuning:
            predictions = predictions.take(~np.isin(predictions.ids, chosen_from.ids))
    found = figures.figures(predictions, threshold, config.bootstrap, config.seed)
    constant = figures.constant(predictions, chosen_from, config.bootstrap, config.seed)
    names = predictions.vocabulary.names
    answer = ", ".join(oneline.short(names[one]) for one in constant["positions"])
    rows = [("constant answer", constant["figures"]), ("predictions", found)]
    print(tables.overview(rows))
    print(f"\nconstant answer: {answer} (chosen on {constant['chosen_on']})")
    low, high = np.min(threshold), np.max(threshold)
    print(f"threshold: logit {low:.4f}, probability {special.expit(low):.4f}")
    if np.ndim(threshold):
        print(f"to logit {high:.4f}, probability {special.expit(high):.4f}, by label")
    print(f"\n{tables.groups(found)}\n\n{tables.classes(found)}")
    if FLAGS.output:
        found |= {
            "threshold_logit": np.asarray(threshold).tolist(),
            "source": predictions.source,
            "constant": constant,
        }
        atomic.write_json(FLAGS.output, found)
        print(f"\nwritten to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main)
