"""What is done with a trained run: read data for it, predict, export."""

import pathlib

from data_pipelines import datasets, errors, images
from data_pipelines.sources import image_folder
from inclusive_tf import export as savedmodel
from inclusive_tf import inference, models, predictions
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints


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
    stored = run.read_json("model.json")
    model, _ = models.build(models.ModelConfig(**stored["model"]))
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
    image_config = images.ImageConfig.from_dict(run.read_json("model.json")["image"])
    if images_folder:
        return datasets.without_bad_images(
            image_folder.read(images_folder, vocabulary),
            [],
            image_config,
            data.max_bad_fraction,
            quarantine,
        )
    return datasets.read(data, image_config, vocabulary, splits, quarantine)


def predict(run, table, splits, output, checkpoint="last", batch_size=256):
    """Predicts splits of a table and saves them.

    Args:
        run: `run.Run`.
        table: `labels.LabelTable` of readable images and the run's vocabulary.
        splits: names of splits.
        output: folder that gets a predictions folder a split.
        checkpoint: as in `load_model`.
        batch_size: images a forward pass.

    Returns:
        {split: `predictions.Predictions`}.
    """
    model, stored, step = load_model(run, checkpoint)
    image_config = images.ImageConfig.from_dict(stored["image"])
    _, counts = run.read_vocabulary()
    found = {}
    for split in splits:
        found[split] = inference.predict(
            model,
            table.select_split(split),
            image_config,
            counts,
            batch_size,
            {"run": str(run.path), "split": split, "step": step},
        )
        found[split].save(pathlib.Path(output) / split)
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
        model, image_config, vocabulary, threshold_logit, directory, **layer
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
