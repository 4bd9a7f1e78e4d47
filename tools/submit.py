"""Writes the challenge's submission file from predictions.

    python -m tools.submit --predictions=RUN/predictions/stage_1 --output=answer.csv \\
        --adaptation=RUN/adaptation/NAME --expected=stage_1_sample_submission.csv \\
        --fill="/m/01g317 /m/05s2s /m/07j7r"

The file has the header image_id,labels and is checked before it is written: each image
once, each label in the vocabulary, no row without a label (--fill gives such rows a
constant answer) and, with --expected, exactly the images of that file. The challenge's
ids are file names without folder and extension: where predictions are of a folder,
whose ids are paths, --id=stem writes "sub/0a1b2c.jpg" as 0a1b2c.
"""

from absl import flags

from flags import evaluation_flags
from tools import command

FLAGS = flags.FLAGS

evaluation_flags.define_decision()
flags.DEFINE_string("predictions", None, "Folder of predictions.", required=True)
flags.DEFINE_string("adaptation", None, "Folder of an adaptation to apply.")
flags.DEFINE_string("expected", None, "CSV file whose images are to be answered.")
flags.DEFINE_string("fill", "", "Labels, space-joined, for images left without any.")
flags.DEFINE_enum(
    "id",
    "path",
    ["path", "stem"],
    "How an image is named: its id as it is, or its stem.",
)
flags.DEFINE_string("output", None, "CSV file to write.", required=True)


def main(_):
    """Decides, checks and writes."""
    from inclusive_tf.adaptation import adapted
    from inclusive_tf.evaluation import f2, submissions

    predictions, threshold = adapted.load_decided(
        FLAGS.predictions, FLAGS.adaptation, evaluation_flags.threshold_logit()
    )
    codes = predictions.vocabulary.ids
    given = f2.decisions(predictions.logits, threshold)
    ends = zip(given.offsets[:-1], given.offsets[1:], strict=True)
    images = [str(image) for image in predictions.ids]
    if FLAGS.id == "stem":
        images = submissions.stems(images)
    answers = [
        (image, [codes[label] for label in given.index[start:end]])
        for image, (start, end) in zip(images, ends, strict=True)
    ]
    expected = submissions.read(FLAGS.expected) if FLAGS.expected else None
    filled = submissions.write(
        FLAGS.output, answers, codes, expected, FLAGS.fill.split()
    )
    if filled:
        print(f"{filled} images had no label and got: {FLAGS.fill}")
    print(f"{len(answers)} images written to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main)
