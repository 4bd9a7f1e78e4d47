"""A small raw table with confidences, clusters, text and an odd name, made once."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from data_pipelines import labels


@pytest.fixture(scope="session")
def raw_table(tmp_path_factory):
    """`labels.LabelTable` of 24 PNG files in three splits that are not in order."""
    folder = tmp_path_factory.mktemp("raw images")
    generator = np.random.default_rng(0)
    count = 24
    paths = []
    for number in range(count):
        pixels = generator.integers(0, 256, (*generator.integers(9, 30, 2), 3))
        paths.append(folder / f"{number:02d} née.png")
        Image.fromarray(pixels.astype(np.uint8)).save(paths[-1])
    confidence = generator.choice(np.float32([0, 0.25, 1]), (count, 3))
    table = labels.LabelTable(
        ids=np.array([path.name for path in paths]),
        locations=np.array([str(path) for path in paths]),
        labels=labels.SparseLabels.from_dense(confidence),
        vocabulary=labels.Vocabulary(("/m/1", "/m/2", "/m/3"), ("cat", "dog", "cat")),
        group=(np.arange(count) % 2).astype(np.int32),
        group_names=("north", "south"),
        split=(np.arange(count) * 7 % 3).astype(np.int32),
        split_names=("train", "validation", "stage_1"),
        unlisted_is_absent=False,
        cluster=(np.arange(count) // 2).astype(np.int32),
        text=np.array([f"text {number} ü" for number in range(count)]),
        columns={"half": np.array(["left", "right"] * (count // 2))},
    )
    # a label that is verified absent
    stated = table.labels
    changed = stated.confidence.copy()
    changed[0] = 0.0
    return dataclasses.replace(
        table, labels=dataclasses.replace(stated, confidence=changed)
    )
