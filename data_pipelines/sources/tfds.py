"""Any TFDS set, as it comes, with a map of its features.

The label table is made in one pass that parses no image, in an order that is always the
same. Images are then streamed (`--carrier=streaming`), or drawn by random access where
the set's files are ArrayRecords. Nothing is downloaded unless that is asked for.
"""

import dataclasses
import itertools

import numpy as np
import pyarrow as pa

from data_pipelines import errors, labels, tfds_records, tfds_sets
from data_pipelines.sources import (
    label_fields,
    sheets,
    tfds_labels,
    tfds_splits,
    vocabularies,
)
from data_pipelines.sources import splits as split_rules

_CHOICES = {
    "unlabelled": ("keep", "drop"),
    "unseen_labels": ("error", "keep"),
    "unlisted": ("absent", "unknown"),
}


@dataclasses.dataclass(frozen=True)
class TfdsConfig:
    """Which set, and which of its features are what.

    Args:
        name: `set`, `set/config` or `set/config:1.0.0`.
        data_dir: folder of TFDS sets; empty means TFDS' own.
        download: whether TFDS may download and prepare the set.
        image: feature of the image.
        labels: features of labels (ClassLabel, Text or whole numbers, one or a sequence
            of them); `objects/label` looks inside `objects`.
        confidence: feature of the confidences beside the one feature of labels; empty
            means that all labels are present. 0 is verified absence.
        confidence_scale: what stands for confidence 1, such as 10 for the tenths of
            `open_images_v4`.
        unlisted: whether a label that is not stated is `absent` or `unknown`.
        group: feature of the group; empty means one group.
        text: feature of what is written of the image; empty means none.
        id: feature of a unique id; empty means `split/position`.
        splits: `ours:theirs`, such as `test:test[:50%]`; empty means all, as they are.
        validation_fraction: share of the examples of split `train` that become split
            `validation`.
        unlabelled: `keep` or `drop` examples without a label.
        unseen_labels: `error` or `keep` labels that no example of `train` shows.
        names: CSV of `label,name` display names; empty means that names are ids.
        seed: decides which examples are held out.
    """

    name: str = ""
    data_dir: str = ""
    download: bool = False
    image: str = "image"
    labels: tuple = ("label",)
    confidence: str = ""
    confidence_scale: float = 1.0
    unlisted: str = "absent"
    group: str = ""
    text: str = ""
    id: str = ""
    splits: tuple = ()
    validation_fraction: float = 0.0
    unlabelled: str = "keep"
    unseen_labels: str = "error"
    names: str = ""
    seed: int = 0


def _check_settings(config):
    errors.require_choices(config, _CHOICES)
    if not config.name:
        raise errors.SettingError("No TFDS set is named. Expected: --tfds_name=SET.")
    if not config.labels:
        raise errors.SettingError(
            "No feature of labels is named. Expected: --tfds_labels=FEATURE."
        )
    if config.confidence and len(config.labels) > 1:
        raise errors.SettingError(
            "Confidences stand beside one feature of labels. Expected: one of "
            f"--tfds_labels. Received: {', '.join(config.labels)}."
        )
    if not config.confidence_scale > 0:
        raise errors.SettingError(
            "A confidence scale is above 0. Expected: --tfds_confidence_scale=10 or "
            f"so. Received: {config.confidence_scale}."
        )


def _prepared(config):
    if config.download:
        library = tfds_sets.library()
        try:
            builder = library.builder(
                config.name,
                data_dir=config.data_dir or None,
                file_format=library.core.FileFormat.ARRAY_RECORD,
            )
        except library.core.registered.DatasetNotFoundError as error:
            raise errors.DataError(
                "TFDS knows no such set", received=config.name
            ) from error
        except ValueError as error:
            raise errors.DataError(
                "TFDS cannot prepare the set",
                expected="the name of a set, not yet prepared in another format; one "
                "that is prepared is read without --tfds_download",
                received=f"{config.name} ({error})",
            ) from error
        builder.download_and_prepare()
        return builder
    return tfds_sets.open_set(config.name, config.data_dir)


def _once(row, name, confidence, rows):
    """Returns (`label_fields.Entries`, repetitions): the largest of several is kept."""
    encoded = pa.array(name, pa.string()).dictionary_encode()
    names = tuple(encoded.dictionary.to_pylist())
    code = encoded.indices.to_numpy().astype(np.int64)
    # the last of equal keys is the one of the largest confidence
    order = np.lexsort([confidence, code, row])
    key = (row * max(len(names), 1) + code)[order]
    last = np.append(key[1:] != key[:-1], True)[: len(key)]
    kept = np.sort(order[last])
    entries = label_fields.Entries(row[kept], code[kept], confidence[kept], names, rows)
    return entries, len(row) - len(kept)


@dataclasses.dataclass(frozen=True)
class _Examples:
    """All examples of the splits asked for, one after the other."""

    entries: label_fields.Entries
    texts: dict
    split: np.ndarray
    origin: np.ndarray
    position: np.ndarray
    repeated: int


def _read(builder, pairs, config):
    stated = [tfds_labels.read(builder, theirs, config) for _, theirs in pairs]
    sizes = [one.rows for one in stated]
    starts = np.cumsum([0, *sizes[:-1]])
    entries, repeated = _once(
        np.concatenate([one.row + at for one, at in zip(stated, starts, strict=True)]),
        np.concatenate([one.name for one in stated]),
        np.concatenate([one.confidence for one in stated]),
        sum(sizes),
    )
    return _Examples(
        entries,
        {
            path: np.concatenate([one.texts[path] for one in stated])
            for path in stated[0].texts
        },
        np.repeat(np.array([ours for ours, _ in pairs], dtype=object), sizes),
        np.repeat(np.arange(len(pairs)), sizes),
        np.concatenate([np.arange(size) for size in sizes]),
        repeated,
    )


def _ids(examples, pairs, config, builder):
    if not config.id:
        theirs = np.array([name for _, name in pairs])[examples.origin]
        return np.char.add(np.char.add(theirs, "/"), examples.position.astype(str))
    ids = examples.texts[config.id].astype(str)
    distinct, first = np.unique(ids, return_index=True)
    if len(distinct) < len(ids):
        again = int(np.setdiff1d(np.arange(len(ids)), first)[0])
        raise errors.DataError(
            f"feature '{config.id}' is no id: a value stands twice",
            received=str(ids[again]),
            file=builder.info.full_name,
        )
    return ids


def _check_image(builder, path):
    """Refuses a feature that is not one encoded image an example."""
    features = tfds_sets.library().features
    found = tfds_labels.feature(builder, path)
    sequence = any(
        isinstance(tfds_sets.at(builder.info.features, parent), features.Sequence)
        for parent in itertools.accumulate(path.split("/"), "{}/{}".format)
    )
    if sequence or not isinstance(found, features.Image):
        raise errors.DataError(
            f"feature '{path}' is not an image",
            expected="one feature of type Image an example",
            received=f"a sequence of {found}" if sequence else str(found),
            file=builder.info.full_name,
        )


def read_with_notes(config, vocabulary=None):
    """Reads the label table of a TFDS set.

    A label that one example states several times, as `open_images_v4` does by source,
    keeps its largest confidence, and the repetitions are counted.

    Args:
        config: `TfdsConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it: other
            labels are refused, and no training split is asked for. None takes the
            labels of split `train`.

    Returns:
        (`labels.LabelTable` whose storage is `tfds_records.TfdsRecords`, list of
        sentences).

    Raises:
        errors.DataError: the set is not prepared, or a feature, split or value is not
            what the map says.
        errors.SettingError: a setting is none of its choices.
        errors.MissingExtraError: TFDS is not installed.
    """
    _check_settings(config)
    builder = _prepared(config)
    _check_image(builder, config.image)
    pairs = tfds_splits.pairs(config.splits, builder)
    examples = _read(builder, pairs, config)
    ids = _ids(examples, pairs, config, builder)
    notes = []
    if examples.repeated:
        notes.append(
            f"{examples.repeated:,} labels were stated again by the same example; the "
            "largest confidence was kept"
        )
    split = examples.split.copy()
    split_rules.hold_out(split, ids, config, builder.info.full_name)
    keep = np.arange(len(ids))
    if config.unlabelled == "drop":
        bare = examples.entries.counts() == 0
        if bare.any():
            notes.append(f"{int(bare.sum()):,} rows without a label were left out")
        keep = np.flatnonzero(~bare)
    entries = examples.entries.take(keep)
    split = split[keep].astype(str)

    def place(row):
        at = keep[row]
        theirs = pairs[examples.origin[at]][1]
        return {
            "file": f"{builder.info.full_name}, split {theirs}",
            "row": int(examples.position[at]) + 1,
        }

    vocabulary, sparse, lost = vocabularies.settle(
        entries, split, config, place, builder.info.full_name, vocabulary
    )
    locations = np.char.add(
        np.char.add(examples.origin.astype(str), ":"), examples.position.astype(str)
    )
    table = labels.LabelTable(
        ids=ids[keep],
        locations=locations[keep],
        labels=sparse,
        vocabulary=vocabulary,
        **sheets.group_fields(
            examples.texts[config.group][keep] if config.group else None, len(keep)
        ),
        **split_rules.fields(split),
        unlisted_is_absent=config.unlisted == "absent",
        text=examples.texts[config.text][keep] if config.text else None,
        storage=tfds_records.TfdsRecords(
            _exact_name(builder),
            config.data_dir,
            tuple(theirs for _, theirs in pairs),
            config.image,
        ),
    )
    return table, [*notes, *lost]


def _exact_name(builder):
    """Returns `set/config:version`, so that a newer version changes nothing."""
    name, _, version = builder.info.full_name.rpartition("/")
    return f"{name}:{version}"
