"""Reports runs: their predictions, adapted and compared → one HTML page.

    python -m tools.report --runs=plain=runs/a,resampled=runs/b \
        --tuning_split=tuning --evaluate=stage_1,stage_2 --output=runs/report

Fits, for each run, a threshold and a last layer on the tuning split (saved in
RUN/adaptation), evaluates as trained and adapted on the other splits, compares step by
step on the same images, and writes OUTPUT/index.html (self-contained), OUTPUT/
results.json, SPLIT.md (the table for a document) and TensorBoard summaries in the last
run's logs. Errors are shown when `tools.explain` was run for the last of the evaluated
splits on the last run.
"""

import pathlib

from absl import flags

from tools import command

FLAGS = flags.FLAGS
flags.DEFINE_list(
    "runs", None, "NAME=DIRECTORY,...; the first is the baseline.", required=True
)
flags.DEFINE_string("tuning_split", "tuning", "Split to adapt on.")
flags.DEFINE_list("evaluate", ["stage_1", "stage_2"], "Splits to evaluate.")
flags.DEFINE_string("output", None, "Folder to write.", required=True)
flags.DEFINE_string("title", "Inclusive classification report", "Title of the page.")
flags.DEFINE_integer("bootstrap", 1000, "Resamples of the bootstrap.", 1)
flags.DEFINE_integer("seed", 0, "Seed of folds and bootstrap.")


def main(_):
    from data_pipelines import atomic, errors
    from inclusive_tf import run as run_directory
    from inclusive_tf.report import page, results, tables, tensorboard

    runs = {}
    for item in FLAGS.runs:
        name, equals, path = item.partition("=")
        if not (name and equals and path):
            raise errors.DataError(
                "a run cannot be read", expected="NAME=DIRECTORY", received=item
            )
        runs[name] = run_directory.Run(path)
    found, _ = results.gather(
        runs, FLAGS.tuning_split, FLAGS.evaluate, FLAGS.title, FLAGS.bootstrap,
        FLAGS.seed,
    )  # fmt: skip
    last = list(runs.values())[-1]
    cases = results.add_explanations(found, last, FLAGS.evaluate[-1])
    output = pathlib.Path(FLAGS.output)
    atomic.write_json(output / "results.json", found)
    page.write(found, cases, output / "index.html")
    tensorboard.write(found, cases, last.logs / "report")
    for split in FLAGS.evaluate:
        table = tables.markdown_table(found, split)
        atomic.write_text(output / f"{split}.md", table)
        print(tables.text_table(found, split))
    print(f"report: {output / 'index.html'}")


if __name__ == "__main__":
    command.run(main)
