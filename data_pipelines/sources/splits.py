"""Which split a row of a table belongs to."""

import hashlib

import numpy as np

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
    found = set(np.unique(names).tolist())
    first = [name for name in USUAL_ORDER if name in found]
    return first + sorted(found - set(first))


def _by_rules(frame, config):
    split = np.full(len(frame), "", dtype=object)
    for text in config.splits:
        name, conditions = parse_rule(text)
        chosen = np.ones(len(frame), bool)
        for column, values in conditions.items():
            if column not in frame.columns:
                raise errors.DataError(
                    f"there is no column '{column}', which split '{name}' asks for",
                    expected=f"one of {', '.join(map(str, frame.columns))}",
                    file=config.table,
                    row=1,
                )
            chosen &= frame[column].isin(values).to_numpy()
        if not chosen.any():
            raise errors.DataError(
                f"split '{name}' has no rows", received=text, file=config.table
            )
        twice = np.flatnonzero(chosen & (split != ""))
        if len(twice):
            raise errors.DataError(
                f"a row is in two splits, '{split[twice[0]]}' and '{name}'",
                file=config.table,
                row=int(twice[0]) + 2,
            )
        split[chosen] = name
    return split


def held_out(clusters, fraction, seed):
    """Returns bool [N]: rows whose cluster is among the held-out ones.

    Clusters are ordered by a hash of seed and name, and taken until they hold
    `fraction` of the rows, so a cluster's fate hardly changes when others are added.

    Args:
        clusters: str [N].
        fraction: share of the rows, in [0, 1).
        seed: int.
    """
    names, inverse, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    keys = [hashlib.sha256(f"{seed}\0{name}".encode()).digest() for name in names]
    order = np.array(sorted(range(len(names)), key=keys.__getitem__), np.int64)
    before = np.cumsum(sizes[order]) - sizes[order]
    taken = np.zeros(len(names), bool)
    taken[order[before < fraction * len(clusters)]] = True
    return taken[inverse]


def assign(frame, config, training=True):
    """Returns str [rows]: the split of each row, empty where no rule takes it.

    Args:
        frame: the table's DataFrame of strings.
        config: `table.TableConfig`.
        training: whether there must be a split `train`.

    Raises:
        errors.DataError: an empty split, a row in two splits, an unknown column, a
            cluster in two splits, or a table without a training split.
    """
    if config.splits:
        split = _by_rules(frame, config)
    elif config.split_column:
        split = frame[config.split_column].to_numpy(dtype=object)
        if (split == "").any():
            raise errors.DataError(
                "the split is empty",
                expected="the name of a split",
                file=config.table,
                row=int(np.argmax(split == "")) + 2,
            )
    else:
        split = np.full(len(frame), "train", dtype=object)
    clusters = (
        frame[config.cluster_column] if config.cluster_column
        else frame[config.path_column]
    ).to_numpy(dtype=str)  # fmt: skip
    if config.validation_fraction and (split == "train").any():
        if (split == "validation").any():
            raise errors.DataError(
                "validation_fraction is set, yet there is a split 'validation'",
                expected="one or the other",
                file=config.table,
            )
        train = np.flatnonzero(split == "train")
        out = held_out(clusters[train], config.validation_fraction, config.seed)
        split[train[out]] = "validation"
    if training and not (split == "train").any():
        raise errors.DataError(
            "no row is in split 'train'",
            expected="a split called train",
            received=", ".join(ordered(split[split != ""])) or "no split",
            file=config.table,
        )
    if config.cluster_column:
        _refuse_shared_clusters(clusters, split, config)
    return split.astype(str)


def _refuse_shared_clusters(clusters, split, config):
    home = {}
    for row, (cluster, name) in enumerate(zip(clusters, split, strict=True), start=2):
        if name and home.setdefault(cluster, name) != name:
            raise errors.DataError(
                f"cluster '{cluster}' is in two splits, '{home[cluster]}' and '{name}'",
                expected="a cluster on one side of a split only",
                file=config.table,
                row=row,
            )
