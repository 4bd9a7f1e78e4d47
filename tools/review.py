"""Reviews suspects on a local page: a data set and suspects → a log of decisions.

    python -m tools.review --dataset=table --table=labels.csv --suspects=suspects.csv
    python -m tools.review … --maps=runs/mine/explanations/train \
        --predictions=runs/mine/predictions/train --definitions=definitions.csv
    python -m tools.review … --export_corrections=corrections.csv
    python -m tools.train … --corrections=review.sqlite

Prints a link that opens the page, which one person works at by keyboard alone (? shows
the keys); the server ends with Ctrl-C. Each decision is on the disk before it is
answered, in --log, a file that is only ever added to and that --corrections of every
script takes as it is. --export_corrections, --export_all and --export_label_studio
write that log in other forms and serve nothing; --import_corrections adds a CSV of
corrections to it first. Needs the extra `review` (Flask).
"""

from absl import flags

from flags import data_flags, review_flags
from tools import command

FLAGS = flags.FLAGS
data_flags.define()
review_flags.define()


def _require_flask():
    try:
        import flask  # noqa: F401
    except ImportError as error:
        from data_pipelines import errors

        raise errors.MissingExtraError("The review page", "review") from error


def _labels_made():
    """Returns the label ids that what was decided before makes, a set."""
    from data_pipelines import correction_log, decision_log
    from inclusive_tf.review import replay

    found = []
    # what is no log is said by whoever opens it
    if decision_log.is_one(FLAGS.log):
        found += decision_log.corrections(FLAGS.log)
    if FLAGS.import_corrections:
        found += correction_log.read(FLAGS.import_corrections)
    return replay.labels_made(found)


def _desk(log_notes):
    """Returns the `desk.Desk` of the flags; notes are added to a list."""
    from data_pipelines import datasets, decision_log
    from inclusive_tf.review import beside, definitions, desk, queue, replay

    who = review_flags.who()
    table, notes = datasets.read_labels(data_flags.data_config())
    now = replay.Replay(table)
    made = _labels_made()
    waiting = queue.read(FLAGS.suspects, now, made)
    notes = [*notes, *waiting.notes]
    defined = {}
    if FLAGS.definitions:
        known = {*now.vocabulary, *made}
        defined, more = definitions.read(FLAGS.definitions, known)
        notes += more
    maps = beside.Maps(FLAGS.maps)
    neighbours = None
    if FLAGS.predictions:
        neighbours = beside.Neighbours(now, FLAGS.predictions, FLAGS.neighbours)
    log_notes += notes
    log = decision_log.Log(FLAGS.log, table.vocabulary)
    return desk.Desk(table, now, waiting, log, who, defined, maps, neighbours)


def _check_flags():
    import os

    from data_pipelines import errors

    if not FLAGS.suspects:
        raise errors.SettingError(
            "There is nothing to review. Expected: --suspects=FILE.csv. Received: none."
        )
    # before an import is in the log
    review_flags.exports()
    both = FLAGS.corrections, FLAGS.log
    if all(map(os.path.exists, both)) and os.path.samefile(*both):
        raise errors.SettingError(
            "The page applies its log itself. Expected: --corrections of an earlier "
            f"review, or none. Received: --corrections={FLAGS.corrections}."
        )


def _export(desk):
    import pathlib

    from data_pipelines import atomic
    from inclusive_tf.review import exports

    for what, path in review_flags.exports().items():
        if what == "corrections":
            atomic.write_text(path, exports.corrections_csv(desk.now))
        elif what == "all":
            atomic.write_text(path, exports.all_csv(desk.now))
        else:
            tasks = exports.label_studio_tasks(desk, FLAGS.label_studio_prefix)
            atomic.write_text(path, tasks)
            beside = pathlib.Path(path).with_suffix(".xml")
            atomic.write_text(beside, exports.label_studio_config(desk.now))
        print(f"written: {path}")


def _serve(desk, notes):
    from inclusive_tf.review import app, serving

    # a port that is taken is said before anything is drawn
    listening = serving.listen(FLAGS.port)
    title = FLAGS.title or f"Review: {FLAGS.dataset}"
    page, guarding = app.make(desk, title, notes, FLAGS.label_studio_prefix)
    print(f"open {serving.link(listening, guarding)}\nend with Ctrl-C", flush=True)
    serving.serve(page, listening)


def main(_):
    from inclusive_tf.review import exports, queue

    _require_flask()
    _check_flags()
    notes = []
    desk = _desk(notes)
    try:
        if FLAGS.import_corrections:
            notes += exports.import_corrections(desk, FLAGS.import_corrections)
        for note in notes:
            print(f"note: {note}")
        if review_flags.exports():
            _export(desk)
        else:
            _serve(desk, notes)
        print(f"{queue.summary(desk.queue.counts)}\nlog: {FLAGS.log}")
    finally:
        desk.log.close()


if __name__ == "__main__":
    command.run(main)
