"""A label table as files: Parquet for its rows, JSON for its names, sums for both.

    FOLDER/labels.parquet    a row an image: id, location, label indices, confidences,
                             group, split, and cluster, text, further columns if any
    FOLDER/names.json        vocabulary, names of groups and splits, what unlisted means
    FOLDER/sums.json         SHA-256 of the other two

A string that is no UTF-8, such as an oddly named file, makes its column binary.
"""

import io
import pathlib

import numpy as np

from data_pipelines import atomic, errors, labels, storage, stored_files

FORMAT = 1
"""Version of the files; another is refused."""

_ROWS, _NAMES, _SUMS = "labels.parquet", "names.json", "sums.json"
_ANY = "surrogatepass"
_COLUMN = "column."


def save(folder, table):
    """Writes the files of a label table; a folder of that name is replaced whole.

    What the table's storage is made of is not written; `load` is told again.

    Args:
        folder: path.
        table: `labels.LabelTable`.
    """
    with atomic.folder(folder) as temporary:
        (temporary / _ROWS).write_bytes(_rows_as_parquet(table))
        atomic.write_json(temporary / _NAMES, _names(table))
        sums = {name: atomic.sha256(temporary / name) for name in (_ROWS, _NAMES)}
        atomic.write_json(temporary / _SUMS, sums)


def load(folder, images=storage.FILES):
    """Reads what `save` wrote.

    Args:
        folder: path.
        images: the storage that knows how to read the locations.

    Returns:
        `labels.LabelTable`.

    Raises:
        errors.DataError: a file is missing, changed since, or of another version.
    """
    import pyarrow.parquet as pq

    folder = pathlib.Path(folder)
    _require_sums(folder)
    with stored_files.reading(
        folder, "the label table cannot be read", "what was written with its sums"
    ):
        names = stored_files.read_json(folder / _NAMES)
        if names.get("format") != FORMAT:
            raise errors.DataError(
                "the label table is of another version",
                expected=f"format {FORMAT}",
                received=names.get("format"),
                file=folder / _NAMES,
            )
        table = _table(names, pq.read_table(folder / _ROWS), images)
        table.labels.check()
        labels.check_positions("group", table.group, len(table.group_names))
        labels.check_positions("split", table.split, len(table.split_names))
        return table


def _table(names, rows, images):
    vocabulary = labels.Vocabulary(names["label_ids"], names["label_names"])
    return labels.LabelTable(
        ids=_strings(rows["id"]),
        locations=_strings(rows["location"]),
        labels=_sparse_labels(rows, len(vocabulary)),
        vocabulary=vocabulary,
        group=rows["group"].to_numpy(),
        group_names=tuple(names["group_names"]),
        split=rows["split"].to_numpy(),
        split_names=tuple(names["split_names"]),
        unlisted_is_absent=names["unlisted_is_absent"],
        cluster=rows["cluster"].to_numpy() if "cluster" in rows.column_names else None,
        text=_texts(rows["text"]) if "text" in rows.column_names else None,
        storage=images,
        columns={
            name.removeprefix(_COLUMN): _texts(rows[name])
            for name in rows.column_names
            if name.startswith(_COLUMN)
        },
    )


def _names(table):
    return {
        "format": FORMAT,
        "label_ids": list(table.vocabulary.ids),
        "label_names": list(table.vocabulary.names),
        "group_names": [str(name) for name in table.group_names],
        "split_names": [str(name) for name in table.split_names],
        "unlisted_is_absent": bool(table.unlisted_is_absent),
    }


def _rows_as_parquet(table):
    import pyarrow as pa
    import pyarrow.parquet as pq

    offsets = pa.array(table.labels.offsets, pa.int64())
    columns = {
        "id": _text_array(table.ids),
        "location": _text_array(table.locations),
        "labels": pa.LargeListArray.from_arrays(
            offsets, pa.array(table.labels.index, pa.int32())
        ),
        "confidences": pa.LargeListArray.from_arrays(
            offsets, pa.array(table.labels.confidence, pa.float32())
        ),
        "group": pa.array(table.group, pa.int32()),
        "split": pa.array(table.split, pa.int32()),
    }
    if table.cluster is not None:
        columns["cluster"] = pa.array(table.cluster, pa.int32())
    if table.text is not None:
        columns["text"] = _text_array(table.text)
    for name, values in table.columns.items():
        columns[_COLUMN + name] = _text_array(values)
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _text_array(values):
    import pyarrow as pa

    try:
        return pa.array(values.tolist(), pa.large_string())
    except UnicodeEncodeError:
        # names of files may hold bytes that are no text, kept as surrogates
        return pa.array([value.encode("utf-8", _ANY) for value in values.tolist()])


def _texts(column):
    """Returns object [N] of str, each as long as it is."""
    values = column.to_pylist()
    if values and isinstance(values[0], bytes):
        values = [value.decode("utf-8", _ANY) for value in values]
    return np.array(values, object)


def _strings(column):
    return _texts(column).astype(str)


def _sparse_labels(rows, num_classes):
    index = rows["labels"].combine_chunks()
    confidence = rows["confidences"].combine_chunks()
    offsets = index.offsets.to_numpy()
    return labels.SparseLabels(
        (offsets - offsets[0]).astype(np.int64),
        index.flatten().to_numpy().astype(np.int32),
        confidence.flatten().to_numpy().astype(np.float32),
        num_classes,
    )


def _require_sums(folder):
    if not (folder / _SUMS).is_file():
        raise errors.DataError(
            "there is no stored label table",
            expected=f"{_ROWS}, {_NAMES} and {_SUMS}",
            file=folder,
        )
    with stored_files.reading(
        folder / _SUMS,
        "the sums of a label table cannot be read",
        f"JSON with the SHA-256 of {_ROWS} and {_NAMES}",
    ):
        sums = stored_files.read_json(folder / _SUMS)
        wanted = {name: str(sums[name]) for name in (_ROWS, _NAMES)}
    for name, sum_then in wanted.items():
        path = folder / name
        if not path.is_file():
            raise errors.DataError("there is no such file", file=path)
        sum_now = atomic.sha256(path)
        if sum_now != sum_then:
            raise errors.DataError(
                "the file has changed since it was written",
                expected=f"SHA-256 {sum_then[:12]}…",
                received=f"{sum_now[:12]}…",
                file=path,
            )
