"""Exports a run: → a SavedModel that takes JPEG or PNG bytes.

    python -m tools.export --run=runs/mine
    python -m tools.export --run=runs/mine \
        --adaptation=runs/mine/adaptation/last_layer_and_threshold --output=serving/1

Writes RUN/export (or OUTPUT). `tf.saved_model.load` of it needs nothing of this
project: `signatures["serving_default"](image_bytes=...)` returns label ids, names,
logits, scores and the decided set. A SavedModel is code: check `serving.json`'s sums
before loading one that came from elsewhere.
"""

import pathlib

from absl import flags

from flags import evaluation_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
run_flags.define()
evaluation_flags.define_decision()
flags.DEFINE_string("adaptation", "", "Adaptation to build in; empty: as trained.")
flags.DEFINE_string("checkpoint", "last", "last, best (on validation), or a step.")
flags.DEFINE_string("output", "", "Folder to write; empty: RUN/export.")


def main(_):
    from inclusive_tf import run as run_directory
    from inclusive_tf import trained
    from inclusive_tf.adaptation import adapted

    run = run_directory.Run(FLAGS.run)
    output = pathlib.Path(FLAGS.output or run.path / "export")
    trained.export(
        run,
        output,
        adapted.load(FLAGS.adaptation) if FLAGS.adaptation else None,
        evaluation_flags.threshold_logit(),
        FLAGS.checkpoint,
    )
    print(f"exported: {output}")


if __name__ == "__main__":
    command.run(main)
