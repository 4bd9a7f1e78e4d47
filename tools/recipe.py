"""Runs a recipe: from data to decisions, and a small record of what it answered.

    python -m tools.recipe --flagfile=flags/recipes/place_4.flags
    python -m tools.recipe --flagfile=flags/recipes/ours.flags --seed=1 --output=runs/o1
    python -m tools.recipe --flagfile=flags/recipes/ours.flags --dataset=table \\
        --table=mine.csv --fit_split=tuning --answer=test

Trains each member phase by phase (OUTPUT/member-M/phase-P, run directories that every
other tool reads), predicts the splits of --answer with test-time views, fits what
--threshold, --last_layer, --priors ... ask for on the labels of --fit_split, combines
the members and writes OUTPUT/record.json. Started again, it goes on where it stopped.
tools.study runs several recipes with several seeds and makes tables of their records.
"""

import pathlib

from absl import flags

from flags import recipe_flags
from tools import command

FLAGS = flags.FLAGS
recipe_flags.define()
flags.DEFINE_string("output", None, "Folder to write; default: runs/RECIPE/seed-SEED.")


def main(_):
    from inclusive_tf.recipes import record, running

    name = f"runs/{FLAGS.recipe}/seed-{FLAGS.seed}"
    output = pathlib.Path(FLAGS.output or name)
    recipe = recipe_flags.config_from_flags(output)
    found = running.run(recipe, output, recipe_flags.digest())
    record.write(output / "record.json", found)
    cost = found.cost
    print(
        f"{cost['members']} member(s), {cost['parameters']:,} parameters, "
        f"{cost['images']:,} images in {cost['seconds']:,.0f} s of training"
    )
    if found.tuning:
        print(
            f"mean F2 {found.tuning['mean_f2']:.4f} on {recipe.fit_split} "
            f"({found.tuning['estimate']})"
        )
    print(f"written to {output / 'record.json'}")


if __name__ == "__main__":
    command.run(main)
