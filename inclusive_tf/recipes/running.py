"""Runs a recipe: trains its members phase by phase, predicts, adapts and decides."""

import dataclasses
import importlib.metadata
import pathlib

import numpy as np
import scipy.special

from data_pipelines import atomic, datasets, quality, training_set
from inclusive_tf import experiment, scores, trained
from inclusive_tf import predictions as predictions_module
from inclusive_tf import run as run_directory
from inclusive_tf.adaptation import adapted
from inclusive_tf.ensembles import combining, selection
from inclusive_tf.ensembles import members as ensemble_members
from inclusive_tf.evaluation import baselines, f2, ranking
from inclusive_tf.recipes import record as records
from inclusive_tf.training import checkpoints

_GREEDY_STEPS = 30
_PACKAGES = ("tensorflow", "keras", "numpy")


def run(recipe, output, flags_digest=""):
    """Runs a recipe; trainings resume, and what follows them is done again.

    Args:
        recipe: `recipe.Recipe`.
        output: folder of what is not a run: ensembles and their adaptations.
        flags_digest: of the flags, to keep in the record.

    Returns:
        `record.Record`.

    Raises:
        errors.DataError: whatever is wrong with the data or the directories.
        loop.TrainingDivergedError: a loss became NaN or infinite.
    """
    tables = _Tables(output)
    wanted = [recipe.fit_split, recipe.source_split, recipe.target_split]
    wanted = list(dict.fromkeys(filter(None, [*wanted, *recipe.splits])))
    _require_splits(recipe, wanted, tables)
    phases = len(recipe.members[0].steps)
    for phase in range(phases):
        _label(recipe, phase, tables)
        for member in recipe.members:
            step = member.steps[phase]
            table, notes = tables.read(step.experiment)
            experiment.train(
                run_directory.Run(step.run),
                step.experiment,
                step.flags,
                recipe.defaults,
                table,
                notes,
            )
    for member in recipe.members:
        _predict(member, -1, wanted, tables)
    return _record(recipe, output, flags_digest, *_decide(recipe, output))


class _Tables:
    """Label tables by what they are read from, so that each is read once."""

    def __init__(self, output):
        self._found, self._scans, self._output = {}, quality.Scans(), output

    def read(self, settings, whole=False):
        """Reads what a step learns from, or all splits as the source names them.

        Each table has a list of its unreadable images, the first in quarantine.csv.
        """
        data = settings.data
        if whole:
            plain = training_set.TrainingSetConfig(
                labels=data.learnt.labels, head_size=data.learnt.head_size
            )
            data = dataclasses.replace(data, learnt=plain)
        key = data, settings.image
        if key not in self._found:
            number = f"-{len(self._found) + 1}" if self._found else ""
            path = self._output / f"quarantine{number}.csv"
            table, notes = datasets.read(*key, quarantine=path, scans=self._scans)
            for note in notes:
                print(f"note: {note}")
            self._found[key] = table, notes
        return self._found[key]


def _require_splits(recipe, wanted, tables):
    """Refuses splits that the last phase does not have, before any phase is trained."""
    settings = recipe.members[0].steps[-1].experiment
    # those labels are of the phase before
    learnt = dataclasses.replace(settings.data.learnt, pseudo_labels="")
    data = dataclasses.replace(settings.data, learnt=learnt)
    table, _ = tables.read(dataclasses.replace(settings, data=data))
    for name in wanted:
        table.split_index(name)


def _predict(member, phase, splits, tables, whole=False):
    step = member.steps[phase]
    table, _ = tables.read(step.experiment, whole)
    folder = run_directory.Run(step.run)
    trained.predict(
        folder,
        table,
        splits,
        folder.path / "predictions",
        **member.prediction,
    )


def _label(recipe, phase, tables):
    """Writes the labels that the phase before gives, before a member learns from them.

    They are the mean of its members' probabilities, the same for all.
    """
    steps = [member.steps[phase] for member in recipe.members]
    pseudo = steps[0].pseudo
    path = pathlib.Path(steps[0].experiment.data.learnt.pseudo_labels)
    begun = any(
        checkpoints.newest(run_directory.Run(step.run).checkpoints) is not None
        for step in steps
    )
    if not pseudo.split or (begun and path.is_file()):
        return
    chosen = []
    for member in recipe.members:
        _predict(member, phase - 1, [pseudo.split], tables, whole=True)
        run = run_directory.Run(member.steps[phase - 1].run)
        chosen.append(ensemble_members.Member(run.predictions(pseudo.split)))
    predicted = combining.mean(chosen, "probabilities")
    write_pseudo_labels(path, predicted, float(scipy.special.logit(pseudo.threshold)))


def write_pseudo_labels(path, predicted, threshold_logit):
    """Writes the labels that predictions give, as `training_set` reads them.

    Args:
        path: CSV to write.
        predicted: `predictions.Predictions`; their truth is not looked at.
        threshold_logit: float or [C]; a label is given from this logit on.

    Returns:
        int, labels written.
    """
    given = f2.decisions(predicted.logits, threshold_logit)
    names = np.array(predicted.vocabulary.ids, object)[given.index]
    ids = np.asarray(predicted.ids)
    bare = np.flatnonzero(np.diff(given.offsets) == 0)
    rows = [*zip(ids[given.rows()], names, strict=True), *((ids[i], "") for i in bare)]
    atomic.write_csv(path, training_set.HEADER, rows)
    return len(names)


def _decide(recipe, output):
    """Returns ({split: (predictions, threshold)}, tuning figures) of a recipe."""
    if recipe.adapt == "ensemble":
        return _combined_then_adapted(recipe, output)
    folders, figures = [None] * len(recipe.members), {}
    for number, member in enumerate(recipe.members if recipe.fit_split else ()):
        found = _fitted(recipe, member)
        folder = run_directory.Run(member.steps[-1].run).adaptation("recipe")
        found.save(folder)
        folders[number] = folder
        figures = found.figures
    if len(recipe.members) == 1:
        return {
            split: _adapted(recipe, _of(recipe.members[0], split), folders[0])
            for split in recipe.splits
        }, _said(figures)
    decided = {}
    # adapted members are combined as what lies above their thresholds
    cut = 0.0 if recipe.fit_split else recipe.threshold_logit
    for split in recipe.splits:
        chosen = [
            ensemble_members.Member(_folder(member, split), folder)
            for member, folder in zip(recipe.members, folders, strict=True)
        ]
        if recipe.combine == "vote":
            rule = combining.Vote(
                recipe.at_least, True, _constant(recipe), recipe.threshold_logit
            )
            decided[split] = combining.vote(chosen, rule)[0], 0.0
        else:
            of = recipe.combine.removeprefix("mean_")
            decided[split] = combining.mean(chosen, of), cut
    return decided, {}


def _adapted(recipe, predicted, folder):
    """Returns (predictions, threshold) with an adaptation, or as they are."""
    if folder is None:
        return predicted, recipe.threshold_logit
    return adapted.apply(adapted.load(folder), predicted)


def _combined_then_adapted(recipe, output):
    """Members as they are, combined; one adaptation of the combination."""
    chosen = list(recipe.members)
    weights = [1.0] * len(chosen)
    of = "logits" if recipe.combine == "greedy" else recipe.combine[len("mean_") :]
    if recipe.combine == "greedy":
        fitted_on = [
            ensemble_members.Member(_folder(member, recipe.fit_split))
            for member in chosen
        ]
        counts = selection.greedy(fitted_on, _GREEDY_STEPS, of).counts
        chosen = [member for member, n in zip(chosen, counts, strict=True) if n]
        weights = [float(n) for n in counts if n]

    def combine(split):
        rows = zip(chosen, weights, strict=True)
        return combining.mean(
            [
                ensemble_members.Member(_folder(member, split), None, weight)
                for member, weight in rows
            ],
            of,
        )

    settings = recipe.members[0].adaptation
    adaptation = adapted.fit(combine(recipe.fit_split), **settings)
    adaptation.save(output / "adaptation")
    decided = {
        split: adapted.apply(adaptation, combine(split)) for split in recipe.splits
    }
    said = _said(adaptation.figures)
    if recipe.combine == "greedy":
        said["estimate"] += ", members chosen on the same images"
    return decided, said


def _fitted(recipe, member):
    by_target = member.adaptation["priors"] in ("em", "bbse")
    source = _of(member, recipe.source_split) if recipe.source_split else None
    target = _of(member, recipe.target_split) if by_target else None
    return adapted.fit(
        _of(member, recipe.fit_split),
        source=source if by_target else None,
        target=target,
        **member.adaptation,
    )


def _said(figures):
    return {name: figures[name] for name in ("mean_f2", "estimate") if figures}


def _folder(member, split):
    return run_directory.Run(member.steps[-1].run).predictions(split)


def _of(member, split):
    return predictions_module.load(_folder(member, split))


def _constant(recipe):
    """Positions of the labels of the best constant answer on the fitted split."""
    if not (recipe.fill and recipe.fit_split):
        return ()
    fitted_on = _of(recipe.members[0], recipe.fit_split)
    found = baselines.constant_answer(
        fitted_on.truth, unlisted_is_absent=fitted_on.unlisted_is_absent
    )
    return tuple(np.asarray(found).tolist())


def _record(recipe, output, flags_digest, decided, tuning):
    answers, counts = {}, None
    for split, (predicted, threshold) in decided.items():
        margins = scores.bounded(predicted.logits, threshold, recipe.least, recipe.most)
        answers[split] = records.Answer(
            f2.decisions(margins, 0.0).multi_hot(),
            ranking.of_logits(predicted.logits),
            records.digest(
                predicted.ids, predicted.truth, predicted.group, predicted.vocabulary
            ),
        )
        counts = predicted.training_counts
    return records.Record(
        recipe.name,
        recipe.seed,
        flags_digest,
        answers,
        np.asarray(counts),
        tuning,
        _cost(recipe),
        {name: _version(name) for name in _PACKAGES},
    )


def _cost(recipe):
    """What all trainings of a recipe took, from what the runs remember."""
    seconds = images = parameters = 0
    for member in recipe.members:
        for step in member.steps:
            folder = run_directory.Run(step.run)
            state = folder.read_json("training.json")
            seconds += sum(epoch["seconds"] for epoch in state["history"])
            images += state["step"] * step.experiment.training.batch_size
        parameters += folder.read_json("model.json")["parameters"]
    return {
        "seconds": seconds,
        "images": images,
        "parameters": parameters,
        "members": len(recipe.members),
    }


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{package}-cpu")
