"""A prepared data set: what `tools.prepare` (or `tfds build`) made of another source.

Its images lie in shards with random access, already decoded once, shrunk and turned;
its label table lies beside them. Training reads it as it reads a folder of files.
"""

import dataclasses
import json

import numpy as np

from data_pipelines import errors, labels
from data_pipelines.preparing import folder
from data_pipelines.sources import splits, vocabularies


@dataclasses.dataclass(frozen=True)
class PreparedConfig:
    """Which prepared data set.

    Args:
        data_dir: its folder, or one above that holds no other.
        validation_fraction: share of the images (of the clusters, where there are
            such) of split `train` that become split `validation`.
        seed: decides which are held out.
    """

    data_dir: str = ""
    validation_fraction: float = 0.0
    seed: int = 0


def read_with_notes(config, vocabulary=None):
    """Reads the label table of a prepared data set.

    Args:
        config: `PreparedConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it: other
            labels are refused. None takes the stored one.

    Returns:
        (`labels.LabelTable` whose storage is `storage.Records`, list of sentences).

    Raises:
        errors.DataError: there is no such set, or it is damaged, with the file.
    """
    if not config.data_dir:
        raise errors.DataError("no prepared data set is named", expected="--data_dir")
    path = folder.find(config.data_dir)
    table = folder.read_table(path)
    notes = []
    quarantined = folder.read_description(path).get("quarantined", 0)
    if quarantined:
        notes.append(
            f"{quarantined:,} unreadable image(s) were left out when the set was "
            f"prepared, named in {path / folder.QUARANTINE}"
        )
    if config.validation_fraction:
        table = _hold_out(table, config, path)
    if vocabulary is not None:
        table, lost = _in_terms_of(table, vocabulary, path)
        notes += vocabularies.note_of_lost(lost)
    return table, notes


def facts(config):
    """Returns what the raw source knew beside the table, a dict ready for JSON."""
    path = folder.find(config.data_dir) / folder.FACTS
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _hold_out(table, config, path):
    """Moves a share of split `train` to split `validation`."""
    if table.split_counts().get("validation"):
        raise errors.DataError(
            "validation_fraction is set, yet there is a split 'validation'",
            expected="one or the other",
            file=path,
        )
    if not table.split_counts().get("train"):
        return table
    train = np.flatnonzero(table.split == table.split_names.index("train"))
    names = table.ids if table.cluster is None else table.cluster.astype(str)
    out = splits.held_out(names[train], config.validation_fraction, config.seed)
    kept = tuple(name for name in table.split_names if name != "validation")
    new = tuple(splits.ordered([*kept, "validation"]))
    split = np.array([new.index(name) for name in table.split_names], np.int32)
    split = split[table.split]
    split[train[out]] = new.index("validation")
    return dataclasses.replace(table, split=split, split_names=new)


def _in_terms_of(table, vocabulary, path):
    """Renumbers the labels for a model's vocabulary; its own order, its own names.

    Returns:
        (table, how many statements of absence it lost).
    """
    position = vocabulary.index()
    places = np.array([position.get(label, -1) for label in table.vocabulary.ids])
    stated = table.labels
    index = places[stated.index]
    strange = (index < 0) & (stated.confidence > 0)
    if strange.any():
        unknown = table.vocabulary.ids[stated.index[np.argmax(strange)]]
        raise errors.DataError(
            "the model does not know a label",
            expected=f"one of its {len(position)} labels",
            received=unknown,
            file=path,
        )
    known = index >= 0
    kept = np.concatenate([[0], np.cumsum(known)])
    renumbered = labels.SparseLabels(
        kept[stated.offsets].astype(np.int64),
        index[known].astype(np.int32),
        stated.confidence[known],
        len(vocabulary),
    )
    found = dataclasses.replace(table, labels=renumbered, vocabulary=vocabulary)
    return found, int(np.count_nonzero(~known))
