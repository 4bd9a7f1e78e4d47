"""The whole job on the default data, in one command.

    python -m tools.demo
    python -m tools.demo --output=runs/mine --seed=1

Makes the default data (Fashion-MNIST with two induced regions), trains the same model
twice with the same number of steps, plainly and resampled, predicts, adapts both to the
target region with 1,000 labelled images (a threshold; the last layer and a threshold),
evaluates every step on stage 1 and stage 2, explains the remaining errors, and writes

    OUTPUT/plain, OUTPUT/resampled   run directories
    OUTPUT/report/index.html         the page
    OUTPUT/report/results.json       every figure
    OUTPUT/resampled/export          a SavedModel that takes JPEG or PNG bytes

Started again, it goes on where it stopped.
"""

import pathlib

from absl import flags

from flags import experiment_flags, explain_flags
from tools import command

FLAGS = flags.FLAGS
experiment_flags.define()
explain_flags.define()
flags.DEFINE_string("output", "runs/demo", "Folder to write.")
flags.DEFINE_integer("bootstrap", 1000, "Resamples of the bootstrap.", 1)

TITLE = "Fashion in two induced regions"


def main(_):
    import resource
    import time

    from data_pipelines import atomic
    from flags import run_flags
    from inclusive_tf import demo

    started = time.perf_counter()
    output = pathlib.Path(FLAGS.output)
    found, cases = demo.run(
        experiment_flags.config_from_flags(),
        run_flags.resolved(),
        run_flags.defaults(),
        output,
        explain_flags.config_from_flags(),
        explain_flags.shown_from_flags(),
        FLAGS.bootstrap,
        TITLE,
    )
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    atomic.write_json(
        output / "report" / "cost.json", {"seconds": seconds, "peak_gib": peak}
    )
    from inclusive_tf.report import tables

    for split in demo.EVALUATED:
        print(f"\n{tables.text_table(found, split)}")
    print(
        f"\n{seconds:,.0f} s, at most {peak:.1f} GiB resident, {len(cases)} errors "
        "explained"
    )
    print(f"report: {output / 'report' / 'index.html'}")


if __name__ == "__main__":
    command.run(main)
