"""Which split a row of a table belongs to."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data_pipelines import errors

USUAL_ORDER = ("train", "validation", "tuning")


def parse_rule(text):
    """Parses `name:column=a|b&other=c` into (name, {column: set of values}).

    Raises:
        errors.SettingError: the text is of another form.
    """
    name, colon, condition = text.partition(":")
    conditions = {}
    for part in condition.split("&"):
        column, equals, values = part.partition("=")
        if not (name and colon and column and equals):
            raise errors.SettingError(
                "A split rule cannot be read. Expected: name:column=value|value, with "
                f"further conditions after &. Received: {text}."
            )
        conditions[column] = set(values.split("|"))
    return name, conditions


def ordered(names):
    """Returns the distinct names: train, validation, tuning, then the rest by name."""
    found = set(pd.unique(np.asarray(names)).tolist())
    first = [name for name in USUAL_ORDER if name in found]
    return first + sorted(found - set(first))


def fields(split):
    """Returns the fields `split` and `split_names` of a label table.

    Args:
        split: str [N].
    """
    order = ordered(split)
    codes, distinct = pd.factorize(np.asarray(split))
    places = np.array([order.index(name) for name in distinct], np.int32)
    return {"split": places[codes], "split_names": tuple(order)}


def _by_rules(sheet, config):
    split = np.full(len(sheet), "", dtype=object)
    for text in config.splits:
        name, conditions = parse_rule(text)
        chosen = np.ones(len(sheet), bool)
        for column, values in conditions.items():
            sheet.require([column], f", which split '{name}' asks for")
            chosen &= pc.is_in(
                sheet.text(column), value_set=pa.array(sorted(values))
            ).to_numpy(zero_copy_only=False)
        if not chosen.any():
            raise errors.DataError(
                f"split '{name}' has no rows", received=text, file=sheet.file
            )
        twice = np.flatnonzero(chosen & (split != ""))
        if len(twice):
            raise errors.DataError(
                f"a row is in two splits, '{split[twice[0]]}' and '{name}'",
                **sheet.place(twice[0]),
            )
        split[chosen] = name
    return split


def _given(sheet, config):
    """The splits that the rules, the files or the column say, before any hold-out."""
    if config.splits:
        return _by_rules(sheet, config)
    if sheet.parts[0].split:
        sizes = np.diff([*(part.start for part in sheet.parts), len(sheet)])
        names = np.array([part.split for part in sheet.parts], dtype=object)
        return np.repeat(names, sizes)
    if not config.split_column:
        return np.full(len(sheet), "train", dtype=object)
    split = sheet.strings(config.split_column).astype(object)
    if (split == "").any():
        raise errors.DataError(
            "the split is empty",
            expected="the name of a split",
            **sheet.place(np.argmax(split == "")),
        )
    return split


def held_out(clusters, fraction, seed, fold=0):
    """Returns bool [N]: rows whose cluster is among the held-out ones.

    Clusters are ordered by a hash of seed and name, and taken until they hold
    `fraction` of the rows, so a cluster's fate hardly changes when others are added.
    A further fold goes on where the one before ended: 1 / fraction of them, rounded up,
    hold every row out once.

    Args:
        clusters: str [N].
        fraction: share of the rows, in [0, 1).
        seed: int.
        fold: which of the folds, from 0.
    """
    inverse, names = pd.factorize(np.asarray(clusters))
    sizes = np.bincount(inverse, minlength=len(names))
    # a digest is 32 bytes; big-endian words compare as the bytes do
    keys = np.frombuffer(
        b"".join(hashlib.sha256(f"{seed}\0{name}".encode()).digest() for name in names),
        ">u8",
    ).reshape(-1, 4)
    order = np.lexsort(keys.T[::-1])
    before = np.cumsum(sizes[order]) - sizes[order]
    taken = np.zeros(len(names), bool)
    start, end = (step * fraction * len(clusters) for step in (fold, fold + 1))
    taken[order[(before >= start) & (before < end)]] = True
    return taken[inverse]


def hold_out(split, clusters, config, file=None):
    """Turns a share of the training clusters into split `validation`.

    Args:
        split: str [N], changed in place.
        clusters: str [N], what must stay together.
        config: has `validation_fraction` and `seed`.
        file: for the error.

    Raises:
        errors.DataError: there is a split `validation` already.
    """
    if not config.validation_fraction or not (split == "train").any():
        return
    if (split == "validation").any():
        raise errors.DataError(
            "validation_fraction is set, yet there is a split 'validation'",
            expected="one or the other",
            file=file,
        )
    train = np.flatnonzero(split == "train")
    out = held_out(clusters[train], config.validation_fraction, config.seed)
    split[train[out]] = "validation"


def require_training(split, file=None):
    """Refuses splits (str [N]) of which none is `train`.

    Raises:
        errors.DataError: no row is in split `train`.
    """
    if not (split == "train").any():
        raise errors.DataError(
            "no row is in split 'train'",
            expected="a split called train",
            received=", ".join(ordered(split[split != ""])) or "no split",
            file=file,
        )


def assign(sheet, config, training=True):
    """Returns str [rows]: the split of each row, empty where no rule takes it.

    Args:
        sheet: `sheets.Sheet`.
        config: `table.TableConfig`.
        training: whether there must be a split `train`.

    Raises:
        errors.DataError: an empty split or cluster, a row in two splits, an unknown
            column, a cluster in two splits, or a table without a training split.
    """
    split = _given(sheet, config)
    if config.validation_fraction or config.cluster_column:
        clusters = sheet.strings(config.cluster_column or config.path_column)
        # taken for one cluster, all such rows would go to one side together
        bare = (clusters == "") & (split != "")
        if bare.any():
            raise errors.DataError(
                "the cluster is empty",
                expected="what the image belongs to, such as its own path if nothing",
                **sheet.place(np.argmax(bare)),
            )
        hold_out(split, clusters, config, sheet.file)
    if training:
        require_training(split, sheet.file)
    if config.cluster_column:
        _refuse_shared_clusters(clusters, split, sheet)
    return split.astype(str)


def _refuse_shared_clusters(clusters, split, sheet):
    rows = np.flatnonzero(split != "")
    names, inverse = pd.factorize(split[rows])[::-1]
    cluster = pd.factorize(clusters[rows])[0]
    # rows are gone through backwards, so that a cluster's first one stays
    home = np.zeros(len(clusters), np.int64)
    home[cluster[::-1]] = inverse[::-1]
    strayed = np.flatnonzero(inverse != home[cluster])
    if len(strayed):
        first = strayed[0]
        raise errors.DataError(
            f"cluster '{clusters[rows[first]]}' is in two splits, "
            f"'{names[home[cluster[first]]]}' and '{names[inverse[first]]}'",
            expected="a cluster on one side of a split only",
            **sheet.place(rows[first]),
        )
