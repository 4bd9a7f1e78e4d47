"""Fashion Product Images: `styles.csv` and `images/<id>.jpg` (44,446 rows, 143 types).

A label is an article type, the text is the product's name, groups are gender, usage or
season. The split is that of savan77's transfer-learning study: products of an even year
train, those of an odd year, or of none, test. He pretrained on the 20 types with the
most training rows and went on with the rest, which `types` chooses. In the file as
published, 22 product names hold bare commas, so their rows have 11 or 12 fields; he
left them out. Their commas are put back here unless `malformed=skip`:

    rows                     train   test    top20 in train  rest in train
    all, as read here        23,791  20,655  18,558          5,233 (108 types in all)
    without the 22, as told  23,788  20,636  18,556          5,232

The second line is the study's own and has not been reproduced: in the copy this was
tried on, each of the 44,446 rows has 10 fields and no name holds a comma, quoted or
bare. Nothing tells which 22 rows had them, so `malformed=skip` gives the first line.
"""

import dataclasses
import pathlib

import numpy as np
import pyarrow as pa

from data_pipelines import errors, labels
from data_pipelines.sources import (
    label_fields,
    presence,
    sheets,
    styles_csv,
    vocabularies,
)
from data_pipelines.sources import splits as split_rules

TYPES = ("all", "top20", "rest")
LEVELS = ("masterCategory", "subCategory")
"""Columns above the article type that may become labels too."""

UNKNOWN = "unknown"
"""The group of a row whose field is empty; "NA" is a value of `usage`."""

_TYPE, _TEXT, _YEAR = "articleType", "productDisplayName", "year"
_TOP = 20
_CHOICES = {
    "malformed": ("read", "skip"),
    "types": TYPES,
    "unseen_labels": ("drop", "keep", "error"),
    "missing_images": presence.CHOICES,
}


@dataclasses.dataclass(frozen=True)
class FashionProductsConfig:
    """What to take of the data set.

    Args:
        data_dir: folder of `styles.csv`.
        image_dir: folder of `<id>.jpg`; empty means `data_dir/images`.
        malformed: `read` or `skip` rows with commas in the product's name that are not
            quoted.
        types: `all`, the `top20` by training rows of the file, or the `rest`.
        levels: columns of `LEVELS` whose values are labels too, with ids such as
            "subCategory:Topwear", since two levels can share a name.
        group_column: a column of the file; empty means one group.
        unseen_labels: `drop` test rows of a type that no training row shows, as he
            did, `keep` them (they count as missed), or call them an `error`.
        missing_images: `keep` or `drop` rows whose image file is absent.
        validation_fraction: share of the training rows that become split `validation`.
        names: CSV of `label,name` display names; empty means that names are ids.
        seed: decides which rows are held out.
    """

    data_dir: str = ""
    image_dir: str = ""
    malformed: str = "read"
    types: str = "all"
    levels: tuple = ()
    group_column: str = "gender"
    unseen_labels: str = "drop"
    missing_images: str = "keep"
    validation_fraction: float = 0.0
    names: str = ""
    seed: int = 0


def _check_settings(config):
    errors.require_choices(config, _CHOICES)
    for level in config.levels:
        if level not in LEVELS:
            raise errors.SettingError(
                f"Unknown level. Expected: {', '.join(LEVELS)}. Received: {level}."
            )
    if config.group_column and config.group_column not in styles_csv.COLUMNS:
        raise errors.SettingError(
            "Unknown group column. Expected: one of "
            f"{', '.join(styles_csv.COLUMNS)}. "
            f"Received: {config.group_column}."
        )
    if not config.data_dir:
        raise errors.DataError(
            "no folder of the data set is named", expected="--data_dir=FOLDER"
        )


def top_types(article_types, train, count=_TOP):
    """Returns the set of the `count` types with the most training rows.

    Rows are counted as the file lists them, whether or not their image was downloaded;
    among equals the first by name is taken.

    Args:
        article_types: object [N] of str.
        train: bool [N].
        count: how many.
    """
    names, counts = np.unique(article_types[train], return_counts=True)
    # names are in order, and stay so among equals
    order = np.argsort(-counts, kind="stable")
    return set(names[order[:count]].tolist())


def _is_blank(values):
    return sheets.is_blank(pa.array(values, pa.string()))


def _entries(fields, levels, numbers, path):
    """Returns `label_fields.Entries` of the type, and of the levels asked for."""
    count = len(fields[_TYPE])
    for level in levels:
        blank = _is_blank(fields[level])
        if blank.any():
            raise errors.DataError(
                f"the {level} is empty", file=path, row=int(numbers[np.argmax(blank)])
            )
    parts = [fields[_TYPE], *(f"{level}:" + fields[level] for level in levels)]
    flat = label_fields.single(np.stack(parts, axis=1).reshape(-1))
    return dataclasses.replace(flat, row=flat.row // len(parts), rows=count)


def _without_unseen(entries, known, split):
    """Returns (bool [N] rows to leave out, note or None): rows with an unseen label."""
    out = np.zeros(entries.rows, bool)
    out[entries.row[~known[entries.code]]] = True
    if not out.any():
        return out, None
    kinds = int(np.count_nonzero(~known[np.unique(entries.code)]))
    parts = ", ".join(
        f"{np.count_nonzero(split[out] == name):,} of {name}"
        for name in split_rules.ordered(split[out])
    )
    return out, (
        f"{int(out.sum()):,} rows ({parts}) were left out: training shows none of "
        f"their {kinds} types"
    )


def _reach(config, fields, numbers, path, notes):
    """Says where the rows belong: (split, locations, rows to keep), adding to notes."""
    split = np.where(
        styles_csv.even_years(fields[_YEAR], numbers, path), "train", "test"
    ).astype(object)
    missing = int(np.count_nonzero(_is_blank(fields[_YEAR])))
    if missing:
        notes.append(f"{missing:,} rows without a year are in split test")
    keep = np.ones(len(split), bool)
    if config.types != "all":
        top = top_types(fields[_TYPE], split == "train")
        keep = np.isin(fields[_TYPE], sorted(top)) == (config.types == "top20")
    ids = fields["id"].astype(str)
    split_rules.hold_out(split, ids, config, path)
    folder = pathlib.Path(config.image_dir or pathlib.Path(config.data_dir) / "images")
    locations = np.char.add(np.char.add(f"{folder.resolve()}/", ids), ".jpg")
    if config.missing_images == "drop":
        absent = keep.copy()
        absent[keep] = ~presence.on_disk(locations[keep])
        if absent.any():
            notes.append(presence.note(int(absent.sum())))
        keep &= ~absent
    if not keep.any():
        raise errors.DataError(
            "no row is left to use", received="; ".join(notes), file=path
        )
    return split.astype(str), locations, np.flatnonzero(keep)


def _known(entries, split, vocabulary):
    if vocabulary is None:
        return vocabularies.known_in_training(entries, split == "train")
    ids = set(vocabulary.ids)
    return np.array([name in ids for name in entries.names])


def read_with_notes(config, vocabulary=None):
    """Reads the data set.

    Args:
        config: `FashionProductsConfig`.
        vocabulary: `labels.Vocabulary` of a trained model, to read data for it: rows of
            other labels are dropped and counted under `unseen_labels=drop`, else
            refused. None takes the labels of the training rows.

    Returns:
        (`labels.LabelTable` whose split is train, test and perhaps validation, list of
        sentences).

    Raises:
        errors.DataError: whatever is wrong, with file and row.
        errors.SettingError: a setting is none of its choices.
    """
    _check_settings(config)
    path = pathlib.Path(config.data_dir) / "styles.csv"
    fields, numbers, notes = styles_csv.read(path, config.malformed)
    split, locations, keep = _reach(config, fields, numbers, path, notes)
    entries = _entries(fields, config.levels, numbers, path).take(keep)
    if vocabulary is None:
        split_rules.require_training(split[keep], path)
    if config.unseen_labels == "drop":
        known = _known(entries, split[keep], vocabulary)
        out, note = _without_unseen(entries, known, split[keep])
        if note:
            notes.append(note)
        entries, keep = entries.take(np.flatnonzero(~out)), keep[~out]
    if not len(keep):
        raise errors.DataError(
            "no row is left to use", received="; ".join(notes), file=path
        )
    split = split[keep]

    def place(row):
        return {"file": path, "row": int(numbers[keep[row]])}

    vocabulary, sparse, _ = vocabularies.settle(
        entries, split, config, place, path, vocabulary,
        {name: name.rpartition(":")[2] for name in entries.names},
    )  # fmt: skip
    group = None
    if config.group_column:
        group = fields[config.group_column][keep]
        group = np.where(_is_blank(group), UNKNOWN, group)
    table = labels.LabelTable(
        ids=fields["id"][keep].astype(str),
        locations=locations[keep],
        labels=sparse,
        vocabulary=vocabulary,
        **sheets.group_fields(group, len(keep)),
        **split_rules.fields(split),
        text=fields[_TEXT][keep],
        columns={name: fields[name][keep] for name in styles_csv.COLUMNS[1:-1]},
    )
    return table, notes
