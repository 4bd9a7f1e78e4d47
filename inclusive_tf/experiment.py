"""A training, from a data set to a run directory; `trained` says what follows."""

import dataclasses
import hashlib

import numpy as np

from data_pipelines import batches, datasets, errors, images
from data_pipelines.resampling import exposure, policies
from inclusive_tf import image_features, losses, models, writers
from inclusive_tf.training import checkpoints, loop


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything a training is told.

    Args:
        data: `datasets.DataConfig`.
        image: `images.ImageConfig`.
        augment: `augmentation.AugmentationConfig`.
        resampling: a name in `policies.POLICIES`.
        resampling_settings: what the policy takes beside the table.
        carrier: a name in `batches.CARRIERS`.
        shuffle_buffer: records the streaming carrier shuffles among.
        keep_bytes: memory for pixels that are decoded once and kept.
        model: fields of `models.ModelConfig` that do not follow from the data.
        prior_bias: whether the last layer's bias starts at the labels' log-odds.
        training: `training.config.TrainingConfig`.
        loss_settings: fields of `losses.LossConfig` that do not follow from the data.
        mixing: `mixing.MixingConfig`.

    Raises:
        errors.SettingError: mixing with a carrier that has no random access.
    """

    data: datasets.DataConfig
    image: images.ImageConfig
    augment: object
    resampling: str
    resampling_settings: dict
    carrier: str
    shuffle_buffer: int
    keep_bytes: int
    model: dict
    prior_bias: bool
    training: object
    loss_settings: dict
    mixing: object

    def __post_init__(self):
        if self.mixing.below and self.carrier != "indexed":
            raise errors.SettingError(
                "Images can only be mixed by random access. Expected: "
                f"--carrier=indexed with --mix_below. Received: {self.carrier}."
            )


def _loss(experiment, train_table, shown):
    """Builds the loss, which may ask how often labels and groups are shown."""
    sizes = np.bincount(train_table.group, minlength=len(train_table.group_names))
    return losses.build(
        losses.LossConfig(
            experiment.training.loss,
            label_counts=train_table.labels.counts().tolist(),
            shares=shown.shares().tolist(),
            group_counts=sizes.tolist(),
            **experiment.loss_settings,
        )
    )


def _describe_data(table, notes, mix):
    counts = {}
    for name in table.split_names:
        part = table.select_split(name)
        shown = dict(zip(table.vocabulary.ids, part.labels.counts().tolist(),
                         strict=True))  # fmt: skip
        counts[name] = {"images": len(part), "groups": part.group_counts(),
                        "labels": shown}  # fmt: skip
    return {"counts": counts, "notes": notes, "fingerprint": _fingerprint(table, mix)}


def train(run, experiment, flags, defaults=None, table=None, notes=()):
    """Trains into a run directory, resuming what is there.

    Args:
        run: `run.Run`.
        experiment: `Experiment`.
        flags: {name: JSON value} to store and to compare on resuming.
        defaults: {name: JSON value} of flags that an older run does not name.
        table: the label table, when it is read already (`datasets.read`).
        notes: its notes.

    Returns:
        `checkpoints.State` after the last step.

    Raises:
        errors.DataError: the data or the directory are not usable.
        loop.TrainingDivergedError: the loss became NaN or infinite.
    """
    with run.start(flags, defaults):
        if table is None:
            table, notes = datasets.read(
                experiment.data,
                experiment.image,
                quarantine=run.path / "quarantine.csv",
            )
            for note in notes:
                print(f"note: {note}")
        train_table = table.select_split("train")
        steps_per_epoch = experiment.training.steps_an_epoch(len(train_table))
        rates = policies.rates(
            train_table,
            experiment.resampling,
            steps_per_epoch * experiment.training.batch_size,
            **experiment.resampling_settings,
        )
        shown = exposure.measure(train_table, rates, experiment.resampling)
        print(exposure.text(shown))
        mix, said = image_features.prepare_mixing(
            train_table, experiment.mixing, experiment.image.max_pixels
        )
        if said:
            print(said)
        described = _describe_data(table, list(notes), mix)
        resumed = _require_same_data(run, described)
        run.write_json("flags.json", flags)
        run.write_json("data.json", described)
        run.write_vocabulary(table.vocabulary, train_table.labels.counts())
        run.write_json("exposure.json", shown.to_json())
        loss = _loss(experiment, train_table, shown)
        bias = ()
        if experiment.prior_bias:
            odds = shown.shares() / (1 - shown.shares())
            bias = tuple(loss.initial_bias(np.log(odds)).tolist())
        model = _model(run, experiment, table.vocabulary, train_table, bias, resumed)
        state = _fit(
            run, experiment, table, train_table, rates, mix, model, loss, shown
        )
        run.write_json("training.json", dataclasses.asdict(state))
    return state


def _fingerprint(table, mix):
    """SHA-256 of what a training reads of a label table, and mixes, as hex."""
    digest = hashlib.sha256(table.vocabulary.hash.encode())
    for values in (table.ids, table.labels.index, table.labels.offsets,
                   table.labels.confidence, table.split, table.group):  # fmt: skip
        digest.update(np.ascontiguousarray(values).tobytes())
    if mix is not None:
        digest.update(np.ascontiguousarray(mix.partners).tobytes())
    return digest.hexdigest()


def _require_same_data(run, described):
    """Returns whether there is something to resume; refuses to go on on other data."""
    if checkpoints.newest(run.checkpoints) is None:
        return False
    before = run.read_json("data.json")
    if before["fingerprint"] != described["fingerprint"]:
        sizes = [
            ", ".join(f"{n['images']:,} {name}" for name, n in found["counts"].items())
            for found in (before, described)
        ]
        raise errors.DataError(
            "the data have changed since this run began",
            expected=f"images, labels, splits and groups as before ({sizes[0]})",
            received=sizes[1],
            file=run.path,
        )
    return True


def _model(run, experiment, vocabulary, train_table, bias, resumed):
    """Builds the model: as model.json says on resuming, else from the data."""
    if resumed:
        stored = run.read_json("model.json")["model"]
        return models.build(models.ModelConfig(**stored))[0]
    mean, deviation = batches.measure_pixels(
        train_table, experiment.image, experiment.training.seed
    )
    config = models.ModelConfig(
        num_classes=len(vocabulary),
        height=experiment.image.height,
        width=experiment.image.width,
        channels=experiment.image.channels,
        mean=mean,
        deviation=deviation,
        initial_bias=bias,
        **experiment.model,
    )
    model, final_feature_map = models.build(config)
    run.write_json("model.json", {
        "model": dataclasses.asdict(config),
        "image": experiment.image.to_dict(),
        "final_feature_map": final_feature_map,
        "parameters": model.count_params(),
    })  # fmt: skip
    return model


def _fit(run, experiment, table, train_table, rates, mix, model, loss, shown):
    training = experiment.training
    pipeline = batches.PipelineConfig(
        image=experiment.image,
        augment=experiment.augment,
        batch_size=training.batch_size,
        carrier=experiment.carrier,
        shuffle_buffer=experiment.shuffle_buffer,
        keep_bytes=experiment.keep_bytes,
        seed=training.seed,
        mix=mix,
    )
    validation = None
    if "validation" in table.split_names:
        held_out = table.select_split("validation")
        validation = batches.evaluation_batches(held_out, experiment.image, 256)
        if batches.fits(len(held_out), experiment.image, experiment.keep_bytes):
            validation = validation.cache()

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
            loss,
            data,
            training,
            run.checkpoints,
            writer,
            [writers.ProgressBar(data.steps_per_epoch)],
        )
    finally:
        writer.close()
