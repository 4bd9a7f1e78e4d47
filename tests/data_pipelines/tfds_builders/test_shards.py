"""Examples are those that TFDS' own serialiser makes, and rows keep their order."""

import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from data_pipelines import labels
from data_pipelines.tfds_builders import base, shards


@pytest.mark.parametrize("texts", [None, ["", "Ein Käse\n"]], ids=["bare", "texts"])
def test_an_example_is_what_tfds_would_write(tmp_path, texts):
    table = labels.LabelTable(
        ids=np.array(["b.jpg", "ü\udcff.jpg"]),
        locations=np.array(["/b", "/u"]),
        labels=labels.SparseLabels.from_dense([[0, 0, 0], [0.25, 0, 1]]),
        vocabulary=labels.Vocabulary(("x", "y", "z")),
        group=np.array([1, 0], np.int32),
        group_names=("here", "there"),
        split=np.zeros(2, np.int32),
        split_names=("train",),
        text=None if texts is None else np.array(texts),
    )
    images = {7: tf.io.encode_png(np.zeros((2, 3, 3), np.uint8)).numpy(), 8: b"any"}
    told = []
    content = shards.Content(
        table,
        np.array([8, 7], np.uint64),
        types.SimpleNamespace(read=lambda key: images[int(key)]),
        types.SimpleNamespace(update=told.append),
    )
    config = base.PreparedBuilderConfig(name="png", encoding="png", table=table)
    builder = base.builder_class("table", config)(data_dir=str(tmp_path))
    builder._name_classes(table)
    features = builder.info.features
    serializer = tfds.core.example_serializer.ExampleSerializer(
        features.get_serialized_info()
    )
    rows, found = zip(*content.examples(np.array([1, 0])), strict=True)
    assert rows == (1, 0)
    assert told == [1, 1]
    for row, serialised in zip(rows, found, strict=True):
        entries = slice(*table.labels.offsets[row : row + 2])
        plain = {
            "image": images[int(content.keys[row])],
            "id": table.ids[row].encode("utf-8", "surrogateescape"),
            "labels": table.labels.index[entries].tolist(),
            "confidences": table.labels.confidence[entries],
            "group": int(table.group[row]),
            "text": "" if texts is None else texts[row],
        }
        theirs = serializer.serialize_example(features.encode_example(plain))
        assert tf.train.Example.FromString(serialised) == tf.train.Example.FromString(
            theirs
        )
