"""Runs recipes with several seeds, keeps a small record of each, and makes tables.

    python -m tools.study --flagfile=flags/studies/default.flags
    python -m tools.study --flagfile=flags/studies/default.flags --only=ours
    python -m tools.study --flagfile=flags/studies/default.flags --minutes=0 --page=

A recipe is flags/recipes/NAME.flags. Its runs go to RUNS/STUDY/NAME/seed-SEED-DIGEST,
its record to RECORDS/STUDY/NAME-SEED.json, which is committed: what has a record of the
same flags is not run again, so that a study can be finished over days and on several
machines. One recipe runs at a time, seed by seed, and none is begun after --minutes.
The tables are of all recipes that have one and go into PAGE, between
`<!-- study STUDY -->` and `<!-- end study STUDY -->`.
"""

import pathlib

from absl import flags

from flags import recipe_flags
from tools import command

FLAGS = flags.FLAGS
recipe_flags.define()
flags.DEFINE_string("study", None, "Name of the study.", required=True)
flags.DEFINE_list("recipes", [], "Names of the recipes.")
flags.DEFINE_list("only", [], "Of these, the recipes to run now; empty: all.")
flags.DEFINE_list("seeds", ["0"], "Seeds.")
flags.DEFINE_list("ours", [], "Recipes that the others are compared with.")
flags.DEFINE_enum(
    "judge", "f2", ["f2", "top_k"], "Figures of label sets, or of the likeliest labels."
)
flags.DEFINE_list(
    "judged",
    [],
    "Splits to make tables of; a+b is several together, `a where COLUMN` and `a where "
    "no COLUMN` are the images of which a column of the data set says something and "
    "nothing. Empty: --answer.",
)
flags.DEFINE_string("common", "", "Flags that all recipes get on top of their own.")
flags.DEFINE_float("minutes", 1e6, "Minutes after which no recipe is begun.", 0)
flags.DEFINE_string("runs", "runs/study", "Folder of the runs.")
flags.DEFINE_string("records", "docs/studies", "Folder of the records.")
flags.DEFINE_string("page", "docs/results.md", "Page that gets the tables.")
flags.DEFINE_integer("bootstrap", 1000, "Resamples of the bootstrap.", 1)


def main(_):
    """Runs what is missing, and writes the tables of what there is."""
    from inclusive_tf.recipes import page, progress, study

    recipe_flags.require_untyped()
    _require_names()
    jobs = [_job(name, seed) for seed in _seeds() for name in FLAGS.recipes]
    wanted = [job for job in jobs if not FLAGS.only or job.recipe in FLAGS.only]
    failed = progress.run(wanted, FLAGS.minutes)
    found, notes = progress.gather(jobs)
    for note in notes:
        print(note)
    if not found:
        print("there is no record to make tables of")
        return 1
    recipe_flags.take(jobs[0].arguments)
    judged = tuple(FLAGS.judged or FLAGS.answer)
    FLAGS.extra_columns = [*FLAGS.extra_columns, *study.columns_of(judged)]
    questions = study.Questions(_table())
    text = study.text(
        found,
        FLAGS.ours,
        questions,
        study.JUDGES[FLAGS.judge](questions),
        judged,
        FLAGS.fit_split or "train",
        notes,
        FLAGS.bootstrap,
    )
    print(text)
    if FLAGS.page:
        page.write(FLAGS.page, f"study {FLAGS.study}", text)
        print(f"written to {FLAGS.page}")
    return 1 if failed else 0


def _require_names():
    """Refuses recipes that stand twice, and those of --only and --ours that do not."""
    from data_pipelines import errors

    repeated = sorted({name for name in FLAGS.recipes if FLAGS.recipes.count(name) > 1})
    if repeated:
        raise errors.SettingError(
            "A recipe stands twice in a study. Expected: each name of --recipes once. "
            f"Received: {', '.join(repeated)}."
        )
    for flag in ("only", "ours"):
        unknown = sorted(set(FLAGS[flag].value) - set(FLAGS.recipes))
        if unknown:
            raise errors.SettingError(
                f"A name of --{flag} is none of the study's. Expected: some of "
                f"{', '.join(FLAGS.recipes)}. Received: {', '.join(unknown)}."
            )


def _seeds():
    from data_pipelines import errors

    plain = all(seed.isdecimal() for seed in FLAGS.seeds)
    seeds = list(map(int, FLAGS.seeds)) if plain else []
    if not seeds or len(set(seeds)) < len(seeds):
        raise errors.SettingError(
            "The seeds of a study cannot be used. Expected: whole numbers from 0 on, "
            f"each once, as in --seeds=0,1,2. Received: {','.join(FLAGS.seeds)}."
        )
    return seeds


def _job(name, seed):
    from inclusive_tf.recipes import progress

    arguments = recipe_flags.arguments(name, FLAGS.common, seed)
    digest = recipe_flags.digest_of(arguments)
    # other flags are another run, so that a recipe that was mended starts anew
    folder = f"seed-{seed}-{digest[:8]}"
    return progress.Job(
        name,
        seed,
        tuple(arguments),
        digest,
        pathlib.Path(FLAGS.runs) / FLAGS.study / name / folder,
        pathlib.Path(FLAGS.records) / FLAGS.study / f"{name}-{seed}.json",
    )


def _table():
    """The label table that a recipe answers: of its last phase, with all splits."""
    import dataclasses

    from data_pipelines import datasets, training_set

    recipe = recipe_flags.config_from_flags(FLAGS.runs)
    settings = recipe.members[0].steps[-1].experiment
    learnt = settings.data.learnt
    whole = training_set.TrainingSetConfig(
        labels=learnt.labels, head_size=learnt.head_size
    )
    data = dataclasses.replace(settings.data, learnt=whole)
    table, _ = datasets.read(data, settings.image)
    return table


if __name__ == "__main__":
    command.run(main)
