"""Small random label tables, with and without images, and hostile names."""

import numpy as np
import pytest
from PIL import Image

from data_pipelines import labels

HOSTILE = (
    "<script>alert(1)</script>",
    "<b>bold</b> & <i>it</i>",
    '"><img src=x onerror=alert(1)>',
    "\u202eturned\u202c round",
    "العربية",
    "日本語" * 20,
    "W" * 500,
    "2011",
    "%{x} {{ 7 * 7 }} $x^2$",
    "&lt;b&gt; &amp;",
    "</script><!--",
    "<a href='http://example.org/'>link</a>",
    "nul \0 half \ud800",
    "Trunk",
    "Trunk",
    "a\nb",
)


@pytest.fixture
def hostile():
    """Names that try to be more than names."""
    return HOSTILE


def make_random_table(seed=0, images=200, classes=12, groups=3, density=0.2, **changes):
    """Returns a label table of random labels, whose images do not exist."""
    generator = np.random.default_rng(seed)
    rarer = 1 + np.arange(classes) / 3
    stated = generator.random((images, classes)) < density / rarer
    fields = {
        "ids": np.array([f"image{number}" for number in range(images)]),
        "locations": np.array([f"/nowhere/{number}.png" for number in range(images)]),
        "labels": labels.SparseLabels.from_dense(stated),
        "vocabulary": labels.Vocabulary(
            [f"/m/{number:02d}" for number in range(classes)],
            [f"name {number}" for number in range(classes)],
        ),
        "group": generator.integers(0, groups, images).astype(np.int32),
        "group_names": tuple(f"group {number}" for number in range(groups)),
        "split": (generator.random(images) < 0.3).astype(np.int32),
        "split_names": ("train", "tuning"),
    }
    return labels.LabelTable(**(fields | changes))


@pytest.fixture
def random_table():
    """Returns a function that makes a label table of random labels, without images."""
    return make_random_table


@pytest.fixture(scope="module")
def picture_table(tmp_path_factory):
    """A table of 40 images: noise of three sizes, brighter by group; two are bad.

    "image1" is damaged, and the file of "image2" is not there.
    """
    folder = tmp_path_factory.mktemp("pictures")
    table = make_random_table(images=40)
    generator = np.random.default_rng(1)
    paths = []
    for row, group in enumerate(table.group.tolist()):
        size = (20 + 50 * (row % 3), 30, 3)
        pixels = generator.integers(0, 60, size, dtype=np.uint8) + 70 * group
        path = folder / f"{row}.{'png' if row % 2 else 'jpg'}"
        if row != 2:
            Image.fromarray(pixels.astype(np.uint8)).save(path)
        paths.append(str(path))
    whole = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(whole[: len(whole) // 2])
    return make_random_table(images=40, locations=np.array(paths))
