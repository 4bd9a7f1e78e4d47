"""Trains a classifier from scratch: a data set → a run directory.

    python -m tools.train --run=runs/mine
    python -m tools.train --run=runs/mine --dataset=table --table=labels.csv \
        --height=64 --width=64 --channels=3 --validation_fraction=0.1
    python -m tools.train --flagfile=flags/recipes/road_signs.flags --run=runs/signs

Prints what the resampling policy will do, then a line an epoch. Started again with the
same flags it goes on from the newest checkpoint. Watch with `tensorboard --logdir=RUN`.
Exit code 1 with one line on stderr when the data cannot be used or the loss diverges.
"""

from absl import flags

from flags import experiment_flags, run_flags
from tools import command

FLAGS = flags.FLAGS
run_flags.define()
experiment_flags.define()


def main(_):
    from inclusive_tf import experiment
    from inclusive_tf import run as run_directory

    run = run_directory.Run(FLAGS.run)
    state = experiment.train(
        run,
        experiment_flags.config_from_flags(),
        run_flags.resolved(),
        run_flags.defaults(),
    )
    print(f"trained {state.step:,} steps: {run.path}")


if __name__ == "__main__":
    command.run(main)
