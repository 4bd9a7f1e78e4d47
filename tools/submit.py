"""Writes the challenge's submission file from predictions.

    python -m tools.submit --predictions=RUN/predictions/stage_1 --output=answer.csv \\
        --adaptation=RUN/adaptation/NAME --expected=stage_1_sample_submission.csv \\
        --fill="/m/01g317 /m/05s2s /m/07j7r"

The file has the header image_id,labels and is checked before it is written: each image
once, each label in the vocabulary, no row without a label (--fill gives such rows a
constant answer), with --trainable no label but those of that file and, with --expected,
exactly the images of that file. The challenge's
ids are file names without folder and extension: where predictions are of a folder,
whose ids are paths, --id=stem writes "sub/0a1b2c.jpg" as 0a1b2c.

Images that the adaptation was fitted on are refused. --fitted_images=leave_out leaves
them out of the file and of what is expected; --fitted_images=answer writes them like
others, as a file that has to hold every image needs: then leave them out of the score
(tools.score --exclude).
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
flags.DEFINE_string("trainable", None, "CSV file of the labels that may be given.")
flags.DEFINE_enum(
    "fitted_images",
    "refuse",
    ["refuse", "leave_out", "answer"],
    "What becomes of images that the adaptation was fitted on.",
)
flags.DEFINE_string("output", None, "CSV file to write.", required=True)


def main(_):
    """Decides, checks and writes."""
    from inclusive_tf.evaluation import f2, submissions

    predictions, threshold, left_out = _decided()
    codes = predictions.vocabulary.ids
    given = f2.decisions(predictions.logits, threshold)
    ends = zip(given.offsets[:-1], given.offsets[1:], strict=True)
    answers = [
        (image, [codes[label] for label in given.index[start:end]])
        for image, (start, end) in zip(_named(predictions.ids), ends, strict=True)
    ]
    expected = submissions.read(FLAGS.expected) if FLAGS.expected else None
    if expected is not None:
        expected = expected.keys() - set(_named(left_out))
    filled = submissions.write(
        FLAGS.output,
        answers,
        codes,
        expected,
        FLAGS.fill.split(),
        submissions.read_codes(FLAGS.trainable) if FLAGS.trainable else None,
    )
    if len(left_out):
        print(f"{len(left_out)} images that the adaptation was fitted on are left out")
    if filled:
        print(f"{filled} images had no label and got: {FLAGS.fill}")
    print(f"{len(answers)} images written to {FLAGS.output}")


def _decided():
    """Returns (predictions, threshold, ids of images that were left out)."""
    import dataclasses

    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.adaptation import adapted

    predictions = predictions_module.load(FLAGS.predictions)
    if not FLAGS.adaptation:
        return predictions, evaluation_flags.threshold_logit(), ()
    adaptation = adapted.load(FLAGS.adaptation)
    left_out = ()
    if FLAGS.fitted_images == "leave_out":
        every = predictions.ids
        predictions = adapted.without_fitted(adaptation, predictions)
        left_out = sorted(set(every.tolist()) - set(predictions.ids.tolist()))
    elif FLAGS.fitted_images == "answer":
        shared = len(set(adaptation.fitted_ids) & set(predictions.ids))
        if shared:
            print(f"{shared} images were fitted on: leave them out of the score")
        nothing = adaptation.fitted_ids[:0]
        adaptation = dataclasses.replace(adaptation, fitted_ids=nothing)
    return *adapted.apply(adaptation, predictions), left_out


def _named(ids):
    """Returns the names of images in the file."""
    from inclusive_tf.evaluation import submissions

    images = [str(image) for image in ids]
    return submissions.stems(images) if FLAGS.id == "stem" else images


if __name__ == "__main__":
    command.run(main)
