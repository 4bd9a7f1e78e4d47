"""Where a training starts: new weights, or those of another run, of which some learn.

Fine-tuning phases are trainings that start from a run: of the last layer only (the 1st
place of the challenge on its tuning set), of all weights (the 4th), of other labels
(savan77's second stage), of the scale and offset of batch normalisation (TENT).
"""

import dataclasses

import keras
import numpy as np

from data_pipelines import errors
from inclusive_tf import models
from inclusive_tf import run as run_directory
from inclusive_tf.models import head
from inclusive_tf.training import checkpoints

TRAINABLE = ("all", "last_layer", "batch_norm")
"""What learns: everything, the last layer, or batch normalisation's scale and offset.

With the last layer alone, batch normalisation uses the statistics it has; with the
other two, those of the batch.
"""


@dataclasses.dataclass(frozen=True)
class StartConfig:
    """Where a training starts.

    Args:
        run: run directory whose weights are taken; empty: new ones.
        trainable: one of `TRAINABLE`.

    Raises:
        errors.SettingError: an unknown part, or a part of a model that is new.
    """

    run: str = ""
    trainable: str = "all"

    def __post_init__(self):
        if self.trainable not in TRAINABLE:
            raise errors.SettingError(
                "There is no such part of a model to train. Expected: one of "
                f"{', '.join(TRAINABLE)}. Received: {self.trainable}."
            )
        if self.trainable != "all" and not self.run:
            raise errors.SettingError(
                f"With --trainable={self.trainable} the rest of the model stays as it "
                "is. Expected: --initial_run=RUN to take it from. Received: none."
            )


def pixel_statistics(run):
    """Returns (mean, deviation) of the pixels that a run's model normalises by."""
    stored = run_directory.Run(run).read_model()["model"]
    return tuple(stored["mean"]), tuple(stored["deviation"])


def training_counts(run, vocabulary):
    """Returns int64 [C]: images that showed each label when a run was trained.

    Labels that the run does not know have shown in none.
    """
    known, counts = run_directory.Run(run).read_vocabulary()
    found = dict(zip(known.ids, counts.tolist(), strict=True))
    return np.array([found.get(label, 0) for label in vocabulary.ids], np.int64)


def take_weights(model, config, vocabulary, run):
    """Copies the weights of a run's newest checkpoint into a model.

    Where the vocabularies differ, the last layer keeps its new weights but for the
    labels that both know.

    Args:
        model: `keras.Model` of `models.build`.
        config: its `models.ModelConfig`.
        vocabulary: its `labels.Vocabulary`.
        run: run directory.

    Returns:
        list of sentences that say what was taken.

    Raises:
        errors.DataError: there is no sound checkpoint, or the architectures differ.
    """
    source = run_directory.Run(run)
    stored = models.ModelConfig.from_dict(source.read_model()["model"], run)
    _require_same_architecture(config, stored, run)
    state = checkpoints.newest(source.checkpoints)
    if state is None:
        raise errors.DataError("the run has no sound checkpoint", file=run)
    before, _ = models.build(stored)
    checkpoints.load_weights(source.checkpoints, state.step, before)
    known, _ = source.read_vocabulary()
    places = known.index()
    shared = [label for label in vocabulary.ids if label in places]
    kernel, bias = head.last_layer(model)
    old_kernel, old_bias = head.last_layer(before)
    here = [place for place, label in enumerate(vocabulary.ids) if label in places]
    there = [places[label] for label in shared]
    kernel[:, here], bias[here] = old_kernel[:, there], old_bias[there]
    for layer in model.layers:
        if layer.name == head.LOGITS:
            layer.set_weights([kernel, bias])
        elif layer.weights:
            layer.set_weights(before.get_layer(layer.name).get_weights())
    return [
        f"weights of {run} after step {state.step:,}; the last layer has "
        f"{len(shared):,} labels of it and {len(vocabulary) - len(shared):,} new ones"
    ]


def freeze(model, trainable):
    """Lets only a part of a model learn.

    Args:
        model: `keras.Model` of `models.build`.
        trainable: one of `TRAINABLE`.

    Raises:
        errors.SettingError: the model has no such part.
    """
    if trainable == "all":
        return
    for layer in model.layers:
        if trainable == "last_layer":
            layer.trainable = layer.name == head.LOGITS
        else:
            layer.trainable = isinstance(layer, keras.layers.BatchNormalization)
    if not model.trainable_variables:
        raise errors.SettingError(
            f"{model.name} has no batch normalisation to train. Expected: another "
            "--model, or --trainable=all or last_layer."
        )


_MAY_DIFFER = (
    "num_classes",
    "mean",
    "deviation",
    "dropout",
    "batch_norm_momentum",
    "initial_bias",
    "dtype",
    "seed",
)


def _require_same_architecture(config, stored, run):
    before, now = dataclasses.asdict(stored), dataclasses.asdict(config)
    other = [
        f"{name} {before[name]!r} → {now[name]!r}"
        for name in now
        if name not in _MAY_DIFFER and before[name] != now[name]
    ]
    if other:
        raise errors.DataError(
            "the model differs from that of the run it starts from",
            expected="the same architecture and input size",
            received="; ".join(other),
            file=run,
        )
