"""The whole job on one data set: two runs, adapted, compared, explained, exported."""

import dataclasses

from data_pipelines import atomic, datasets
from inclusive_tf import experiment, explanation, trained
from inclusive_tf import run as run_directory
from inclusive_tf.report import page, results, tables, tensorboard

TUNING, EVALUATED = "tuning", ("stage_1", "stage_2")


def run(settings, flags, defaults, output, explain_config, shown, resamples, title):
    """Runs the job; trainings resume, and what follows them is done again.

    Args:
        settings: `experiment.Experiment` of the resampled run; the plain run differs
            from it in nothing but `resampling`.
        flags: {name: JSON value} to store in the runs.
        defaults: {name: JSON value} of flags that an older run does not name.
        output: folder to write.
        explain_config: `explain.cases.ExplainConfig`.
        shown: `explanation.ShownConfig`.
        resamples: of the bootstrap.
        title: title of the page.

    Returns:
        (results JSON, explained cases).
    """
    table, notes = datasets.read(
        settings.data, settings.image, quarantine=output / "quarantine.csv"
    )
    for note in notes:
        print(f"note: {note}")
    for split, count in table.split_counts().items():
        groups = table.select_split(split).group_counts()
        counted = ", ".join(f"{n:,} {name}" for name, n in groups.items() if n)
        print(f"{split}: {count:,} images ({counted})")
    plain = dataclasses.replace(settings, resampling="none", resampling_settings={})
    runs = {}
    for name, chosen in (("plain", plain), ("resampled", settings)):
        print(f"\n{name}")
        runs[name] = run_directory.Run(output / name)
        own = {**flags, "resampling": chosen.resampling}
        experiment.train(runs[name], chosen, own, defaults, table, notes)
        trained.predict(
            runs[name], table, (TUNING, *EVALUATED), runs[name].path / "predictions"
        )
    found, rows = results.gather(
        runs, TUNING, EVALUATED, title, resamples, settings.training.seed
    )
    final = rows[-1]
    explained = explanation.explain(
        runs[final.run],
        table.select_split(EVALUATED[-1]),
        table.select_split("train"),
        *final.decided[EVALUATED[-1]],
        explain_config,
        shown,
        final.name,
    )
    cases = explained.cases
    found["explanations"] = explained.facts
    trained.export(
        runs[final.run], runs[final.run].path / "export", final.adaptation, 0.0
    )
    atomic.write_json(output / "report" / "results.json", found)
    for split in EVALUATED:
        atomic.write_text(
            output / "report" / f"{split}.md", tables.markdown_table(found, split)
        )
    page.write(found, cases, output / "report" / "index.html")
    tensorboard.write(found, cases, runs[final.run].logs / "report")
    return found, cases
