"""Checkpoints: a folder a step, whole or not at all, with a manifest of sums.

`step-00001234/` holds the weights (`model.weights.h5`), every other variable
(`variables.npz`: the optimiser's, the loss's, those of second heads, and the model's
that are no weights, such as the states of dropout seeds) and `state.json`. Where
weights are averaged, `model.weights.h5` is the average, and `variables.npz` has what is
averaged.
"""

import dataclasses
import logging
import math
import pathlib
import shutil

import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.saving import saving_lib

from data_pipelines import atomic, errors, stored_files

FORMAT = 1
_OVERHEAD = 4096
"""Bytes that HDF5 adds for a weight or a layer, and more."""


@dataclasses.dataclass(frozen=True)
class State:
    """Where a training stands.

    Args:
        step: optimiser steps taken.
        history: a dict of figures for each finished epoch.
        best_step: step of the checkpoint with the best validation figure, or -1.
        best_figure: that figure, or None.
        epoch_loss: sum of the losses of the steps of an epoch that is not finished.
        epoch_seconds: seconds that these steps took.
        epoch_waited: of these, seconds of waiting for data.
        first_loss: mean loss of the training's first steps, 0 before there is one.
        listeners: `listeners.Listeners.counters`.
        ended: whether a callback has ended the training, with this epoch.
    """

    step: int = 0
    history: tuple = ()
    best_step: int = -1
    best_figure: float | None = None
    epoch_loss: float = 0.0
    epoch_seconds: float = 0.0
    epoch_waited: float = 0.0
    first_loss: float = 0.0
    listeners: tuple = ()
    ended: bool = False


def _other_variables(learner):
    weights = {id(variable) for variable in learner.model.weights}
    extra = [v for v in learner.model.variables if id(v) not in weights]
    return {
        **{f"optimizer_{i:05d}": v for i, v in enumerate(learner.optimizer.variables)},
        **{f"model_{i:05d}": v for i, v in enumerate(extra)},
        **learner.variables_beside,
    }


def _remember_attributes():
    """Lets Keras look up once which attributes hold no weights, not for each layer.

    Keras 3.15 builds a layer to find them for every layer that it saves, since
    `saving_lib.get_attr_skipset` stores its answer under another name than it looks
    for: two fifths of the time that DenseNet121 takes to be saved.
    """
    for kind in ("Functional", "Layer", "Operation"):
        name = f"saving_attr_skiplist_{kind}"
        if global_state.get_global_attribute(name) is None:
            global_state.set_global_attribute(name, saving_lib.get_attr_skipset(kind))


def _folder(folder, step):
    return pathlib.Path(folder) / f"step-{step:08d}"


def save(folder, learner, state, keep, iterator=None):
    """Writes the checkpoint of `state.step` and removes old ones.

    Args:
        folder: the run's folder of checkpoints.
        learner: `learner.Learner`.
        state: `State`.
        keep: how many of the newest stay; the best one stays too.
        iterator: a tf.data iterator to save along, when its place is not arithmetic.

    Raises:
        errors.StoppedError: the disk is full.
    """
    with atomic.folder(_folder(folder, state.step)) as temporary, learner.predicting():
        atomic.require_room(temporary, _most_bytes(learner.model))
        _remember_attributes()
        learner.model.save_weights(temporary / "model.weights.h5")
        others = _other_variables(learner)
        np.savez(
            temporary / "variables.npz",
            **{name: np.asarray(variable) for name, variable in others.items()},
        )
        if iterator is not None:
            tf.train.Checkpoint(iterator=iterator).write(str(temporary / "iterator"))
        sums = {path.name: atomic.sha256(path) for path in sorted(temporary.iterdir())}
        atomic.write_json(
            temporary / "state.json",
            {"format": FORMAT, **dataclasses.asdict(state), "sha256": sums},
        )
    there = steps(folder)
    # one that is ahead of a training was damaged, or it would have been gone on from
    ahead = [step for step in there if step > state.step]
    behind = [step for step in there if step <= state.step][:-keep]
    for step in (*ahead, *behind):
        if step != state.best_step:
            shutil.rmtree(_folder(folder, step))


def _most_bytes(model):
    """Returns how large a file of a model's weights is at most."""
    sizes = [
        math.prod(weight.shape) * tf.as_dtype(weight.dtype).size
        for weight in model.weights
    ]
    return sum(sizes) + _OVERHEAD * (len(sizes) + len(model.layers) + 1)


def steps(folder):
    """Returns the steps of the checkpoints there are, ascending."""
    return sorted(
        int(path.name.removeprefix("step-"))
        for path in pathlib.Path(folder).glob("step-*")
        if path.name.removeprefix("step-").isdecimal()
    )


def read_state(folder, step):
    """Returns the `State` of one checkpoint, its sums verified.

    Raises:
        errors.DataError: a file is missing, changed, or of another format.
    """
    path = _folder(folder, step)
    with stored_files.reading(path, "not a checkpoint", "a folder that `save` wrote"):
        stored = stored_files.read_json(path / "state.json")
        for name, expected in stored.pop("sha256").items():
            if atomic.sha256(path / name) != expected:
                raise errors.DataError(
                    "the file does not match its sum in state.json", file=path / name
                )
        if stored.pop("format") != FORMAT:
            raise errors.DataError(
                "a checkpoint of another format", expected=f"format {FORMAT}", file=path
            )
        for name in ("history", "listeners"):
            stored[name] = tuple(stored.get(name, ()))
        return State(**stored)


def newest(folder):
    """Returns the `State` of the newest checkpoint that is sound, or None.

    A damaged one is named in the log and passed over.
    """
    for step in reversed(steps(folder)):
        try:
            return read_state(folder, step)
        except errors.DataError as error:
            logging.warning("passing over a damaged checkpoint: %s", error)
    return None


def load_weights(folder, step, model):
    """Loads the weights of one checkpoint into a model of the same architecture.

    Raises:
        errors.DataError: the checkpoint is damaged or of another architecture.
    """
    read_state(folder, step)
    path = _folder(folder, step) / "model.weights.h5"
    try:
        model.load_weights(path)
    except ValueError as error:
        raise errors.DataError(
            "the weights are of another model", received=str(error), file=path
        ) from error


def restore(folder, step, learner, iterator=None):
    """Loads everything of one checkpoint, in place; returns its `State`."""
    load_weights(folder, step, learner.model)
    path = _folder(folder, step) / "variables.npz"
    variables = _other_variables(learner)
    with stored_files.reading(path, "not a checkpoint", "an archive of variables"):
        arrays = stored_files.read_archive(path)
        if set(arrays) != set(variables):
            raise errors.DataError(
                "the optimiser's or the loss's variables are of another kind",
                expected=f"{len(variables)} variables",
                received=f"{len(arrays)}",
                file=path,
            )
        for name, variable in variables.items():
            variable.assign(arrays[name])
    if learner.average is not None:
        learner.average.swap()
    if iterator is not None:
        path = _folder(folder, step) / "iterator"
        tf.train.Checkpoint(iterator=iterator).read(str(path)).assert_consumed()
    return read_state(folder, step)
