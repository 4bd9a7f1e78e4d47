"""Encodes images on the cores of this machine; what is staged is never redone."""

import contextlib
import os
import sys

import numpy as np
import tqdm

from data_pipelines import errors, quality, storage
from data_pipelines.preparing import staging

_READING = 2
_WAITING = 8


def stage(table, keys, config, folder, progress=None):
    """Encodes every image that is not staged yet into a part of its own.

    Each image is on the disk before the next is taken up: started again after a stop,
    only the few that were being encoded at that moment are encoded once more.

    Args:
        table: `labels.LabelTable`.
        keys: uint64 [N] of `encoding.keys`.
        config: `encoding.EncodingConfig`.
        folder: the staging folder.
        progress: whether to show a bar on the standard error stream; None shows it on
            a terminal.

    Returns:
        int, how many images were encoded or found faulty now.
    """
    with staging.Staged(folder) as staged:
        todo = np.flatnonzero(~staged.has(keys))
    # rows that share a file share its encoded form
    _, first = np.unique(keys[todo], return_index=True)
    todo = todo[np.sort(first)]
    if not len(todo):
        return 0
    progress = sys.stderr.isatty() if progress is None else progress
    with contextlib.ExitStack() as stack:
        part = stack.enter_context(staging.Part(folder))
        bar = stack.enter_context(
            tqdm.tqdm(
                total=len(table), initial=len(table) - len(todo), unit="image",
                desc="encoding images", disable=not progress,
            )
        )  # fmt: skip
        for row, kind, payload in encoded(table, todo, config):
            part.append(keys[row], kind, payload)
            bar.update(1)
    return len(todo)


def encoded(table, rows, config):
    """Encodes some rows of a table, several at once, in no particular order.

    Args:
        table: `labels.LabelTable`.
        rows: int64 [n], each once.
        config: `encoding.EncodingConfig`.

    Yields:
        (row, `staging.IMAGE` or `staging.FAULT`, bytes of the image or of the reason),
        each row once, the faults last.
    """
    from data_pipelines.preparing import pixels

    done = np.zeros(len(rows), bool)
    stream, read = _stream(table, rows)
    images = (
        stream.map(
            lambda place, source: (place, pixels.encode(read(source), config)),
            # more than cores, as some wait for the disk
            num_parallel_calls=(os.cpu_count() or 1) + _READING,
            deterministic=False,
        )
        .ignore_errors()
        # while one is written, the cores go on; what waits here is lost at a stop
        .prefetch(_WAITING)
    )
    for place, data in images.as_numpy_iterator():
        done[place] = True
        yield int(rows[place]), staging.IMAGE, data
    yield from _second_look(table, rows[~done], config)


def _stream(table, rows):
    """Returns a stream of (place among `rows`, source), and what reads a source."""
    import tensorflow as tf

    locations = table.locations[rows]
    if table.storage == storage.FILES:
        paths = [os.fsencode(path) for path in locations.tolist()]
        numbered = (np.arange(len(rows)), paths)
        return tf.data.Dataset.from_tensor_slices(numbered), tf.io.read_file
    # in order, since not every set has random access
    return table.storage.records(locations).enumerate(), tf.identity


def _second_look(table, rows, config):
    """Says why each of the rows failed, or encodes it when it does so no longer."""
    import tensorflow as tf

    from data_pipelines.preparing import pixels

    reasons = _reasons_of_files(table, rows, config)
    for row in rows.tolist():
        kind, payload = staging.FAULT, reasons.get(row, "").encode()
        if not payload:
            try:
                stream, read = _stream(table, np.array([row]))
                ((_, source),) = stream
                payload = pixels.encode(read(source), config).numpy()
                kind = staging.IMAGE
            except tf.errors.OpError as error:
                payload = _said(error).encode()
        yield row, kind, payload


def _reasons_of_files(table, rows, config):
    if table.storage != storage.FILES:
        return {}
    from data_pipelines import images

    # the size to bring it to plays no part in whether it can be decoded
    as_read = images.ImageConfig(8, 8, max_pixels=config.max_pixels)
    faults = quality.scan(table.locations[rows], as_read)
    return {int(rows[fault.row]): fault.reason for fault in faults}


def _said(error):
    from data_pipelines import graphs

    return graphs.said(error) or f"it cannot be read or encoded: {error.message}"


def faults(table, keys, staged):
    """Returns a list of `quality.Fault` of the table's rows.

    Args:
        table: `labels.LabelTable`.
        keys: uint64 [N] of `encoding.keys`, all staged.
        staged: `staging.Staged`.

    Raises:
        errors.DataError: not all are staged.
    """
    missing = np.flatnonzero(~staged.has(keys))
    if len(missing):
        raise errors.DataError(
            f"{len(missing):,} images have not been encoded",
            expected="all of them staged",
            received=str(table.ids[missing[0]]),
        )
    return [
        quality.Fault(row, str(table.locations[row]), staged.read(keys[row]).decode())
        for row in np.flatnonzero(staged.is_fault(keys)).tolist()
    ]
