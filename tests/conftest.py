"""What all tests share: quiet TensorFlow, small data made here, real data's place."""

import os
import pathlib

import hypothesis
import numpy as np
import pytest
from PIL import Image

from tools import tensorflow_start

# before a test imports it
tensorflow_start.prepare()

# the same examples in every run; `make soak` draws new ones
hypothesis.settings.register_profile("suite", derandomize=True)
hypothesis.settings.register_profile("soak", max_examples=2000, print_blob=True)
hypothesis.settings.load_profile("suite")

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    """The project's root, from which scripts run."""
    return ROOT


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data; skips where there is none."""
    folder = pathlib.Path(
        os.environ.get("INCLUSIVE_TF_DATA", ROOT.parent / "shared" / "data")
    )
    if not folder.is_dir():
        pytest.skip("no real data: set INCLUSIVE_TF_DATA to its folder")
    return folder


def write_idx(path, array):
    """Writes an IDX file of unsigned bytes."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    header = np.array([magic, *array.shape], ">u4").tobytes()
    path.write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="session")
def fashion_mnist_folder(tmp_path_factory):
    """Files of Fashion-MNIST's form: every class is a block at a place of its own."""
    folder = tmp_path_factory.mktemp("fashion_mnist")
    generator = np.random.default_rng(0)
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        classes = np.arange(count) % 10
        images = np.zeros((count, 28, 28), np.uint8)
        for label in range(10):
            top, left = 5 * (label // 5) + 4, 5 * (label % 5) + 1
            images[classes == label, top : top + 8, left : left + 5] = 200
        # a photograph that stood twice would be left out
        images[:, 24:, :] = generator.integers(0, 60, (count, 4, 28))
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", classes)
    return folder


@pytest.fixture
def make_table(tmp_path):
    """Returns a function that writes small images and a table of them.

    A "red" image is red at its left half, a "blue" one blue at its right half, so that
    a model can learn them and a map can be checked.
    """

    def make(rows, header="path,labels,group,split", name="labels.csv", size=(16, 16)):
        (tmp_path / "images").mkdir(exist_ok=True)
        for row in rows:
            path, labels = row[0], row[1]
            target = tmp_path / path
            if target.suffix == ".png" and target.parent.is_dir():
                target.write_bytes(_picture(labels, path, size))
        text = "\n".join([header, *(",".join(row) for row in rows)]) + "\n"
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return make


def _picture(labels, name, size):
    import io

    seed = sum(name.encode())
    pixels = np.random.default_rng(seed).integers(0, 40, (*size, 3), dtype=np.uint8)
    half = size[1] // 2
    if "red" in labels:
        pixels[:, :half, 0] += 180
    if "blue" in labels:
        pixels[:, half:, 2] += 180
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def colour_rows():
    """Returns a function that makes table rows: mostly red, few blue, some both."""

    def make(train=48, other=12):
        rows = []
        for split, count in (("train", train), ("validation", other),
                             ("tuning", other), ("stage", other)):  # fmt: skip
            for number in range(count):
                labels = ("red", "red", "red|blue", "blue", "red", "red")[number % 6]
                group = "north" if number % 4 else "south"
                rows.append((f"images/{split}{number}.png", labels, group, split))
        return rows

    return make
