"""Flags of a source say what its library says by default, and reach it when typed."""

import dataclasses
import json
import subprocess
import sys

import pytest

from data_pipelines.sources import class_folders, fashion_products, table, tfds

_SCRIPT = """
import dataclasses, json, sys
from absl import flags
from absl.testing import flagsaver
from data_pipelines import errors
from flags import data_flags
data_flags.define()
found = {}
for name, typed in json.loads(sys.argv[1]).items():
    with flagsaver.flagsaver():
        flags.FLAGS(["x", *typed])
        try:
            found[name] = dataclasses.asdict(data_flags.config_from_flags())
        except errors.SettingError as error:
            found[name] = str(error)
found["tensorflow"] = "tensorflow" in sys.modules
print(json.dumps(found))
"""
_LIBRARIES = {
    "table": table.TableConfig,
    "fashion_products": fashion_products.FashionProductsConfig,
    "class_folders": class_folders.ClassFoldersConfig,
    "tfds": tfds.TfdsConfig,
}
_TYPED = {
    "a table": (
        "--dataset=table", "--tables=train:a.csv", "--tables=test:b.csv",
        "--confidence_columns=c,d", "--absent_columns=e", "--unlisted=unknown",
        "--text_column=t", "--missing_images=drop", "--band_columns=w=i:1|2",
    ),
    "products": (
        "--dataset=fashion_products", "--data_dir=d", "--types=rest",
        "--malformed=skip", "--levels=subCategory", "--group_column=usage",
        "--unseen_types=keep",
    ),
    "products in one group": ("--dataset=fashion_products", "--group_column="),
    "lists": (
        "--dataset=class_folders",
        "--list_files=train:TrainImages.txt,test:TestImages.txt",
    ),
    "folders by group": ("--dataset=class_folders", "--group_column=region"),
    "open images": (
        "--dataset=tfds", "--tfds_name=open_images_v4", "--tfds_labels=objects/label",
        "--tfds_confidence=objects/confidence", "--tfds_confidence_scale=10",
        "--unlisted=unknown", "--tfds_splits=train:train,test:test[:50%]",
    ),
    "a set by column": ("--dataset=tfds", "--group_column=region"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(root):
    """What the flags above make, all in one fresh process."""
    typed = {name: [f"--dataset={name}"] for name in _LIBRARIES} | _TYPED
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(typed)],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "library"), _LIBRARIES.items())
def test_flags_nobody_typed_are_the_librarys_defaults(made, name, library):
    assert made[name] == json.loads(json.dumps(dataclasses.asdict(library())))


def test_flags_become_a_configuration_without_tensorflow(made):
    assert not made["tensorflow"]


def test_typed_flags_of_a_table_reach_it(made):
    found = made["a table"]
    assert found["tables"] == ["train:a.csv", "test:b.csv"]
    assert found["confidence_columns"] == ["c", "d"]
    assert found["absent_columns"] == ["e"]
    assert found["unlisted"] == "unknown"
    assert found["text_column"] == "t"
    assert found["missing_images"] == "drop"
    assert found["band_columns"] == ["w=i:1|2"]


def test_typed_flags_of_fashion_products_reach_it(made):
    found = made["products"]
    assert found["types"] == "rest"
    assert found["malformed"] == "skip"
    assert found["levels"] == ["subCategory"]
    assert found["group_column"] == "usage"
    assert found["unseen_labels"] == "keep"
    assert made["products in one group"]["group_column"] == ""


def test_typed_flags_of_class_folders_reach_it_and_a_group_is_refused(made):
    assert made["lists"]["list_files"] == [
        "train:TrainImages.txt", "test:TestImages.txt",
    ]  # fmt: skip
    assert "A folder of classes has no columns" in made["folders by group"]


def test_typed_flags_of_a_tfds_set_reach_it(made):
    found = made["open images"]
    assert found["labels"] == ["objects/label"]
    assert found["confidence_scale"] == 10.0
    assert found["unlisted"] == "unknown"
    assert found["splits"] == ["train:train", "test:test[:50%]"]
    assert not found["download"]
    assert "--tfds_group in place of" in made["a set by column"]
