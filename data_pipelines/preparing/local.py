"""Encodes images on the cores of this machine; what is staged is never redone."""

import contextlib
import os
import sys

import numpy as np
import tqdm

from data_pipelines import errors, quality, storage
from data_pipelines.preparing import staging

_READING = 2
_TOLD = 32


def stage(table, keys, config, folder, progress=None):
    """Encodes every image that is not staged yet into a part of this call's own.

    An image is on the disk before the thread that encoded it takes up another: started
    again after a stop, only those in work at that moment are encoded once more, at most
    one a thread.

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
        part = stack.enter_context(staging.Part(folder, "local"))
        bar = stack.enter_context(
            tqdm.tqdm(
                total=len(table), initial=len(table) - len(todo), unit="image",
                desc="encoding images", disable=not progress,
            )
        )  # fmt: skip
        for _ in encode_into(part, table, keys, todo, config):
            bar.update(1)
    return len(todo)


def threads():
    """Returns how many images are in work at once: what a stop can cost."""
    # more than cores, as some wait for the disk
    return (os.cpu_count() or 1) + _READING


def encode_into(part, table, keys, rows, config):
    """Encodes some rows of a table, several at once, in no particular order.

    Args:
        part: `staging.Part`; the step that encodes an image appends it, so that nothing
            encoded waits in memory.
        table: `labels.LabelTable`.
        keys: uint64 [N] of `encoding.keys`.
        rows: int64 [n], each once.
        config: `encoding.EncodingConfig`.

    Yields:
        each row once, after it is on the disk, the faults last.

    Raises:
        OSError: the part cannot be written.
    """
    import tensorflow as tf

    from data_pipelines.preparing import pixels

    done = np.zeros(len(rows), bool)
    stream, read = _stream(table, rows)
    append = _Append(part, keys[rows])

    def encode(place, source):
        data = pixels.encode(read(source), config)
        return place, tf.numpy_function(append, [place, data], tf.bool)

    images = (
        stream.map(encode, num_parallel_calls=threads(), deterministic=False)
        .ignore_errors()
        # what is told together is on the disk already
        .batch(_TOLD)
    )
    for places, appended in images.as_numpy_iterator():
        if not appended.all():
            raise append.failure
        done[places] = True
        yield from rows[places].tolist()
    for row, kind, payload in _second_look(table, rows[~done], config):
        part.append(keys[row], kind, payload)
        yield row


class _Append:
    """Appends an image to a part; keeps the error, which tf.data would swallow."""

    def __init__(self, part, keys):
        self._part, self._keys = part, keys
        self.failure = None

    def __call__(self, place, data):
        try:
            self._part.append(self._keys[place], staging.IMAGE, data)
        except OSError as error:
            self.failure = error
            return False
        return True


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
