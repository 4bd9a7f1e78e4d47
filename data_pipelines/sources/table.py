"""Any table: a CSV with a row an image.

The table has a column for the image's path (relative to the table's folder), one or
more columns of labels (`a|b`), and, where there are such, columns for group, split and
cluster. A cluster is what must stay together, such as one scene or one person: it never
stands on both sides of a split.
"""

import csv
import dataclasses
import os
import pathlib

import numpy as np
import pandas as pd

from data_pipelines import errors, labels
from data_pipelines.sources import splits as split_rules


@dataclasses.dataclass(frozen=True)
class TableConfig:
    """How to read a table.

    Args:
        table: path of the CSV file, UTF-8, with a header.
        image_dir: folder the paths are relative to; empty means the table's own.
        path_column: column of the image's path, which is its id too.
        label_columns: columns of labels; an empty field states no label.
        label_separator: stands between the labels of one field.
        group_column: column of the group; empty means one group.
        split_column: column of the split; empty means that `splits` decide.
        cluster_column: column of what must stay together; empty means the image.
        splits: rules `name:column=a|b&other=c`, in place of `split_column`.
        validation_fraction: share of the clusters of split `train` that become split
            `validation`.
        unlabelled: `keep` or `drop` rows without a label.
        unseen_labels: `error` or `keep` labels that no row of `train` shows.
        names: CSV of `label,name` display names; empty means that names are ids.
        extra_columns: further columns to carry along.
        seed: decides which clusters are held out.
    """

    table: str = ""
    image_dir: str = ""
    path_column: str = "path"
    label_columns: tuple = ("labels",)
    label_separator: str = "|"
    group_column: str = "group"
    split_column: str = "split"
    cluster_column: str = ""
    splits: tuple = ()
    validation_fraction: float = 0.0
    unlabelled: str = "keep"
    unseen_labels: str = "error"
    names: str = ""
    extra_columns: tuple = ()
    seed: int = 0


def read_csv(path):
    """Reads a CSV as strings, nothing taken for missing ("NA" is a name).

    Raises:
        errors.DataError: unreadable, empty, or a row with too many or too few fields.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            rows = list(reader)
    except FileNotFoundError as error:
        raise errors.DataError("there is no such file", file=path) from error
    except IsADirectoryError as error:
        raise errors.DataError("this is a folder, not a CSV file", file=path) from error
    except UnicodeDecodeError as error:
        raise errors.DataError(
            "the file is not UTF-8 text", received=str(error), file=path
        ) from error
    except csv.Error as error:
        raise errors.DataError(
            "the file is no CSV", received=str(error), file=path, row=reader.line_num
        ) from error
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise errors.DataError(
            "the table is empty", expected="a header and a row an image", file=path
        )
    header = rows[0]
    if len(set(header)) < len(header):
        raise errors.DataError(
            "two columns have the same name", received=",".join(header), file=path,
            row=1,
        )  # fmt: skip
    if len(rows) == 1:
        raise errors.DataError(
            "the table has a header but no rows", expected="a row an image", file=path
        )
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    wrong = np.flatnonzero(lengths != len(header))
    if len(wrong):
        raise errors.DataError(
            "a row has another number of fields than the header",
            expected=f"{len(header)} fields",
            received=f"{lengths[wrong[0]]}",
            file=path,
            row=int(wrong[0]) + 1,
        )
    return pd.DataFrame(rows[1:], columns=header, dtype=str)


def _check_columns(frame, config):
    wanted = [config.path_column, *config.label_columns, *config.extra_columns]
    optional = [config.group_column, config.cluster_column]
    if not config.splits:
        optional.append(config.split_column)
    for column in wanted + [column for column in optional if column]:
        if column not in frame.columns:
            raise errors.DataError(
                f"there is no column '{column}'",
                expected=f"one of {', '.join(map(str, frame.columns))}",
                file=config.table,
                row=1,
            )


def _first_repeat(values):
    repeated = pd.Series(values).duplicated().to_numpy()
    return int(np.argmax(repeated)) if repeated.any() else None


def _locations(ids, folder, table):
    """Joins ids to the folder, refusing what would leave it or has no name."""
    root = os.path.realpath(folder)
    locations = []
    for row, name in enumerate(ids, start=2):
        if not name or "\0" in name:
            raise errors.DataError(
                "the path of an image is empty or holds a NUL", file=table, row=row
            )
        joined = os.path.normpath(os.path.join(root, name))
        if os.path.isabs(name) or not joined.startswith(root + os.sep):
            raise errors.DataError(
                "a path leaves the image folder",
                expected="a path below the image folder, relative to it",
                received=name,
                file=table,
                row=row,
            )
        locations.append(joined)
    return np.array(locations)


def _row_labels(frame, config):
    """Returns a list, a row each, of label ids: ordered, unique."""
    columns = [frame[column].tolist() for column in config.label_columns]
    rows = []
    for row, fields in enumerate(zip(*columns, strict=True), start=2):
        found = {}
        for field in fields:
            if not field.strip():
                continue
            for label in field.split(config.label_separator):
                label = label.strip()
                if not label:
                    raise errors.DataError(
                        "a label is empty",
                        expected=f"labels joined by '{config.label_separator}'",
                        received=field,
                        file=config.table,
                        row=row,
                    )
                found[label] = True
        rows.append(list(found))
    return rows


def _vocabulary(rows, in_training, config, file_rows):
    """Labels of the training rows, sorted; unseen ones refused or kept at the end."""
    known = set()
    for row, train in zip(rows, in_training, strict=True):
        if train:
            known.update(row)
    unseen = {}
    for row, number in zip(rows, file_rows, strict=True):
        for label in row:
            if label not in known:
                unseen.setdefault(label, number)
    if unseen and config.unseen_labels == "error":
        label, number = next(iter(unseen.items()))
        raise errors.DataError(
            f"{len(unseen)} label(s) never seen in split 'train'",
            expected="labels of the training rows, or --unseen_labels=keep to count "
            "them as missed",
            received=label,
            file=config.table,
            row=number,
        )
    ids = sorted(known) + sorted(unseen)
    if not ids:
        raise errors.DataError("no row has a label", file=config.table)
    names = {}
    if config.names:
        frame = read_csv(config.names)
        if frame.shape[1] < 2:
            raise errors.DataError(
                "a file of names has two columns",
                expected="label,name",
                received=",".join(frame.columns),
                file=config.names,
                row=1,
            )
        names = dict(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True))
    return labels.Vocabulary(ids, [names.get(label) or label for label in ids])


def _refuse_unknown(rows, vocabulary, config, file_rows):
    known = set(vocabulary.ids)
    for row, number in zip(rows, file_rows, strict=True):
        for label in row:
            if label not in known:
                raise errors.DataError(
                    "the model does not know a label",
                    expected=f"one of its {len(known)} labels",
                    received=label,
                    file=config.table,
                    row=number,
                )


def read_with_notes(config, vocabulary=None):
    """Reads a table.

    Rows that no split rule takes, and unlabelled ones under `unlabelled=drop`, are left
    out and counted in the notes.

    Args:
        config: `TableConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it: other
            labels are refused, and no training split is asked for. None takes the
            labels of split `train`.

    Returns:
        (`labels.LabelTable`, list of sentences that count what was left out).

    Raises:
        errors.DataError: whatever is wrong, with file and row.
    """
    for name, allowed in (("unlabelled", ("keep", "drop")),
                          ("unseen_labels", ("error", "keep"))):  # fmt: skip
        if getattr(config, name) not in allowed:
            raise errors.SettingError(
                f"Unknown {name}. Expected: one of {', '.join(allowed)}. "
                f"Received: {getattr(config, name)}."
            )
    if not config.table:
        raise errors.DataError("no table is named", expected="--table=FILE.csv")
    frame = read_csv(config.table)
    _check_columns(frame, config)
    ids = frame[config.path_column].to_numpy(dtype=str)
    folder = config.image_dir or pathlib.Path(config.table).resolve().parent
    locations = _locations(ids, folder, config.table)
    # a.png and ./a.png are one file
    repeat = _first_repeat(locations)
    if repeat is not None:
        first = int(np.argmax(locations == locations[repeat]))
        raise errors.DataError(
            f"a path stands twice (first in row {first + 2})",
            expected="one row an image",
            received=ids[repeat],
            file=config.table,
            row=repeat + 2,
        )
    rows = _row_labels(frame, config)
    notes = []
    split = split_rules.assign(frame, config, training=vocabulary is None)
    outside = split == ""
    if outside.any():
        notes.append(f"{int(outside.sum()):,} rows are in no split and were left out")
    bare = np.array([not row for row in rows])
    if config.unlabelled == "drop" and (bare & ~outside).any():
        notes.append(
            f"{int((bare & ~outside).sum()):,} rows without a label were left out"
        )
        outside |= bare
    keep = np.flatnonzero(~outside)
    if not len(keep):
        raise errors.DataError("no row is left to use", file=config.table)
    rows = [rows[row] for row in keep]
    if vocabulary is None:
        vocabulary = _vocabulary(rows, split[keep] == "train", config, keep + 2)
    else:
        _refuse_unknown(rows, vocabulary, config, keep + 2)
    position = vocabulary.index()
    split_names = tuple(split_rules.ordered(split[keep]))
    group = (
        frame[config.group_column].to_numpy(dtype=str)[keep]
        if config.group_column
        else np.full(len(keep), "all")
    )
    group_names, group_index = np.unique(group, return_inverse=True)
    extra = {
        column: frame[column].to_numpy(dtype=str)[keep]
        for column in config.extra_columns
    }
    cluster = None
    if config.cluster_column:
        names = frame[config.cluster_column].to_numpy(dtype=str)[keep]
        cluster = np.unique(names, return_inverse=True)[1].astype(np.int32)
    table = labels.LabelTable(
        ids=ids[keep],
        locations=locations[keep],
        labels=labels.SparseLabels.from_lists(
            [[position[label] for label in row] for row in rows], len(vocabulary)
        ),
        vocabulary=vocabulary,
        group=group_index.astype(np.int32),
        group_names=tuple(group_names.tolist()),
        split=np.array([split_names.index(name) for name in split[keep]], np.int32),
        split_names=split_names,
        cluster=cluster,
        columns=extra,
    )
    return table, notes
