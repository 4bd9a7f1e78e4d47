"""The job's steps on a run directory: train, predict, load a model, export.

Scripts and the demo call these; each is a short composition of the libraries.
"""

import dataclasses
import logging
import pathlib
import sys

import numpy as np

from data_pipelines import batches, errors, images, quality, sources
from data_pipelines.resampling import exposure, policies
from data_pipelines.sources import image_folder
from inclusive_tf import export as savedmodel
from inclusive_tf import inference, losses, models, writers
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints, loop


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything a training is told.

    Args:
        dataset: a name in `sources.SOURCES`.
        data: the configuration of that source.
        image: `images.ImageConfig`.
        augment: `augmentation.AugmentationConfig`.
        resampling: a name in `policies.POLICIES`.
        resampling_settings: what the policy takes beside the table.
        carrier: a name in `batches.CARRIERS`.
        shuffle_buffer: records the streaming carrier shuffles among.
        model: fields of `models.ModelConfig` that do not follow from the data.
        prior_bias: whether the last layer's bias starts at the labels' log-odds.
        training: `training.config.TrainingConfig`.
        max_bad_fraction: share of unreadable images to put up with.
    """

    dataset: str
    data: object
    image: images.ImageConfig
    augment: object
    resampling: str
    resampling_settings: dict
    carrier: str
    shuffle_buffer: int
    model: dict
    prior_bias: bool
    training: object
    max_bad_fraction: float


def read_table(dataset, data, image_config, max_bad_fraction, quarantine=None):
    """Reads a data set and leaves its unreadable images out.

    Args:
        dataset: a name in `sources.SOURCES`.
        data: the configuration of that source.
        image_config: `images.ImageConfig`.
        max_bad_fraction: share of unreadable images to put up with.
        quarantine: path of the CSV that names them; None writes none.

    Returns:
        (`labels.LabelTable`, notes).

    Raises:
        errors.DataError: whatever is wrong with the table, or too many bad images.
    """
    table, notes = sources.load(dataset).read_with_notes(data)
    return without_bad_images(table, notes, image_config, max_bad_fraction, quarantine)


def without_bad_images(table, notes, image_config, max_bad_fraction, quarantine=None):
    """Scans every image of a table once and leaves the unreadable ones out."""
    progress = sys.stderr.isatty()
    faults = quality.scan(table.locations, image_config, progress)
    if quarantine is not None:
        quality.write_quarantine(quarantine, faults, table.ids)
    if faults:
        notes = [*notes, f"{len(faults):,} unreadable image(s) were left out, named in "
                         "quarantine.csv"]  # fmt: skip
        logging.warning("%s", notes[-1])
    return quality.apply(table, faults, max_bad_fraction), notes


def log_odds(shown):
    """Returns float [C]: log(share / (1 - share)) of the draws that show each label.

    Args:
        shown: `exposure.Exposure`; one draw with and one without each label are added.
    """
    share = (shown.after + 1.0) / (shown.draws + 2.0)
    return np.log(share / (1 - share))


def _describe_data(table, notes):
    counts = {}
    for name in table.split_names:
        part = table.select_split(name)
        shown = dict(zip(table.vocabulary.ids, part.labels.counts().tolist(),
                         strict=True))  # fmt: skip
        counts[name] = {"images": len(part), "groups": part.group_counts(),
                        "labels": shown}  # fmt: skip
    return {"counts": counts, "notes": notes}


def train(run, experiment, flags, table=None, notes=()):
    """Trains into a run directory, resuming what is there.

    Args:
        run: `run.Run`.
        experiment: `Experiment`.
        flags: {name: JSON value} to store and to compare on resuming.
        table: the label table, when it is read already (`read_table`).
        notes: its notes.

    Returns:
        `checkpoints.State` after the last step.

    Raises:
        errors.DataError: the data or the directory are not usable.
        loop.TrainingDivergedError: the loss became NaN or infinite.
    """
    with run.start(flags):
        if table is None:
            table, notes = read_table(
                experiment.dataset,
                experiment.data,
                experiment.image,
                experiment.max_bad_fraction,
                run.path / "quarantine.csv",
            )
        train_table = table.select_split("train")
        counts = train_table.labels.counts()
        steps_per_epoch = experiment.training.steps_an_epoch(len(train_table))
        rates = policies.rates(
            train_table,
            experiment.resampling,
            steps_per_epoch * experiment.training.batch_size,
            **experiment.resampling_settings,
        )
        shown = exposure.measure(train_table, rates, experiment.resampling)
        print(exposure.text(shown))
        pixels = batches.measure_pixels(
            train_table, experiment.image, experiment.training.seed
        )
        model, final_feature_map, config = _build(
            experiment, table.vocabulary, shown, pixels
        )
        run.write_json("data.json", _describe_data(table, list(notes)))
        run.write_vocabulary(table.vocabulary, counts)
        run.write_json("exposure.json", shown.to_json())
        run.write_json("model.json", {
            "model": dataclasses.asdict(config),
            "image": experiment.image.to_dict(),
            "final_feature_map": final_feature_map,
            "parameters": model.count_params(),
        })  # fmt: skip
        state = _fit(run, experiment, table, train_table, rates, model, shown)
        run.write_last_layer(*head.last_layer(model))
        run.write_json("training.json", dataclasses.asdict(state))
    return state


def _build(experiment, vocabulary, shown, pixels):
    mean, deviation = pixels
    config = models.ModelConfig(
        num_classes=len(vocabulary),
        height=experiment.image.height,
        width=experiment.image.width,
        channels=experiment.image.channels,
        mean=mean,
        deviation=deviation,
        initial_bias=(tuple(log_odds(shown).tolist()) if experiment.prior_bias else ()),
        **experiment.model,
    )
    model, final_feature_map = models.build(config)
    return model, final_feature_map, config


def _fit(run, experiment, table, train_table, rates, model, shown):
    training = experiment.training
    pipeline = batches.PipelineConfig(
        image=experiment.image,
        augment=experiment.augment,
        batch_size=training.batch_size,
        carrier=experiment.carrier,
        shuffle_buffer=experiment.shuffle_buffer,
        seed=training.seed,
    )
    validation = None
    if "validation" in table.split_names:
        held_out = table.select_split("validation")

        def validation():
            return batches.evaluation_batches(held_out, experiment.image, 256)

    data = loop.Data(
        training=lambda epoch, draw: batches.training_batches(
            train_table, rates, pipeline, training.epochs, epoch, draw
        ),
        validation=validation,
        steps_per_epoch=training.steps_an_epoch(len(train_table)),
        save_iterator=experiment.carrier == "streaming",
    )
    tensorboard = writers.TensorBoard(run.logs)
    tensorboard.histogram("resampling/rates", rates)
    tensorboard.text("resampling/exposure", f"```\n{exposure.text(shown)}\n```")
    writer = writers.Several(writers.Console(), tensorboard)
    try:
        return loop.train(
            model,
            losses.build(training.loss),
            data,
            training,
            run.checkpoints,
            writer,
            [writers.ProgressBar(data.steps_per_epoch)],
        )
    finally:
        writer.close()


def load_model(run, checkpoint="last"):
    """Rebuilds a run's model and loads its weights.

    Args:
        run: `run.Run`.
        checkpoint: `last`, `best` (by validation mean F2) or a step.

    Returns:
        (model, stored `model.json`, step).

    Raises:
        errors.DataError: there is no sound checkpoint.
    """
    stored = run.read_json("model.json")
    model, _ = models.build(models.ModelConfig(**stored["model"]))
    state = checkpoints.newest(run.checkpoints)
    if state is None:
        raise errors.DataError("the run has no sound checkpoint", file=run.checkpoints)
    step = state.step
    if checkpoint == "best" and state.best_step >= 0:
        step = state.best_step
    elif checkpoint not in ("last", "best"):
        step = int(checkpoint)
    checkpoints.load_weights(run.checkpoints, step, model)
    return model, stored, step


def read_for_run(
    run, dataset, data, max_bad_fraction, images_folder="", quarantine=None
):
    """Reads data for a trained run: its vocabulary, its image size.

    Args:
        run: `run.Run`.
        dataset: a name in `sources.SOURCES`.
        data: the configuration of that source.
        max_bad_fraction: share of unreadable images to put up with.
        images_folder: a folder of unlabelled images to read instead.
        quarantine: path of the CSV that names unreadable images; None writes none.

    Returns:
        (`labels.LabelTable`, notes).

    Raises:
        errors.DataError: as `read_table`, or labels that the run does not know.
    """
    vocabulary, _ = run.read_vocabulary()
    if images_folder:
        table, notes = image_folder.read(images_folder, vocabulary), []
    else:
        table, notes = sources.load(dataset).read_with_notes(data, vocabulary)
    image_config = images.ImageConfig.from_dict(run.read_json("model.json")["image"])
    return without_bad_images(table, notes, image_config, max_bad_fraction, quarantine)


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
        if adaptation.vocabulary_hash != vocabulary.hash:
            raise errors.DataError(
                "the adaptation is of another vocabulary",
                expected=f"vocabulary {vocabulary.hash[:12]}",
                received=f"vocabulary {adaptation.vocabulary_hash[:12]}",
            )
        threshold_logit = adaptation.threshold_logit
        layer = {"kernel": adaptation.kernel, "bias": adaptation.bias}
    image_config = images.ImageConfig.from_dict(stored["image"])
    savedmodel.export(
        model, image_config, vocabulary, threshold_logit, directory, **layer
    )
