"""Every builder passes TFDS' own tests on small files of its source's layout."""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_pipelines.sources import prepared
from data_pipelines.tfds_builders.class_folders import class_folders_dataset_builder
from data_pipelines.tfds_builders.fashion_products import (
    fashion_products_dataset_builder,
)
from data_pipelines.tfds_builders.inclusive_images import (
    inclusive_images_dataset_builder,
)
from data_pipelines.tfds_builders.open_images import open_images_dataset_builder
from data_pipelines.tfds_builders.table import table_dataset_builder

pytestmark = [
    # TFDS 4.9.10 asks protobuf 6 for a label when it reads a data set's description
    pytest.mark.filterwarnings(r"ignore:label\(\) is deprecated"),
]


def picture(path):
    """Writes an image of its own at `path`, of the form that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(str(path.name).encode()) * 31 + sum(str(path.parent.name).encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def make_table(folder):
    rows = ["path,labels,group,split"]
    for number in range(6):
        picture(folder / f"images/{number}.png")
        split = "train" if number < 4 else "test"
        rows.append(f"images/{number}.png,{'cat|dog' if number % 2 else ''},g,{split}")
    rows[1] = rows[1].replace(",,", ",cat,")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def make_class_folders(folder):
    for split, count in (("train", 3), ("test", 2)):
        for label in ("kitchen", "living room"):
            for number in range(count):
                picture(folder / split / label / f"{split}{number}.jpg")


def make_fashion_products(folder):
    rows = ["id,gender,masterCategory,subCategory,articleType,baseColour,season,year,"
            "usage,productDisplayName"]  # fmt: skip
    for number in range(6):
        year = 2012 + (number > 3)
        rows.append(f"{number},Men,Apparel,Topwear,{'Shirts' if number % 2 else 'Tops'}"
                    f",Blue,Fall,{year},Casual,Shirt, number {number}")  # fmt: skip
        picture(folder / "images" / f"{number}.jpg")
    (folder / "styles.csv").write_text("\n".join(rows) + "\n")


def train_id(number):
    return f"{number:016x}"


def make_inclusive_images(folder):
    codes = ("/m/01g317", "/m/05s2s")
    (folder / "classes-trainable.csv").write_text(
        "label_code\n" + "\n".join(codes) + "\n"
    )
    (folder / "class-descriptions.csv").write_text(
        f"label_code,description\n{codes[0]},Person\n{codes[1]},Plant\n"
    )
    head = "ImageID,Source,LabelName,Confidence"
    human = [f"{train_id(n)},verification,{codes[n % 2]},1" for n in range(4)]
    (folder / "train_human_labels.csv").write_text("\n".join([head, *human]) + "\n")
    machine = [f"{train_id(n)},machine,{codes[1 - n % 2]},0.7" for n in range(4)]
    (folder / "train_machine_labels.csv").write_text("\n".join([head, *machine]) + "\n")
    more = ",XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    (folder / "train_bounding_boxes.csv").write_text(
        f"{head}{more}\n{train_id(0)},xclick,{codes[0]},1,0.1,0.5,0.2,0.9,0,0,0,0,0\n"
    )
    test = [f"{number:024x}" for number in range(2)]
    (folder / "tuning_labels.csv").write_text(
        "".join(f"{name},{codes[0]} {codes[1]}\n" for name in test)
    )
    for number in range(4):
        picture(folder / "train" / f"{train_id(number)}.jpg")
    for name in test:
        picture(folder / "stage_1_test_images" / f"{name}.jpg")


def make_open_images(folder):
    head = "ImageID,Source,LabelName,Confidence"
    (folder / "class-descriptions.csv").write_text("/m/a,Cat\n/m/b,Dog\n")
    for split, first, count in (("train", 0, 4), ("validation", 10, 2)):
        rows = [f"{train_id(first + n)},verification,/m/{'ab'[n % 2]},{n % 3 and 1}"
                for n in range(count)]  # fmt: skip
        rows.append(f"{train_id(first)},verification,/m/b,1")
        (folder / f"{split}-annotations-human-imagelabels.csv").write_text(
            "\n".join([head, *rows]) + "\n"
        )
        for number in range(count):
            picture(folder / split / f"{train_id(first + number)}.jpg")


class _WithFiles:
    """Makes the files of `MAKE` for a test case of TFDS."""

    MAKE = None

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.EXAMPLE_DIR = cls._folder.name
        cls.MAKE(pathlib.Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls._folder.cleanup()

    def _make_builder(self, config=None):
        # ArrayRecord, the builders' default, has no `as_dataset`
        return self.dataset_class(
            data_dir=self.tmp_dir, config=config, file_format="tfrecord"
        )


class TableTest(_WithFiles, tfds.testing.DatasetBuilderTestCase):
    MAKE = staticmethod(make_table)
    DATASET_CLASS = table_dataset_builder.Builder
    SPLITS = {"train": 4, "test": 2}  # noqa: RUF012


class ClassFoldersTest(_WithFiles, tfds.testing.DatasetBuilderTestCase):
    MAKE = staticmethod(make_class_folders)
    DATASET_CLASS = class_folders_dataset_builder.Builder
    SPLITS = {"train": 6, "test": 4}  # noqa: RUF012


class FashionProductsTest(_WithFiles, tfds.testing.DatasetBuilderTestCase):
    MAKE = staticmethod(make_fashion_products)
    DATASET_CLASS = fashion_products_dataset_builder.Builder
    SPLITS = {"train": 4, "test": 2}  # noqa: RUF012


class InclusiveImagesTest(_WithFiles, tfds.testing.DatasetBuilderTestCase):
    MAKE = staticmethod(make_inclusive_images)
    DATASET_CLASS = inclusive_images_dataset_builder.Builder
    SPLITS = {"train": 4, "tuning": 2}  # noqa: RUF012


class OpenImagesTest(_WithFiles, tfds.testing.DatasetBuilderTestCase):
    MAKE = staticmethod(make_open_images)
    DATASET_CLASS = open_images_dataset_builder.Builder
    SPLITS = {"train": 4, "validation": 2}  # noqa: RUF012


@pytest.mark.parametrize(
    ("builder", "make"),
    [
        (class_folders_dataset_builder.Builder, make_class_folders),
        (open_images_dataset_builder.Builder, make_open_images),
    ],
)
def test_what_a_builder_makes_is_a_prepared_data_set(builder, make, tmp_path):
    (tmp_path / "raw").mkdir()
    make(tmp_path / "raw")
    made = builder(data_dir=tmp_path / "out")
    made.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=tmp_path / "raw")
    )
    read, _ = prepared.read_with_notes(prepared.PreparedConfig(str(tmp_path / "out")))
    raw, _ = made.read_source(tmp_path / "raw")
    assert read.ids.tolist() == raw.ids.tolist()
    np.testing.assert_array_equal(read.labels.targets(False), raw.labels.targets(False))
    assert read.unlisted_is_absent == raw.unlisted_is_absent
    assert not (tmp_path / "out" / ".staging").exists()


def test_tfds_build_makes_a_set_from_a_folder_as_a_user_calls_it(tmp_path, root):
    pytest.importorskip("mlcroissant", reason="the command tfds imports mlcroissant")
    (tmp_path / "raw").mkdir()
    make_table(tmp_path / "raw")
    (tmp_path / "raw" / "labels.csv").rename(tmp_path / "raw" / "mine.csv")
    config = {"name": "tiny", "short_side": 8, "encoding": "png",
              "source": {"table": "mine.csv", "label_columns": ["labels"]}}  # fmt: skip
    finished = subprocess.run(
        [sys.executable, "-m", "tensorflow_datasets.scripts.cli.main", "build",
         root / "data_pipelines" / "tfds_builders" / "table",
         f"--manual_dir={tmp_path / 'raw'}", f"--data_dir={tmp_path / 'out'}",
         f"--config={json.dumps(config)}"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert (tmp_path / "out" / "table" / "tiny" / "1.0.0" / "prepared.json").is_file()
    read, _ = prepared.read_with_notes(prepared.PreparedConfig(str(tmp_path / "out")))
    assert read.split_counts() == {"train": 4, "test": 2}
    for data in read.storage.records(read.locations):
        stored = Image.open(io.BytesIO(data.numpy()))
        assert (stored.format, stored.size) == ("PNG", (11, 8))
