"""What is done with a trained run: read data for it, predict, export."""

import pathlib

from data_pipelines import datasets, errors, images
from data_pipelines.sources import image_folder
from inclusive_tf import export as savedmodel
from inclusive_tf import inference, models, predictions
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints, target_statistics


def load_model(run, checkpoint="last"):
    """Rebuilds a run's model and loads its weights.

    Args:
        run: `run.Run`.
        checkpoint: `last`, `best` (by validation mean F2) or a step, as str.

    Returns:
        (model, stored `model.json`, step).

    Raises:
        errors.DataError: there is no sound checkpoint.
        errors.SettingError: there is none of this name; those there are listed.
    """
    stored = run.read_model()
    config = models.ModelConfig.from_dict(stored["model"], run.path / "model.json")
    model, _ = models.build(config)
    state = checkpoints.newest(run.checkpoints)
    if state is None:
        raise errors.DataError("the run has no sound checkpoint", file=run.checkpoints)
    known = checkpoints.steps(run.checkpoints)
    steps = {"last": state.step, **{str(step): step for step in known}}
    if state.best_step in known:
        steps["best"] = state.best_step
    if checkpoint not in steps:
        raise errors.SettingError(
            f"There is no such checkpoint. Expected: one of {', '.join(steps)}. "
            f"Received: {checkpoint}. `best` needs a validation split."
        )
    step = steps[checkpoint]
    checkpoints.load_weights(run.checkpoints, step, model)
    return model, stored, step


def read_data(run, data, splits=(), images_folder="", quarantine=None):
    """Reads data for a trained run: its vocabulary, its image size.

    Args:
        run: `run.Run`.
        data: `datasets.DataConfig`.
        splits: names of the splits to keep; only their images are read. Empty: all
            but `train`.
        images_folder: a folder of unlabelled images to read instead.
        quarantine: path of the CSV that names unreadable images; None writes none.

    Returns:
        (`labels.LabelTable`, notes).

    Raises:
        errors.DataError: as `datasets.read`, or labels unknown to the run.
    """
    vocabulary, _ = run.read_vocabulary()
    image_config = images.ImageConfig.from_dict(run.read_model()["image"])
    if images_folder:
        return datasets.without_bad_images(
            *image_folder.read_with_notes(images_folder, vocabulary),
            image_config,
            data.max_bad_fraction,
            quarantine,
        )
    return datasets.read(data, image_config, vocabulary, splits, quarantine)


def predict(
    run,
    table,
    splits,
    output,
    checkpoint="last",
    batch_size=256,
    views=None,
    statistics=None,
    scores=None,
):
    """Predicts splits of a table and saves them.

    Statistics of batch normalisation are recomputed once, before the first split, so
    that all splits are predicted by one model.

    Args:
        run: `run.Run`.
        table: `labels.LabelTable` of readable images and the run's vocabulary.
        splits: names of splits.
        output: folder that gets a predictions folder a split.
        checkpoint: as in `load_model`.
        batch_size: images a forward pass, each view counted.
        views: `views.ViewsConfig`; None is the image alone.
        statistics: `target_statistics.StatisticsConfig`; None leaves the model as it
            was trained. Its splits are in the table.
        scores: `scores.ScoresConfig`; None gives the logits.

    Returns:
        {split: `predictions.Predictions`}.

    Raises:
        errors.DataError: a split is not in the table or has no images.
        errors.SettingError: the model has no batch normalisation to recompute, or crops
            would not differ at this scale.
    """
    model, stored, step = load_model(run, checkpoint)
    image_config = images.ImageConfig.from_dict(stored["image"])
    _, counts = run.read_vocabulary()
    tokeniser = run.read_tokeniser()
    facts, variant = {}, ""
    if views is not None and views.count > 1:
        facts["views"] = views.description
    if statistics is not None and statistics.splits:
        part = table.take(target_statistics.rows(table, statistics.splits))
        variant = target_statistics.refresh_on(
            model,
            part,
            image_config,
            statistics,
            batch_size,
            views,
            read_text(tokeniser, part, "batch normalisation"),
        )
        facts["statistics"] = variant
    # compiled once for all splits
    forward = inference.Forward(model, views)
    found = {}
    for split in splits:
        part = table.select_split(split)
        found[split] = inference.predict(
            model,
            part,
            image_config,
            counts,
            batch_size,
            {"run": str(run.path), "split": split, "step": step, **facts},
            views,
            variant,
            text=read_text(tokeniser, part, split),
            scores=scores,
            forward=forward,
        )
        found[split].save(pathlib.Path(output) / split)
    return found


def read_text(tokeniser, table, what):
    """Returns int32 [N, L], tokens of a table's texts, and prints what was not read.

    Args:
        tokeniser: `tokens.Tokeniser` of a run; None gives None.
        table: `labels.LabelTable`.
        what: how to call the table in the note, such as its split.

    Raises:
        errors.DataError: the table has no text.
    """
    if tokeniser is None:
        return None
    # imports Keras, which whoever reads no text may do without for longer
    from data_pipelines import tokens

    found, tally = tokeniser.tokens(tokens.of_table(table))
    print(f"note: {tally.note(what, tokeniser.length)}")
    return found


def export(run, directory, adaptation, threshold_logit, checkpoint="last"):
    """Exports a run as a SavedModel.

    Args:
        run: `run.Run`.
        directory: folder to write.
        adaptation: `adapted.Adaptation` that brings threshold and last layer, or None.
        threshold_logit: used when there is no adaptation.
        checkpoint: as in `load_model`.

    Raises:
        errors.DataError: the adaptation is of another vocabulary or model.
    """
    model, stored, _ = load_model(run, checkpoint)
    vocabulary, _ = run.read_vocabulary()
    layer = {}
    if adaptation is not None:
        _require_fit(adaptation, vocabulary, model)
        threshold_logit = adaptation.threshold_logit
        layer = {"kernel": adaptation.kernel, "bias": adaptation.bias}
    image_config = images.ImageConfig.from_dict(stored["image"])
    savedmodel.export(
        model,
        image_config,
        vocabulary,
        threshold_logit,
        directory,
        **layer,
        tokeniser=run.read_tokeniser(),
    )


def _require_fit(adaptation, vocabulary, model):
    """Refuses an adaptation of another vocabulary or of another last layer."""
    layer = predictions.hash_layer(*head.last_layer(model))
    for what, expected, received in (
        ("vocabulary", vocabulary.hash, adaptation.vocabulary_hash),
        ("model", layer, adaptation.layer_hash),
    ):
        if expected != received:
            raise errors.DataError(
                f"the adaptation is of another {what}",
                expected=f"{what} {expected[:12]}",
                received=f"{what} {received[:12]}",
            )
    if adaptation.variant:
        raise errors.DataError(
            "the adaptation is of predictions that a served model does not make",
            expected="one fitted on predictions of one view by the model as it was "
            "trained",
            received=adaptation.variant,
        )
