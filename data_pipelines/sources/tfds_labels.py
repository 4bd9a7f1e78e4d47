"""What a TFDS set says of its examples beside pixels: labels, group, text, ids."""

import dataclasses

import numpy as np
import pyarrow as pa
import tqdm

from data_pipelines import errors, tfds_sets

_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Stated:
    """What was read of N examples.

    Args:
        row: int64 [entries], ascending.
        name: str [entries], label ids.
        confidence: float32 [entries] in [0, 1].
        texts: {feature path: object [N] of str} of features that are one value an
            example.
        rows: N.
    """

    row: np.ndarray
    name: np.ndarray
    confidence: np.ndarray
    texts: dict
    rows: int


def feature(builder, path):
    """Returns the feature at a path such as `objects/label`, inside sequences too.

    Raises:
        errors.DataError: there is none; the message lists those that are.
    """
    tfds = tfds_sets.library()
    found = builder.info.features
    for part in path.split("/"):
        found = _inside(found, tfds)
        if not isinstance(found, tfds.features.FeaturesDict) or part not in found:
            names = (
                sorted(found) if isinstance(found, tfds.features.FeaturesDict) else []
            )
            raise errors.DataError(
                f"the TFDS set has no feature '{path}'",
                expected=f"one of {', '.join(names)}" if names else None,
                received=part,
                file=builder.info.full_name,
            )
        found = found[part]
    found = _inside(found, tfds)
    if isinstance(found, tfds.features.FeaturesDict):
        raise errors.DataError(
            f"'{path}' is a group of features",
            expected=f"one of {', '.join(f'{path}/{name}' for name in sorted(found))}",
            file=builder.info.full_name,
        )
    return found


def _inside(found, tfds):
    while isinstance(found, tfds.features.Sequence):
        found = found.feature
    return found


def read(builder, split, config):
    """Goes through a split once, without its images.

    Args:
        builder: from `tfds_sets.open_set`.
        split: as TFDS names it.
        config: `tfds.TfdsConfig`.

    Returns:
        `Stated`.

    Raises:
        errors.DataError: a feature is not there or of a type that says no label, or a
            confidence is outside 0 to 1; with the split and the example's number.
    """
    single = [path for path in (config.group, config.text, config.id) if path]
    paths = [
        *config.labels,
        *([config.confidence] if config.confidence else []),
        *single,
    ]
    leaves = {path: feature(builder, path) for path in paths}
    place = f"{builder.info.full_name}, split {split}"
    rows, names, confidences = [], [], []
    texts = {path: [] for path in single}
    start = 0
    found = tfds_sets.elements(builder, split, paths).ragged_batch(_AT_ONCE)
    with tqdm.tqdm(desc=f"labels of {split}", unit=" examples", disable=None) as bar:
        for batch in found:
            parts, size = _entries(batch, leaves, config, place, start)
            for row, name, confidence in parts:
                rows.append(row + start)
                names.append(name)
                confidences.append(confidence)
            for path in single:
                texts[path].append(_one_each(batch, path, leaves[path], place, start))
            start += size
            bar.update(size)
    if not start:
        raise errors.DataError("the split is empty", file=place)
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    return Stated(
        row[order],
        np.concatenate(names)[order],
        np.concatenate(confidences)[order],
        {path: np.concatenate(parts) for path, parts in texts.items()},
        start,
    )


def _entries(batch, leaves, config, place, start):
    """Returns (list, a label feature each, of (row, name, confidence), examples)."""
    parts = []
    for path in config.labels:
        row, values, size = _flat(tfds_sets.at(batch, path))
        confidence = np.ones(len(row), np.float32)
        if config.confidence:
            other, given, _ = _flat(tfds_sets.at(batch, config.confidence))
            if not np.array_equal(row, other):
                raise errors.DataError(
                    f"'{config.confidence}' is not beside '{path}'",
                    expected="as many confidences as labels",
                    file=place,
                )
            confidence = _confidences(given, row, config, place, start)
        names, stated = _names(values, leaves[path], path, place, row, start)
        parts.append((row[stated], names[stated], confidence[stated]))
    return parts, size


def _flat(values):
    """Returns (int64 [entries] example, [entries] value, examples) of a batch."""
    import tensorflow as tf

    if isinstance(values, tf.RaggedTensor):
        while values.ragged_rank > 1:
            values = values.merge_dims(1, 2)
        if values.flat_values.shape.rank > 1:
            values = values.merge_dims(1, 2)
        lengths = values.row_lengths().numpy()
        flat = values.flat_values.numpy()
    else:
        dense = values.numpy()
        lengths = np.full(len(dense), int(np.prod(dense.shape[1:])))
        flat = dense.reshape(-1)
    return np.repeat(np.arange(len(lengths)), lengths), flat, len(lengths)


def _names(values, leaf, path, place, row, start):
    """Returns (str [entries], bool [entries]: whether there is a label at all)."""
    tfds = tfds_sets.library()
    if isinstance(leaf, tfds.features.ClassLabel):
        names = np.array([*(leaf.int2str(k) for k in range(leaf.num_classes)), ""])
        # TFDS writes -1 where the label is withheld
        return names[values], values >= 0
    if values.dtype == object:
        names = _decoded(values, path, place, row, start).astype(str)
        return names, names != ""
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(str), np.ones(len(values), bool)
    raise errors.DataError(
        f"feature '{path}' says no labels",
        expected="ClassLabel, Text or whole numbers",
        received=str(leaf),
        file=place,
    )


def _decoded(values, path, place, row, start):
    """Returns object [entries] of str."""
    try:
        text = pa.array(values, pa.binary()).cast(pa.string())
        return text.to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        for entry, value in enumerate(values):
            try:
                value.decode()
            except UnicodeDecodeError as error:
                raise errors.DataError(
                    f"feature '{path}' is not UTF-8 text",
                    received=str(value),
                    file=place,
                    row=int(row[entry]) + start + 1,
                ) from error
        raise


def _confidences(values, row, config, place, start):
    try:
        numbers = values.astype(np.float64) / config.confidence_scale
    except (TypeError, ValueError) as error:
        raise errors.DataError(
            f"feature '{config.confidence}' holds no numbers", file=place
        ) from error
    # a comparison with nan is false
    wrong = ~((numbers >= 0) & (numbers <= 1))
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise errors.DataError(
            f"'{config.confidence}' holds no confidence",
            expected=f"a number from 0 to {config.confidence_scale:g} "
            "(--tfds_confidence_scale)",
            received=str(values[entry]),
            file=place,
            row=int(row[entry]) + start + 1,
        )
    return numbers.astype(np.float32)


def _one_each(batch, path, leaf, place, start):
    row, values, size = _flat(tfds_sets.at(batch, path))
    if not np.array_equal(row, np.arange(size)):
        raise errors.DataError(
            f"feature '{path}' is not one value an example", file=place
        )
    if np.issubdtype(values.dtype, np.floating):
        return values.astype(str).astype(object)
    if values.dtype == object:
        return _decoded(values, path, place, row, start)
    return _names(values, leaf, path, place, row, start)[0].astype(object)
