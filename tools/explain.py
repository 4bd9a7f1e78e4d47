"""Explains errors: a run and its predictions of a split → maps and a page of them.

    python -m tools.explain --run=runs/mine --split=stage_2
    python -m tools.explain --run=runs/mine --split=stage_2 --count=500 \
        --adaptation=runs/mine/adaptation/last_layer_and_threshold \
        --choose=loss,class,pairs --methods=grad_cam,smooth_grad,occlusion

Chooses errors from rankings (--choose) in turn and maps the wrongly given and the
missed label of each (--methods), beside the nearest training images of both. Writes

    RUN/explanations/SPLIT              the errors, which `tools.report` shows
    RUN/explanations/SPLIT/errors.html  a page of them, in one file of at most 30 MB
    RUN/logs/errors-SPLIT               the same for TensorBoard

and prints whether the maps are to be believed: deletion and insertion beside random
orders, how alike maps are once weights are drawn again, and, where the data say which
half shows what or hold boxes (--box_files), how often the maps point at the label.
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
flags.DEFINE_integer("seed", 0, "Seed of all that is drawn.", 0)
flags.DEFINE_bool("page", True, "Whether to write the page and TensorBoard's images.")


def main(_):
    from data_pipelines import label_boxes
    from inclusive_tf import explanation
    from inclusive_tf import run as run_directory
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.report import errors_page, explained, tensorboard

    run = run_directory.Run(FLAGS.run)
    run_flags.remember(run.read_json("flags.json"))
    config, shown = explain_flags.config_from_flags(), explain_flags.shown_from_flags()
    data = data_flags.data_config()
    part, training = explanation.read(run, data, FLAGS.split)
    boxes, notes = label_boxes.read(
        explain_flags.boxes_from_flags(data, FLAGS.split), part
    )
    for note in notes:
        print(f"note: {note}")
    predicted, threshold = adapted.load_decided(
        run.predictions(FLAGS.split),
        FLAGS.adaptation or None,
        evaluation_flags.threshold_logit(),
    )
    found = explanation.explain(
        run,
        part,
        training,
        predicted,
        threshold,
        config,
        shown,
        predicted.source.get("adaptation", "as trained"),
        FLAGS.checkpoint,
        boxes,
        errors_page.MOST_ERRORS if FLAGS.page else None,
    )
    for line in explained.check_lines(found.facts):
        print(line)
    folder = run.path / "explanations" / FLAGS.split
    print(f"{len(found.cases)} errors → {folder}")
    if FLAGS.page:
        path = folder / "errors.html"
        size = errors_page.write(found.cases, found.facts, found.label_pictures, path)
        tensorboard.write_errors(found.cases, run.logs / f"errors-{FLAGS.split}")
        print(f"page: {path} ({size / 1e6:.1f} MB)")


if __name__ == "__main__":
    command.run(main)
