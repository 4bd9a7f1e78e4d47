"""Scores a submission against the truth with the challenge's metric.

    python -m tools.score --submission=A.csv --truth=B.csv
    python -m tools.score --submission=A.csv --truth=B.csv --exclude=tuning.csv

Each file has the columns image id and space-joined labels, with the header
image_id,labels or none. --exclude names a file of that form whose images are not
scored, such as the tuning set; --trainable one of the labels that may be given. The
last line is

    mean F2 0.240855 over 32088 images

where an image scores F2 = 5 TP / (4 |truth| + |given|), 0 when nothing matches. Images
of the truth that the submission lacks are an error; images it has beyond the truth are
counted, and so are rows without a label. With --bootstrap=N the line before it gives
the interval that holds 95 in 100 of N resamples of the images, or says that there are
too few for one.
"""

from absl import flags

from tools import command

FLAGS = flags.FLAGS

flags.DEFINE_string("submission", None, "CSV file to score.", required=True)
flags.DEFINE_string("truth", None, "CSV file with the true labels.", required=True)
flags.DEFINE_string("exclude", None, "CSV file of images that are not to be scored.")
flags.DEFINE_string(
    "trainable", None, "CSV file of the labels that may be given; others are an error."
)
flags.DEFINE_integer("bootstrap", 0, "Resamples for an interval.", lower_bound=0)
flags.DEFINE_integer("seed", 0, "Seed of the bootstrap.", lower_bound=0)


def main(_):
    """Reads both files, prints what was left out, the interval and the score."""
    from inclusive_tf.evaluation import submissions

    trainable = submissions.read_codes(FLAGS.trainable) if FLAGS.trainable else None
    submission, notes = submissions.read_checked(FLAGS.submission, trainable)
    truth = submissions.read(FLAGS.truth)
    exclude = submissions.read(FLAGS.exclude) if FLAGS.exclude else ()
    result = submissions.score(submission, truth, exclude)
    for note in notes:
        print(f"note: {note}")
    if FLAGS.exclude:
        print(f"{result.excluded} images of the truth excluded")
    if result.extra:
        print(f"{len(result.extra)} images of the submission not in the truth, ignored")
    if FLAGS.bootstrap:
        # numpy only here: starting it takes longer than the whole score
        import numpy as np

        from inclusive_tf.evaluation import bootstrap

        scores = np.array(list(result.per_image.values()))
        interval = bootstrap.mean_interval(scores, FLAGS.bootstrap, FLAGS.seed)
        if interval["low"] is None:
            print(f"95 % interval: too few images, at least {bootstrap.MIN} are needed")
        else:
            print(f"95 % interval {interval['low']:.6f} to {interval['high']:.6f}")
    print(f"mean F2 {result.mean_f2:.6f} over {len(result.per_image)} images")


if __name__ == "__main__":
    command.run(main)
