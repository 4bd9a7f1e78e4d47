"""A label table comes back from its files, or a message says which changed."""

import json

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from data_pipelines import atomic, errors, label_files, labels, storage

WORDS = strategies.text(
    strategies.characters(codec=None, exclude_characters="\0"), max_size=6
)


@strategies.composite
def tables(draw):
    count = draw(strategies.integers(1, 6))
    classes = draw(strategies.integers(1, 4))
    confidence = draw(
        strategies.lists(
            strategies.lists(
                strategies.sampled_from([None, 0.0, 0.3, 1.0]),
                min_size=classes,
                max_size=classes,
            ),
            min_size=count,
            max_size=count,
        )
    )
    stated = [[(c, v) for c, v in enumerate(row) if v is not None]
              for row in confidence]  # fmt: skip
    flat = [entry for row in stated for entry in row]

    def words():
        return np.array(
            draw(strategies.lists(WORDS, min_size=count, max_size=count)), dtype=str
        )

    return labels.LabelTable(
        ids=np.array([f"{word}{row}" for row, word in enumerate(words())]),
        locations=words(),
        labels=labels.SparseLabels(
            np.cumsum([0, *map(len, stated)]),
            np.array([c for c, _ in flat], np.int32),
            np.array([v for _, v in flat], np.float32),
            classes,
        ),
        vocabulary=labels.Vocabulary([f"/m/{c}" for c in range(classes)],
                                     ["same"] * classes),
        group=np.arange(count, dtype=np.int32) % 2,
        group_names=("north", "south", "nobody"),
        split=np.zeros(count, np.int32),
        split_names=("train",),
        unlisted_is_absent=draw(strategies.booleans()),
        cluster=draw(strategies.sampled_from([None, np.arange(count, dtype=np.int32)])),
        text=draw(strategies.sampled_from([None, words()])),
        columns={"id": words()} if draw(strategies.booleans()) else {},
    )  # fmt: skip


def assert_same(found, table):
    for name in ("ids", "locations", "group", "split", "cluster", "text"):
        np.testing.assert_array_equal(getattr(found, name), getattr(table, name))
        if name == "text" and table.text is not None:
            assert found.text.dtype == object
        elif getattr(table, name) is not None:
            assert getattr(found, name).dtype.kind == getattr(table, name).dtype.kind
    for name in ("offsets", "index", "confidence"):
        mine, its = getattr(found.labels, name), getattr(table.labels, name)
        np.testing.assert_array_equal(mine, its)
        assert mine.dtype == its.dtype
    for name in ("vocabulary", "group_names", "split_names", "unlisted_is_absent"):
        assert getattr(found, name) == getattr(table, name)
    assert found.columns.keys() == table.columns.keys()
    for name, values in table.columns.items():
        np.testing.assert_array_equal(found.columns[name], values)


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(table=tables())
def test_a_table_comes_back_as_it_was(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files") / "table"
    label_files.save(folder, table)
    assert_same(label_files.load(folder), table)


def small():
    return labels.LabelTable(
        ids=np.array(["a", "b\udcff.jpg"]),
        locations=np.array(["0", "1"]),
        labels=labels.SparseLabels.from_lists([[0], []], 1),
        vocabulary=labels.Vocabulary(("cat",)),
        group=np.zeros(2, np.int32),
        group_names=("all",),
        split=np.zeros(2, np.int32),
        split_names=("train",),
    )


def test_an_id_that_is_no_text_survives_and_a_storage_is_told_again(tmp_path):
    label_files.save(tmp_path / "t", small())
    records = storage.Records(("x",), (2,), 10)
    found = label_files.load(tmp_path / "t", records)
    assert found.ids[1] == "b\udcff.jpg"
    assert found.storage is records


def test_a_second_save_replaces_the_first(tmp_path):
    label_files.save(tmp_path / "t", small())
    label_files.save(tmp_path / "t", small().take([1]))
    assert len(label_files.load(tmp_path / "t")) == 1


@pytest.mark.parametrize("name", ["labels.parquet", "names.json"])
def test_a_changed_or_missing_file_is_named(tmp_path, name):
    label_files.save(tmp_path / "t", small())
    path = tmp_path / "t" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(errors.DataError, match=f"{name}: the file has changed"):
        label_files.load(tmp_path / "t")
    path.unlink()
    with pytest.raises(errors.DataError, match=f"{name}: there is no such file"):
        label_files.load(tmp_path / "t")


def test_a_folder_without_sums_or_of_another_version_is_refused(tmp_path):
    with pytest.raises(errors.DataError, match="there is no stored label table"):
        label_files.load(tmp_path)
    label_files.save(tmp_path / "t", small())
    names = tmp_path / "t" / "names.json"
    content = json.loads(names.read_text())
    atomic.write_json(names, content | {"format": 99})
    sums = tmp_path / "t" / "sums.json"
    atomic.write_json(
        sums, json.loads(sums.read_text()) | {"names.json": atomic.sha256(names)}
    )
    with pytest.raises(errors.DataError, match=r"Expected: format 1\. Received: 99"):
        label_files.load(tmp_path / "t")
    sums.write_text("[]")
    with pytest.raises(errors.DataError, match="the sums of a label table"):
        label_files.load(tmp_path / "t")
