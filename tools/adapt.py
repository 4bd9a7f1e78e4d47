"""Fits a last layer, one threshold, or both to a labelled tuning set.

    python -m tools.adapt --predictions=RUN/predictions/tuning \\
        --last_layer --threshold --output=RUN/adaptation/NAME

Predictions are those of the original model on the tuning set. --last_layer refits the
last layer on their features, pulled towards the original one, which predictions hold
beside their logits; cross-validation chooses how strongly. --threshold fits the one
threshold with the best mean F2, on logits out of fold. tools.evaluate, tools.compare
and tools.submit apply the result with --adaptation, and refuse predictions of another
model and images that it was fitted on.
"""

from absl import flags

from flags import adaptation_flags
from tools import command

FLAGS = flags.FLAGS

adaptation_flags.define()
flags.DEFINE_string(
    "predictions", None, "Predictions of the tuning set.", required=True
)
flags.DEFINE_string("output", None, "Folder to write.", required=True)


def main(_):
    """Loads, fits, prints and writes."""
    from scipy import special

    from data_pipelines import errors
    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.adaptation import adapted

    config = adaptation_flags.config_from_flags()
    if not (config.last_layer or config.threshold):
        raise errors.DataError(
            "nothing to fit", expected="--last_layer, --threshold or both"
        )
    adaptation = adapted.fit(
        predictions_module.load(FLAGS.predictions),
        config.last_layer,
        config.threshold,
        seed=config.seed,
        folds=config.folds,
        name=config.name,
    )
    adaptation.save(FLAGS.output)
    for row in adaptation.figures.get("penalties", []):
        mark = " *" if row["penalty"] == adaptation.figures["penalty"] else ""
        print(
            f"penalty {row['penalty']:g}: log loss {row['log_loss']:.4f}, "
            f"mean F2 {row['mean_f2']:.4f}{mark}"
        )
    end = adaptation.figures.get("penalty_at_end_of_grid")
    if end:
        print(f"the {end} penalty of the grid won: one beyond it might do better")
    left_out = adaptation.fitted_on["without_known_labels"]
    if left_out:
        print(f"{left_out} images of which no label is known were left out")
    threshold = adaptation.threshold_logit
    print(
        f"threshold: logit {threshold:.4f}, probability {special.expit(threshold):.4f}"
    )
    print(
        f"mean F2 {adaptation.figures['mean_f2']:.4f} on "
        f"{adaptation.fitted_on['images']} tuning images "
        f"({adaptation.figures['estimate']})"
    )
    print(f"written to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main)
