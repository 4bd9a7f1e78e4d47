"""Encodes images on an engine that Apache Beam drives: Flink, Spark, Dataflow, here.

Elements are small chunks of (key, path). A chunk has parts of its own in a staging
folder that all workers reach, a part each time it is tried, and each image is appended
as soon as it is encoded: an engine that loses a worker gives its chunk to another one,
which goes on behind what it finds. Nothing but names travels through the engine.
"""

import hashlib
import importlib
import os

import numpy as np

from data_pipelines import errors, labels, storage
from data_pipelines.preparing import local, staging

CHUNK = 256
"""Images a chunk: what an engine hands out at once."""


def stage(table, keys, config, folder, runner, options=()):
    """Encodes every image that is not staged yet.

    Args:
        table: `labels.LabelTable` of image files, at paths that each worker reaches.
        keys: uint64 [N] of `encoding.keys`.
        config: `encoding.EncodingConfig`.
        folder: the staging folder, on a file system that all workers share.
        runner: Beam's name of an engine, such as `DirectRunner` or `FlinkRunner`.
        options: `name=value` options of Beam and of that engine.

    Returns:
        int, how many images were handed out.

    Raises:
        errors.MissingExtraError: Beam is not installed.
        errors.SettingError: an unknown runner, or images that are no files.
    """
    beam, pipeline_options = _import_beam()
    if table.storage != storage.FILES:
        raise errors.SettingError(
            "Beam encodes image files. Expected: a data set of files, or no "
            f"--beam_runner. Received: images in {type(table.storage).__name__}."
        )
    with staging.Staged(folder) as staged:
        todo = np.flatnonzero(~staged.has(keys))
    _, first = np.unique(keys[todo], return_index=True)
    todo = todo[np.sort(first)]
    if not len(todo):
        return 0
    chunks = [
        [(keys[row].tobytes(), os.fsencode(table.locations[row])) for row in rows]
        for rows in np.split(todo, np.arange(CHUNK, len(todo), CHUNK))
    ]
    flags = [f"--{option}" for option in options]
    try:
        pipeline = beam.Pipeline(
            runner=runner, options=pipeline_options.PipelineOptions(flags)
        )
    except ValueError as error:
        raise errors.SettingError(
            f"Beam knows no such runner. Received: {runner}. It says: {error}"
        ) from error
    folder = os.path.abspath(folder)
    with pipeline:
        # Reshuffle keeps an engine from running all chunks where they were made
        _ = (
            pipeline
            | "Chunks" >> beam.Create(chunks)
            | "Spread" >> beam.Reshuffle()
            | "Encode" >> beam.Map(encode_chunk, folder, config)
        )
    return len(todo)


def encode_chunk(chunk, folder, config):
    """Encodes those images of a chunk that no earlier try has staged.

    Args:
        chunk: list of (key as bytes, path as bytes).
        folder: the staging folder.
        config: `encoding.EncodingConfig`.

    Returns:
        int, how many images were encoded or found faulty now.
    """
    named = b"".join(key for key, _ in chunk)
    stem = f"beam-{hashlib.blake2b(named, digest_size=16).hexdigest()}"
    keys = np.frombuffer(named, np.uint64)
    with staging.Staged(folder, stem) as staged:
        todo = np.flatnonzero(~staged.has(keys))
    if not len(todo):
        return 0
    table = _bare_table(np.array([os.fsdecode(path) for _, path in chunk]))
    with staging.Part(folder, stem) as part:
        return sum(1 for _ in local.encode_into(part, table, keys, todo, config))


def _bare_table(paths):
    """A table of files of which nothing but the paths matters."""
    count = len(paths)
    return labels.LabelTable(
        ids=paths,
        locations=paths,
        labels=labels.SparseLabels.from_lists([[]] * count, 1),
        vocabulary=labels.Vocabulary(("none",)),
        group=np.zeros(count, np.int32),
        group_names=("all",),
        split=np.zeros(count, np.int32),
        split_names=("all",),
    )


def _import_beam():
    try:
        return (
            importlib.import_module("apache_beam"),
            importlib.import_module("apache_beam.options.pipeline_options"),
        )
    except ImportError as error:
        raise errors.MissingExtraError("--beam_runner", "beam") from error
