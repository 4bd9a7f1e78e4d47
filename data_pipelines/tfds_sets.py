"""Prepared TFDS sets: opening one, and reading some features of all its examples.

TFDS gives TFRecord sets as streams and ArrayRecord sets as random access, never both.
Features are parsed by the set itself, only those asked for, and no image is decoded.
"""

import numpy as np

from data_pipelines import errors

MOST_AT_ONCE = 256
"""Records fetched by one call of Python."""


def library():
    """Returns the module tensorflow_datasets.

    Raises:
        errors.MissingExtraError: it is not installed.
    """
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise errors.MissingExtraError("A TFDS data set", "tfds") from error
    return tensorflow_datasets


def open_set(name, data_dir=""):
    """Opens a set that was prepared before; runs no code of it and downloads nothing.

    Args:
        name: `set`, `set/config` or `set/config:version`.
        data_dir: folder of TFDS sets; empty means TFDS' own.

    Returns:
        `tfds.core.DatasetBuilder`.

    Raises:
        errors.DataError: there is no such prepared set.
        errors.MissingExtraError: TFDS is not installed.
    """
    tfds = library()
    from tensorflow_datasets.core import read_only_builder

    try:
        return read_only_builder.builder_from_files(name, data_dir=data_dir or None)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise errors.DataError(
            "the TFDS set is not prepared",
            expected="a prepared set, or --tfds_download to let TFDS prepare it",
            received=name,
            file=data_dir or None,
        ) from error
    except ValueError as error:
        raise errors.DataError(
            "this is no name of a TFDS set",
            expected="set, set/config or set/config:1.0.0",
            received=f"{name} ({error})",
        ) from error


def has_random_access(builder):
    """Says whether a set's files are ArrayRecords."""
    tfds = library()
    return builder.info.file_format is tfds.core.FileFormat.ARRAY_RECORD


def specification(paths):
    """Returns {name: True or nested dict} of feature paths such as `objects/label`."""
    wanted = {}
    for path in paths:
        *parents, leaf = path.split("/")
        place = wanted
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = True
    return wanted


def at(features, path):
    """Returns what lies at `objects/label` of nested dicts."""
    for part in path.split("/"):
        features = features[part]
    return features


def elements(builder, split, paths, image=None):
    """All examples of a split, always in the same order, some features of each.

    Args:
        builder: from `open_set`.
        split: as TFDS names it, such as `train` or `train[:80%]`.
        paths: features to parse.
        image: that one of them that is an image, and stays encoded.

    Returns:
        `tf.data.Dataset` of nested dicts of tensors.
    """
    tfds = library()
    partial = decoding(paths, image)
    if has_random_access(builder):
        import tensorflow as tf

        source = builder.as_data_source(split=split).data_source
        rows = tf.data.Dataset.range(len(source)).batch(MOST_AT_ONCE)
        parse = parser(builder, partial)
        return (
            rows.map(lambda batch: fetched(lambda rows: raw(source, rows), batch))
            .unbatch()
            .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        )
    return builder.as_dataset(
        split=split,
        decoders=partial,
        shuffle_files=False,
        # one file after the other; a cache would not survive a checkpoint
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )


def decoding(paths, image=None):
    """Returns the `tfds.decode.PartialDecoding` of some features, the image encoded."""
    decode = library().decode
    decoders = None
    if image is not None:
        decoders = decode.SkipDecoding()
        for part in reversed(image.split("/")):
            decoders = {part: decoders}
    return decode.PartialDecoding(specification(paths), decoders=decoders)


def parser(builder, partial):
    """Returns a function, in graph, from a serialized example to its features."""
    features = partial.extract_features(builder.info.features)
    return lambda record: features.deserialize_example(
        record, decoders=partial.decoders
    )


def raw(source, rows):
    """Returns bytes [rows] of a random-access source, serialized."""
    return np.array(source.__getitems__(rows.tolist()), dtype=object)


def fetched(fetch, *arguments):
    """Calls `fetch`, from arrays to bytes [B], for tensors in graph."""
    import tensorflow as tf

    records = tf.numpy_function(fetch, arguments, tf.string, stateful=False)
    records.set_shape([None])
    return records
