"""A training, from a data set to a run directory; `trained` says what follows."""

import dataclasses
import hashlib
import json

import numpy as np

from data_pipelines import batches, datasets, errors, images
from data_pipelines.resampling import exposure, policies
from inclusive_tf import image_features, losses, models, writers
from inclusive_tf import run as run_directory
from inclusive_tf.training import (
    checkpoints,
    distribution,
    loop,
    second_heads,
    starting,
    termination,
    texts,
)


@dataclasses.dataclass(frozen=True)
class SurroundingsConfig:
    """What a training uses, which does not decide what it learns.

    Args:
        distribution: one of `config.DISTRIBUTIONS`.
        profile_first: step before which profiling starts, from 1.
        profile_steps: steps to profile; 0: none.
    """

    distribution: str = "auto"
    profile_first: int = 20
    profile_steps: int = 0


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
        start: `starting.StartConfig`.
        one_label: one of `target_transforms.ONE_LABEL`.
        text_words: words of the training texts to know, for models that read text.
        heads: `second_heads.SecondHeadsConfig`.
        surroundings: `SurroundingsConfig`.

    Raises:
        errors.SettingError: mixing with a carrier that has no random access, or what
            blends images with a model that reads text or with second heads that are
            told of more labels than the targets show.
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
    start: starting.StartConfig = dataclasses.field(
        default_factory=starting.StartConfig
    )
    one_label: str = "none"
    text_words: int = 10_000
    heads: second_heads.SecondHeadsConfig = dataclasses.field(
        default_factory=second_heads.SecondHeadsConfig
    )
    surroundings: SurroundingsConfig = dataclasses.field(
        default_factory=SurroundingsConfig
    )

    @property
    def inputs(self):
        """A name in `models.INPUTS`."""
        return self.model.get("inputs", "image")

    @property
    def seen(self):
        """`images.ImageConfig` of what the model sees; None reads no image."""
        return None if self.inputs == "text" else self.image

    def __post_init__(self):
        if self.mixing.below and self.carrier != "indexed":
            raise errors.SettingError(
                "Images can only be mixed by random access. Expected: "
                f"--carrier=indexed with --mix_below. Received: {self.carrier}."
            )
        self._require_images_can_be_blended()

    def _require_images_can_be_blended(self):
        blending = [
            flag
            for flag, used in (
                ("--mix_below", self.mixing.below),
                ("--mixup", self.augment.mixup),
                ("--cutmix", self.augment.cutmix),
            )
            if used
        ]
        heads = self.heads.count_weight or self.heads.embedding_weight
        for what, found in (
            ("the texts beside them", self.inputs != "image"),
            ("what second heads learn beside --one_label",
             heads and self.one_label != "none"),
        ):  # fmt: skip
            if blending and found:
                raise errors.SettingError(
                    f"Images can be blended, {what} cannot. Expected: one or the "
                    f"other. Received: {', '.join(blending)}."
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


def _describe_data(table, notes, mix, read):
    counts = {}
    for name in table.split_names:
        part = table.select_split(name)
        shown = dict(zip(table.vocabulary.ids, part.labels.counts().tolist(),
                         strict=True))  # fmt: skip
        counts[name] = {"images": len(part), "groups": part.group_counts(),
                        "labels": shown}  # fmt: skip
    fingerprint = _fingerprint(table, mix, read)
    return {"counts": counts, "notes": notes, "fingerprint": fingerprint}


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

    Several workers train into one directory, on a disk that they share; the chief alone
    writes and says what there is to say.

    Raises:
        errors.DataError: the data or the directory are not usable.
        errors.SettingError: workers do not agree on flags, data or checkpoint.
        loop.TrainingDivergedError: the loss became NaN or infinite.
        distribution.WorkerLostError: another worker is gone.
    """
    devices = distribution.build(experiment.surroundings.distribution)
    run = run if devices.is_chief else run_directory.Run(run.path, is_chief=False)
    say = print if devices.is_chief else _say_nothing
    with run.start(flags, defaults):
        if table is None:
            table, notes = datasets.read(
                experiment.data,
                experiment.image,
                quarantine=run.path / "quarantine.csv" if devices.is_chief else None,
            )
            for note in notes:
                say(f"note: {note}")
        train_table = table.select_split("train")
        steps_per_epoch = experiment.training.steps_an_epoch(len(train_table))
        rates = policies.rates(
            train_table,
            experiment.resampling,
            steps_per_epoch * experiment.training.batch_size,
            **experiment.resampling_settings,
        )
        shown = exposure.measure(
            train_table, rates, experiment.resampling, experiment.one_label
        )
        say(exposure.text(shown))
        mix, said = image_features.prepare_mixing(
            train_table, experiment.mixing, experiment.image.max_pixels
        )
        if said:
            say(said)
        read, said = texts.prepare(
            run,
            table,
            experiment.inputs,
            experiment.text_words,
            experiment.model.get("text_length", 0),
            experiment.start.run,
        )
        for note in said:
            say(f"note: {note}")
        described = _describe_data(table, [*notes, *said], mix, read)
        newest = checkpoints.newest(run.checkpoints)
        if newest is not None:
            _require_same_data(run, described)
        _require_same_at_workers(devices, flags, described, newest)
        run.write_json("flags.json", flags)
        run.write_json("data.json", described)
        run.write_vocabulary(
            table.vocabulary, _training_counts(experiment.start, train_table)
        )
        run.write_json("exposure.json", shown.to_json())
        with devices.scope():
            loss = _loss(experiment, train_table, shown)
            bias = ()
            if experiment.prior_bias:
                odds = shown.shares() / (1 - shown.shares())
                bias = tuple(loss.initial_bias(np.log(odds)).tolist())
            model = _model(
                run, experiment, table.vocabulary, train_table, bias,
                newest is not None, read, devices,
            )  # fmt: skip
            heads = second_heads.build(
                experiment.heads, model, train_table.labels, experiment.training.seed
            )
        data = _data(experiment, table, train_table, rates, mix, read, devices)
        state = _fit(run, experiment, data, model, loss, heads, rates, shown, devices)
        run.write_json("training.json", dataclasses.asdict(state))
    return state


def _say_nothing(_):
    """What a worker that is not the chief has to say."""


def _require_same_at_workers(devices, flags, described, newest):
    """Refuses workers that would train something else than the chief."""
    stated = {n: v for n, v in flags.items() if n not in run_directory.MAY_CHANGE}
    for what, value in (
        ("flags", json.dumps(stated, sort_keys=True)),
        ("data", described["fingerprint"]),
        ("checkpoint", str(newest.step if newest else 0)),
    ):
        devices.require_same(what, hashlib.sha256(value.encode()).hexdigest())


def _fingerprint(table, mix, read):
    """SHA-256 of what a training reads of a label table, and mixes, as hex."""
    digest = hashlib.sha256(table.vocabulary.hash.encode())
    for values in (table.ids, table.labels.index, table.labels.offsets,
                   table.labels.confidence, table.split, table.group):  # fmt: skip
        digest.update(np.ascontiguousarray(values).tobytes())
    if mix is not None:
        digest.update(np.ascontiguousarray(mix.partners).tobytes())
    for tokens in read.tokens.values():
        digest.update(tokens.tobytes())
    return digest.hexdigest()


def _require_same_data(run, described):
    """Refuses to go on on other data than those that a run began on."""
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


def _training_counts(start, train_table):
    """Images that show each label; for a phase, those of the run it starts from.

    So a label that is rare in training stays in the tail when a tuning set, which may
    show it often, is learnt from afterwards.
    """
    counts = train_table.labels.counts()
    if not start.run:
        return counts
    before = starting.training_counts(start.run, train_table.vocabulary)
    return np.where(before > 0, before, counts)


def _model(run, experiment, vocabulary, train_table, bias, resumed, read, devices):
    """Builds the model: as model.json says on resuming, else from the data."""
    start = experiment.start
    if resumed:
        stored = run.read_model()["model"]
        model = models.build(models.ModelConfig.from_dict(stored))[0]
        starting.freeze(model, start.trainable)
        return model
    if start.run:
        mean, deviation = starting.pixel_statistics(start.run)
    elif experiment.seen is None:
        channels = experiment.image.channels
        mean, deviation = (0.0,) * channels, (1.0,) * channels
    else:
        mean, deviation = batches.measure_pixels(
            train_table, experiment.image, experiment.training.seed
        )
        # hosts may round differently
        mean, deviation = (tuple(devices.of_chief(one)) for one in (mean, deviation))
    config = models.ModelConfig(
        num_classes=len(vocabulary),
        height=experiment.image.height,
        width=experiment.image.width,
        channels=experiment.image.channels,
        mean=mean,
        deviation=deviation,
        initial_bias=bias,
        text_vocabulary=read.tokeniser.size if read.tokeniser else 0,
        **experiment.model,
    )
    model, final_feature_map = models.build(config)
    if start.run:
        for note in starting.take_weights(model, config, vocabulary, start.run):
            print(note)
    starting.freeze(model, start.trainable)
    run.write_json("model.json", {
        "format": run_directory.FORMAT,
        "model": dataclasses.asdict(config),
        "image": experiment.image.to_dict(),
        "final_feature_map": final_feature_map,
        "parameters": model.count_params(),
    })  # fmt: skip
    return model


def _data(experiment, table, train_table, rates, mix, read, devices):
    """Returns the `loop.Data` of this worker."""
    training = experiment.training
    pipeline = batches.PipelineConfig(
        image=experiment.seen,
        augment=experiment.augment,
        batch_size=training.batch_size,
        carrier=experiment.carrier,
        shuffle_buffer=experiment.shuffle_buffer,
        keep_bytes=experiment.keep_bytes,
        seed=training.seed,
        mix=mix,
        one_label=experiment.one_label,
        text=read.tokens.get("train"),
        worker=devices.worker,
        workers=devices.workers,
    )
    validation = None
    if "validation" in table.split_names:
        held_out = table.select_split("validation")
        own = np.arange(devices.worker, len(held_out), devices.workers)
        tokens = read.tokens.get("validation")
        validation = batches.evaluation_batches(
            held_out.take(own),
            experiment.seen,
            256,
            None if tokens is None else tokens[own],
        )
        if batches.fits(
            len(own), experiment.seen, experiment.keep_bytes, len(table.vocabulary)
        ):
            validation = batches.Kept(validation)

    def stream(config, epoch, draw):
        return batches.training_batches(
            train_table, rates, config, training.epochs, epoch, draw
        )

    # few batches of an epoch are looked at: to keep pixels would decode all
    whole = dataclasses.replace(pipeline, worker=0, workers=1, keep_bytes=0)
    return loop.Data(
        training=lambda epoch, draw: stream(pipeline, epoch, draw),
        validation=validation,
        steps_per_epoch=training.steps_an_epoch(len(train_table)),
        save_iterator=experiment.carrier == "streaming",
        whole=lambda epoch: stream(whole, epoch, 0),
    )


def _fit(run, experiment, data, model, loss, heads, rates, shown, devices):
    writer, callbacks = writers.Several(), ()
    if devices.is_chief:
        tensorboard = writers.TensorBoard(run.logs)
        tensorboard.histogram("resampling/rates", rates.mean(axis=0))
        tensorboard.text("resampling/exposure", f"```\n{exposure.text(shown)}\n```")
        writer = writers.Several(writers.Console(), tensorboard)
        around = experiment.surroundings
        callbacks = (
            writers.ProgressBar(data.steps_per_epoch, experiment.training.batch_size),
            writers.Profile(run.logs, around.profile_first, around.profile_steps),
        )
    try:
        with termination.requested() as stop:
            return loop.train(
                model,
                loss,
                data,
                experiment.training,
                loop.Surroundings(run.checkpoints, writer, callbacks, stop, devices),
                heads,
            )
    finally:
        writer.close()
