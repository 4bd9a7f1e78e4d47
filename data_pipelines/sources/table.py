"""Any table: a CSV or Parquet file with a row an image.

The table has a column for the image's path (relative to the table's folder), one or
more columns of labels (`a|b`, or lists), and, where there are such, columns of
confidences, of labels verified absent, of group, split, cluster and text. A cluster is
what must stay together, such as one scene or one person: it never stands on both sides
of a split.
"""

import dataclasses
import os
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data_pipelines import errors, labels
from data_pipelines.sources import (
    derived,
    label_fields,
    presence,
    sheets,
    vocabularies,
)
from data_pipelines.sources import splits as split_rules

_CHOICES = {
    "unlabelled": ("keep", "drop"),
    "unseen_labels": ("error", "keep"),
    "unlisted": ("absent", "unknown"),
    "label_form": label_fields.FORMS,
    "missing_images": presence.CHOICES,
}


@dataclasses.dataclass(frozen=True)
class TableConfig:
    """How to read a table.

    Args:
        table: path of the file, CSV (UTF-8, with a header) or Parquet.
        tables: `split:path` of several files of the same columns, each of which is a
            split, in place of `table` and `split_column`. Where they lie in several
            folders, ids are paths from the folder that these have in common.
        image_dir: folder the paths are relative to; empty means the table's own.
        path_column: column of the image's path, which is its id too.
        label_columns: columns of labels; an empty field states no label.
        confidence_columns: none, or a column of confidences beside each of the label
            columns, of as many fields (`1|0.6`); 0 is verified absence.
        absent_columns: columns of labels that are verified absent.
        label_separator: stands between the labels of one field; empty means that a
            field is one label.
        label_form: `separated`, or `list` for fields such as `['a', 'b']`. Columns of
            lists in a Parquet file are read as they are.
        unlisted: whether a label that is not stated is `absent` or `unknown`.
        group_column: column of the group; empty means one group.
        split_column: column of the split; empty means that `splits` decide.
        cluster_column: column of what must stay together; empty means the image.
        text_column: column of what is written of the image; empty means none.
        splits: rules `name:column=a|b&other=c`, in place of `split_column`.
        validation_fraction: share of the clusters of split `train` that become split
            `validation`.
        unlabelled: `keep` or `drop` rows without a label.
        unseen_labels: `error` or `keep` labels that no row of `train` shows.
        missing_images: `keep` or `drop` rows whose image file is absent.
        names: CSV of `label,name` display names; empty means that names are ids.
        extra_columns: further columns to carry along.
        lookup_columns, band_columns, part_columns, compose_columns: rules of `derived`
            for columns that the table lacks.
        seed: decides which clusters are held out.
    """

    table: str = ""
    tables: tuple = ()
    image_dir: str = ""
    path_column: str = "path"
    label_columns: tuple = ("labels",)
    confidence_columns: tuple = ()
    absent_columns: tuple = ()
    label_separator: str = "|"
    label_form: str = "separated"
    unlisted: str = "absent"
    group_column: str = "group"
    split_column: str = "split"
    cluster_column: str = ""
    text_column: str = ""
    splits: tuple = ()
    validation_fraction: float = 0.0
    unlabelled: str = "keep"
    unseen_labels: str = "error"
    missing_images: str = "keep"
    names: str = ""
    extra_columns: tuple = ()
    lookup_columns: tuple = ()
    band_columns: tuple = ()
    part_columns: tuple = ()
    compose_columns: tuple = ()
    seed: int = 0


def read_csv(path):
    """Reads a CSV as strings, nothing taken for missing ("NA" is a name).

    Returns:
        `pandas.DataFrame` of strings.

    Raises:
        errors.DataError: unreadable, empty, or a row with too many or too few fields.
    """
    return sheets.read(path).table.to_pandas()


def _check_settings(config):
    errors.require_choices(config, _CHOICES)
    if config.tables and (config.table or config.splits):
        raise errors.SettingError(
            "Several tables are their own splits. Expected: --tables without --table "
            "and --splits. Received: both."
        )


def _open(config):
    """Reads the file or files, and adds the derived columns."""
    if config.tables:
        files = []
        for text in config.tables:
            split, colon, path = text.partition(":")
            if not (split and colon and path):
                raise errors.SettingError(
                    "A table of a split cannot be read. Expected: split:FILE. "
                    f"Received: {text}."
                )
            files.append((split, path))
        sheet = sheets.read_parts(files)
    elif config.table:
        sheet = sheets.read(config.table)
    else:
        raise errors.DataError("no table is named", expected="--table=FILE.csv")
    sheet = derived.apply(sheet, config)
    wanted = [config.path_column, *config.label_columns, *config.confidence_columns,
              *config.absent_columns, *config.extra_columns]  # fmt: skip
    sheet.require(wanted)
    optional = ["group_column", "cluster_column", "text_column"]
    if not (config.splits or config.tables):
        optional.append("split_column")
    for name in optional:
        if column := getattr(config, name):
            sheet.require([column], f", which --{name}={column} asks for")
    return sheet


def _roots(sheet, image_dir):
    """Returns the folder that the paths of each part are relative to."""
    return [
        os.path.realpath(image_dir or pathlib.Path(part.file).parent)
        for part in sheet.parts
    ]


def _below(folders, names, sheet):
    """Joins the paths of each part to its folder, as str [N]."""
    ends = [*(part.start for part in sheet.parts[1:]), len(sheet)]
    return np.concatenate([
        sheets.as_strings(
            pc.binary_join_element_wise(
                folder, names.slice(part.start, end - part.start), "/"
            )
        )
        for folder, part, end in zip(folders, sheet.parts, ends, strict=True)
    ])  # fmt: skip


def _ids(names, sheet, image_dir):
    """Returns str [N], unique: the paths, from a folder that all tables are below."""
    roots = _roots(sheet, image_dir)
    if len(set(roots)) == 1:
        return sheets.as_strings(names)
    common = os.path.commonpath(roots)
    found = _below([os.path.relpath(root, common) for root in roots], names, sheet)
    return np.array([path.removeprefix("./") for path in found.tolist()])


def _locations(names, sheet, image_dir):
    """Joins paths to their folder, refusing what would leave it or has no name."""
    odd = pc.match_substring_regex(names, r"(^|/)\.{0,2}(/|$)|\x00")
    rows = np.flatnonzero(odd.to_numpy(zero_copy_only=False))
    locations = _below(_roots(sheet, image_dir), names, sheet)
    if len(rows):
        locations = locations.astype(object)
        for row in rows:
            locations[row] = _plain(str(names[int(row)]), sheet, row, image_dir)
        locations = locations.astype(str)
    return locations


def _plain(name, sheet, row, image_dir):
    """Resolves one path that holds an empty, "." or ".." component."""
    if not name or "\0" in name:
        raise errors.DataError(
            "the path of an image is empty or holds a NUL", **sheet.place(row)
        )
    folder = image_dir or pathlib.Path(sheet.place(row)["file"]).parent
    root = os.path.realpath(folder)
    joined = os.path.normpath(os.path.join(root, name))
    if os.path.isabs(name) or not joined.startswith(root + os.sep):
        raise errors.DataError(
            "a path leaves the image folder",
            expected="a path below the image folder, relative to it",
            received=name,
            **sheet.place(row),
        )
    return joined


def _refuse_repeated(locations, ids, sheet):
    # a.png and ./a.png are one file
    repeated = pd.Series(locations).duplicated().to_numpy()
    if repeated.any():
        repeat = int(np.argmax(repeated))
        first = sheet.place(np.argmax(locations == locations[repeat]))
        where = "" if len(sheet.parts) == 1 else f" of {first['file']}"
        raise errors.DataError(
            f"a path stands twice (first in row {first['row']}{where})",
            expected="one row an image",
            received=ids[repeat],
            **sheet.place(repeat),
        )


def _left_out(sheet, config, split, entries, locations):
    """Returns (bool [N] rows left out, list of sentences that count them)."""
    outside = split == ""
    notes = []
    if outside.any():
        notes.append(f"{int(outside.sum()):,} rows are in no split and were left out")
    if config.unlabelled == "drop":
        bare = (entries.counts() == 0) & ~outside
        if bare.any():
            notes.append(f"{int(bare.sum()):,} rows without a label were left out")
            outside |= bare
    if config.missing_images == "drop":
        absent = ~outside
        absent[absent] = ~presence.on_disk(locations[absent])
        if absent.any():
            notes.append(presence.note(int(absent.sum())))
            outside |= absent
    if outside.all():
        raise errors.DataError(
            "no row is left to use", received="; ".join(notes), file=sheet.file
        )
    return outside, notes


def read_with_notes(config, vocabulary=None):
    """Reads a table.

    Rows that no split rule takes, unlabelled ones under `unlabelled=drop` and those
    without a file under `missing_images=drop` are left out and counted in the notes. So
    are labels that are stated nowhere but as absent: nothing could be learnt of them.

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
    _check_settings(config)
    sheet = _open(config)
    names = sheet.text(config.path_column)
    ids = _ids(names, sheet, config.image_dir)
    locations = _locations(names, sheet, config.image_dir)
    _refuse_repeated(locations, ids, sheet)
    entries = label_fields.read(sheet, config)
    split = split_rules.assign(sheet, config, training=vocabulary is None)
    outside, notes = _left_out(sheet, config, split, entries, locations)
    keep = np.flatnonzero(~outside)
    entries, split = entries.take(keep), split[keep]

    def place(row):
        return sheet.place(keep[row])

    vocabulary, sparse, lost = vocabularies.settle(
        entries, split, config, place, sheet.file, vocabulary
    )

    def kept(column):
        return sheet.text(column).take(pa.array(keep)) if column else None

    found = labels.LabelTable(
        ids=ids[keep],
        locations=locations[keep],
        labels=sparse,
        vocabulary=vocabulary,
        **sheets.group_fields(kept(config.group_column), len(keep)),
        **split_rules.fields(split),
        unlisted_is_absent=config.unlisted == "absent",
        cluster=sheets.coded(kept(config.cluster_column))[1]
        if config.cluster_column
        else None,
        text=sheets.as_texts(kept(config.text_column)) if config.text_column else None,
        columns={name: sheets.as_texts(kept(name)) for name in config.extra_columns},
    )
    return found, [*notes, *lost]
