"""Explains errors: a run and its predictions of a split → maps.

    python -m tools.explain --run=runs/mine --split=stage_2
    python -m tools.explain --run=runs/mine --split=stage_2 \
        --adaptation=runs/mine/adaptation/last_layer_and_threshold --count=200

Chooses errors (a third of highest loss, a third most confidently wrong, a third missed
labels of the tail) and maps the wrongly given and the missed label of each by Grad-CAM
and saliency (tf-keras-vis) and by occlusion. Writes RUN/explanations/SPLIT, which
`tools.report` shows. For the default data it also prints how often the maps point at
the half that shows the label.
"""

from absl import flags

from flags import data_flags, evaluation_flags, explain_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
run_flags.define()
data_flags.define()
explain_flags.define()
evaluation_flags.define_decision()
flags.DEFINE_string("split", None, "Split whose errors to explain.", required=True)
flags.DEFINE_string("adaptation", "", "Adaptation to apply; empty: as trained.")
flags.DEFINE_string("checkpoint", "last", "The checkpoint that was predicted with.")


def main(_):
    from inclusive_tf import explanation, trained
    from inclusive_tf import run as run_directory
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import tables

    run = run_directory.Run(FLAGS.run)
    run_flags.remember(run.read_json("flags.json"))
    table, _ = trained.read_data(
        run,
        data_flags.data_config(),
        splits=[FLAGS.split],
    )
    predicted, threshold = adapted.load_decided(
        run.predictions(FLAGS.split),
        FLAGS.adaptation or None,
        evaluation_flags.threshold_logit(),
    )
    described, facts = explanation.explain(
        run,
        table,
        FLAGS.split,
        predicted,
        threshold,
        explain_flags.config_from_flags(),
        (FLAGS.count, FLAGS.check),
        predicted.source.get("adaptation", "as trained"),
        FLAGS.checkpoint,
    )
    for key in ("pointing", "energy"):
        for row in facts.get(key, ()):
            print(
                f"{row['method']} {key}: {tables.interval_text(row['hits'])} over "
                f"{row['hits']['n']}, chance {row['baseline']:.3f}"
            )
    print(f"{len(described)} errors → {run.path / 'explanations' / FLAGS.split}")


if __name__ == "__main__":
    command.run(main)
