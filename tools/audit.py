"""Audits labels and errors: predictions → ranked suspects, figures and a page.

    python -m tools.audit --predictions=RUN/predictions/train \\
        --judged=RUN/predictions/stage_1 --adaptation=RUN/adaptation/both --run=RUN
    python -m tools.audit --predictions=runs/fold0/predictions/held_out,runs/fold1/…
    python -m tools.review --suspects=audit/suspects.csv …

Writes OUTPUT/suspects.csv (id,kind,label,new_label,score,detail), labels that are
probably wrong or missing, the surest first, which `tools.review` shows; and
OUTPUT/audit.json and OUTPUT/index.html: suspects by class, classes that cannot be told
apart and what merging them would do, attributes that predict errors, and what to
collect next. Labels are doubted in --predictions (extra `audit`), errors looked at in
--judged; without that in the same images, by out-of-sample logits. With --run its data
are read: pictures on the page, brightness, colour, texture and scale of the images, and
what training showed; with --pixels labels are judged by the images too.
"""

import sys

from absl import flags

from flags import audit_flags, data_flags, evaluation_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
evaluation_flags.define()
audit_flags.define()
flags.DEFINE_list(
    "predictions", None, "Folders of predictions whose labels to doubt.", required=True
)
flags.DEFINE_list("judged", [], "Folders of predictions whose errors to look at.")
flags.DEFINE_string("adaptation", None, "Adaptation to apply to --judged.")
flags.DEFINE_string("run", "", "Run directory whose data to read for images.")
flags.DEFINE_integer(
    "pixels",
    0,
    "Side that images are shrunk to, to judge labels by them too; 0: by the network's "
    "features alone.",
    0,
)
flags.DEFINE_integer("training_sample", 5000, "Training images to measure.", 10)
flags.DEFINE_integer("shown", 24, "Images shown of the suspects.", 0)
flags.DEFINE_string("output", "audit", "Folder to write.")
flags.DEFINE_string("title", "Audit", "Heading of the page.")


def _judged():
    """Returns (predictions or None, threshold)."""
    from data_pipelines import errors
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.audit import inputs

    threshold = evaluation_flags.threshold_logit()
    if not FLAGS.judged:
        if FLAGS.adaptation:
            raise errors.SettingError(
                "An adaptation is applied to the images whose errors are looked at. "
                "Expected: --judged beside --adaptation. Received: none."
            )
        return None, threshold
    judged = inputs.stacked(inputs.load(FLAGS.judged))
    if FLAGS.adaptation:
        return adapted.apply(adapted.load(FLAGS.adaptation), judged)
    return judged, threshold


def main(_):
    """Loads, audits, prints and writes."""
    import pathlib

    from data_pipelines import atomic, errors, suspects
    from inclusive_tf.audit import auditing, inputs, page, summary

    config = audit_flags.config_from_flags()
    parts = inputs.load(FLAGS.predictions)
    predictions = inputs.stacked(parts)
    judged, threshold = _judged()
    context, thumbnails = None, None
    if FLAGS.pixels and not FLAGS.run:
        raise errors.SettingError(
            "Pixels are read from the data of a run. Expected: --run beside --pixels. "
            "Received: none."
        )
    if FLAGS.run:
        from inclusive_tf import run as run_directory
        from inclusive_tf.audit import from_run

        run = run_directory.Run(FLAGS.run)
        run_flags.remember(run.read_json("flags.json"))
        table = from_run.read(run, data_flags.data_config())
        context = from_run.context(
            run,
            table,
            predictions if judged is None else judged,
            FLAGS.training_sample,
            FLAGS.seed,
            sys.stderr.isatty(),
        )
        if FLAGS.pixels:
            parts = [
                from_run.with_pixels(part, table, FLAGS.pixels, sys.stderr.isatty())
                for part in parts
            ]
    figures, rows = auditing.audit(parts, judged, threshold, config, context)
    output = pathlib.Path(FLAGS.output)
    suspects.write(output / "suspects.csv", rows)
    atomic.write_json(output / "audit.json", figures)
    if FLAGS.run:
        thumbnails = from_run.thumbnails(table, page.pictured(rows, FLAGS.shown))
    text = page.render(figures, rows, predictions, FLAGS.title, FLAGS.shown, thumbnails)
    atomic.write_text(output / "index.html", text)
    print(summary.text(figures, rows))
    print(f"suspects: {output / 'suspects.csv'}\npage: {output / 'index.html'}")


if __name__ == "__main__":
    command.run(main)
