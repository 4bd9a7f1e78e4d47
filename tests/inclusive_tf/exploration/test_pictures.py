"""Images measured against Pillow and NumPy; those that cannot be read are named."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from inclusive_tf.exploration import config, figures, light, sheets

SMALL = config.ExplorationConfig(sample=40, sheets=3, sheet_images=4)
BAD = {"image1": "the PNG is damaged or truncated", "image2": "there is no such file"}


@pytest.fixture(scope="module")
def gathered(picture_table):
    """(figures, thumbnails) of all images."""
    return figures.gather(picture_table, SMALL)


@pytest.fixture(scope="module")
def found(gathered):
    return gathered[0]


def test_size_and_light_are_those_of_pillow(gathered, picture_table):
    _, thumbnails = gathered
    assert len(thumbnails) > 10
    for row, one in thumbnails.items():
        path = picture_table.locations[row]
        with Image.open(path) as image:
            luma = np.asarray(image, np.float64) @ [0.299, 0.587, 0.114] / 255
            assert (one.width, one.height) == image.size
            assert one.form == image.format
        assert one.brightness == pytest.approx(luma.mean(), abs=1e-4)
        assert one.contrast == pytest.approx(luma.std(), abs=1e-4)
        assert one.size == os.path.getsize(path)


def test_a_thumbnail_is_a_copy_of_the_same_shape_and_light(gathered, picture_table):
    for row, one in gathered[1].items():
        copy = Image.open(io.BytesIO(one.thumbnail))
        with Image.open(picture_table.locations[row]) as image:
            assert copy.size == image.size
        assert copy.format == ("PNG" if max(copy.size) <= 64 else "JPEG")
        assert one.thumbnail_type == f"image/{copy.format.lower()}"
        luma = np.asarray(copy, np.float64) @ [0.299, 0.587, 0.114] / 255
        assert luma.mean() == pytest.approx(one.brightness, abs=0.01)


def test_an_image_that_cannot_be_read_is_named_with_its_reason(gathered):
    found, thumbnails = gathered
    unreadable = found["pictures"]["unreadable"]
    assert {one["id"]: one["reason"] for one in unreadable} == BAD
    assert (found["pictures"]["read"], found["pictures"]["asked"]) == (38, 40)
    shown = [
        image
        for part in ("classes", "groups")
        for one in found["sheets"][part]
        for image in one["sheet"]
    ]
    for image in shown:
        assert image.get("fault") == BAD.get(image["id"])
        assert (image["row"] in thumbnails) == (image["id"] not in BAD)


def test_images_that_are_all_absent_leave_their_sections_out(random_table):
    found, thumbnails = figures.gather(random_table(images=4), SMALL)
    assert found["pictures"]["missing"].startswith(
        "none of 4 sampled images could be read, such as image0: there is no such file"
    )
    assert len(found["pictures"]["unreadable"]) == 4
    assert "images could be read" in found["sheets"]["missing"]
    assert thumbnails == {}


def test_the_sample_covers_every_group_and_split(found, picture_table):
    cells = found["pictures"]["cells"]
    assert sum(one["brightness"]["n"] for one in cells) == 38
    good = ~np.isin(picture_table.ids, list(BAD))
    for one in cells:
        inside = (
            picture_table.group == picture_table.group_names.index(one["group"])
        ) & (picture_table.split == picture_table.split_names.index(one["split"]))
        assert one["images"] == inside.sum()
        assert one["contrast"]["n"] == (inside & good).sum()
    middles = {one["group"]: one["brightness"]["p50"] for one in cells}
    assert middles["group 0"] < middles["group 1"] < middles["group 2"]
    assert found["pictures"]["forms"] == {"JPEG": 19, "PNG": 19}
    sizes = {(one["width"], one["height"]): one["images"]
             for one in found["pictures"]["sizes"]}  # fmt: skip
    assert sizes == {(30, 20): 14, (30, 70): 12, (30, 120): 12}


def test_percentiles_are_those_of_numpy(gathered, picture_table):
    light_of = {row: one.brightness for row, one in gathered[1].items()}
    cells = light._cells(picture_table, gathered[1])
    for cell in cells:
        values = [
            value for row, value in light_of.items()
            if picture_table.group_names[picture_table.group[row]] == cell["group"]
            and picture_table.split_names[picture_table.split[row]] == cell["split"]
        ]  # fmt: skip
        assert cell["brightness"]["n"] == len(values)
        assert cell["brightness"]["p75"] == pytest.approx(np.quantile(values, 0.75))


def test_sheets_show_images_of_their_label_and_group(found, picture_table):
    parts = found["sheets"]
    assert len(parts["classes"]) == 3
    hot = picture_table.labels.multi_hot()
    for one in parts["classes"]:
        label = picture_table.vocabulary.index()[one["id"]]
        assert len(one["sheet"]) == min(4, one["images"])
        for image in one["sheet"]:
            assert hot[image["row"], label]
            assert image["split"] == "train"
            assert one["name"] in image["labels"]
    for one in parts["groups"]:
        assert all(image["group"] == one["name"] for image in one["sheet"])
        assert len({image["row"] for image in one["sheet"]}) == 4


def test_the_same_seed_shows_the_same_images(random_table):
    table, rows = random_table(), np.arange(200)
    few = config.ExplorationConfig(sample=30, sheets=3, sheet_images=4)
    other = config.ExplorationConfig(sample=30, sheets=3, sheet_images=4, seed=1)
    first = sheets.rows_of(sheets.choose(table, rows, few))
    assert first.tolist() == sheets.rows_of(sheets.choose(table, rows, few)).tolist()
    assert first.tolist() != sheets.rows_of(sheets.choose(table, rows, other)).tolist()
    sample = light.choose(table, few)
    assert sample.tolist() == light.choose(table, few).tolist()
    assert sample.tolist() != light.choose(table, other).tolist()
