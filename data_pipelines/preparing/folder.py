"""What a prepared data set is: a TFDS folder of shards, its label table, and sums.

    FOLDER/prepared.json       which shards in which order, their sizes and sums, how
                               the images were encoded, what it was made from
    FOLDER/label_table/        `label_files`; a location is the number of a record
    FOLDER/quarantine.csv      images that could not be read
    FOLDER/facts.json          what the source knew beside the table, if anything
    FOLDER/*.array_record-*    shards of `tf.train.Example` records, and TFDS' own JSON

Records are numbered through all shards in the order of prepared.json: split after
split, and within a split in the order of the label table.
"""

import hashlib
import json
import pathlib

import numpy as np

from data_pipelines import atomic, errors, label_files, storage

FORMAT = 1
"""Version of the folder; another is refused."""

FILE = "prepared.json"
LABEL_TABLE = "label_table"
QUARANTINE = "quarantine.csv"
FACTS = "facts.json"
FILE_FORMAT = "array_record"
"""The one format of shards that has random access without decoding."""


def record_numbers(table):
    """Returns int64 [N]: the record of each row, counted through split after split."""
    order = np.argsort(table.split, kind="stable")
    numbers = np.empty(len(table), np.int64)
    numbers[order] = np.arange(len(table))
    return numbers


def source_fingerprint(table, keys):
    """Returns a SHA-256, as hex, of a raw table and the keys of its images.

    Args:
        table: `labels.LabelTable`, before faulty images are left out.
        keys: uint64 [N] of `encoding.keys`.
    """
    known = hashlib.sha256(np.ascontiguousarray(keys).tobytes())
    for part in (table.labels.offsets, table.labels.index, table.labels.confidence,
                 table.group, table.split):  # fmt: skip
        known.update(np.ascontiguousarray(part).tobytes())
    names = [
        table.ids.tolist(), table.vocabulary.ids, table.vocabulary.names,
        table.group_names, table.split_names, bool(table.unlisted_is_absent),
        None if table.cluster is None else table.cluster.tolist(),
        None if table.text is None else table.text.tolist(),
        {name: values.tolist() for name, values in table.columns.items()},
    ]  # fmt: skip
    known.update(json.dumps(names).encode())
    return known.hexdigest()


def finish(path, shards, file_format, facts):
    """Writes prepared.json of a folder that has all else.

    Args:
        path: the folder.
        shards: list of {"split", "file", "records"}, in the order of the records.
        file_format: of the shards.
        facts: {name: JSON value} to keep beside.
    """
    path = pathlib.Path(path)
    described = [
        shard
        | {
            "bytes": (path / shard["file"]).stat().st_size,
            "sha256": atomic.sha256(path / shard["file"]),
        }
        for shard in shards
    ]
    content = {"format": FORMAT, "file_format": file_format, "shards": described}
    atomic.write_json(path / FILE, content | facts)


def find(path):
    """Returns the one prepared folder at or below `path`, a `pathlib.Path`.

    Raises:
        errors.DataError: there is none, or there are several.
    """
    path = pathlib.Path(path)
    found = [path] if (path / FILE).is_file() else []
    for levels in range(1, 4):
        found += [
            each.parent
            for each in path.glob("/".join(["*"] * levels + [FILE]))
            # TFDS writes under another name first
            if not any(".incomplete" in part for part in each.parts)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        raise errors.DataError(
            "there is more than one prepared data set",
            expected="the folder of one of them",
            received=", ".join(sorted(str(each.relative_to(path)) for each in found)),
            file=path,
        )
    raise errors.DataError(
        "there is no prepared data set",
        expected=f"a folder of tools.prepare, with {FILE} in it",
        file=path,
    )


def read_description(path):
    """Returns the content of prepared.json.

    Raises:
        errors.DataError: it cannot be read, is of another version, or its shards have
            no random access.
    """
    file = pathlib.Path(path) / FILE
    try:
        content = json.loads(file.read_text("utf-8"))
        version, file_format = content["format"], content["file_format"]
        for shard in content["shards"]:
            _ = [shard[name] for name in ("split", "file", "records", "bytes")]
    except (ValueError, KeyError, TypeError) as error:
        raise errors.DataError(
            "the description of a prepared data set cannot be read",
            received=f"{type(error).__name__}: {error}",
            file=file,
        ) from error
    if version != FORMAT:
        raise errors.DataError(
            "the prepared data set is of another version",
            expected=f"format {FORMAT}; preparing it again makes one",
            received=version,
            file=file,
        )
    if file_format != FILE_FORMAT:
        raise errors.DataError(
            "the shards of the prepared data set have no random access",
            expected=f"file_format {FILE_FORMAT}",
            received=file_format,
            file=file,
        )
    return content


def read_table(path):
    """Returns the label table of a prepared folder, which can read its images.

    Sums of the label table are checked; of shards only that they are there and as long
    as they were. `check_shards` checks their sums.

    Args:
        path: the folder itself.

    Raises:
        errors.DataError: something is missing, changed or does not fit.
    """
    path = pathlib.Path(path)
    shards = read_description(path)["shards"]
    for shard in shards:
        file = path / shard["file"]
        if not file.is_file():
            raise errors.DataError("a shard is missing", file=file)
        size = file.stat().st_size
        if size != shard["bytes"]:
            raise errors.DataError(
                "a shard has changed since it was written",
                expected=f"{shard['bytes']:,} bytes",
                received=f"{size:,}",
                file=file,
            )
    records = storage.Records(
        paths=tuple(str(path / shard["file"]) for shard in shards),
        lengths=tuple(int(shard["records"]) for shard in shards),
        bytes=sum(int(shard["bytes"]) for shard in shards),
    )
    table = label_files.load(path / LABEL_TABLE, records)
    total = sum(records.lengths)
    if len(table) != total:
        raise errors.DataError(
            "the label table does not fit the shards",
            expected=f"{total:,} rows",
            received=f"{len(table):,}",
            file=path / LABEL_TABLE,
        )
    return table


def check_shards(path):
    """Reads every shard and compares its sum.

    Raises:
        errors.DataError: a shard has changed since it was written.
    """
    path = pathlib.Path(path)
    for shard in read_description(path)["shards"]:
        found = atomic.sha256(path / shard["file"])
        if found != shard["sha256"]:
            raise errors.DataError(
                "a shard has changed since it was written",
                expected=f"SHA-256 {shard['sha256'][:12]}…",
                received=f"{found[:12]}…",
                file=path / shard["file"],
            )
