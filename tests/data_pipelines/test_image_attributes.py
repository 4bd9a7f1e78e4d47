"""What is measured of pixels, and that it is what the eye sees."""

import numpy as np
import pytest
from PIL import Image

from data_pipelines import image_attributes, labels


def picture(colour, size=(20, 40)):
    return np.broadcast_to(np.array(colour, np.uint8), (*size, 3)).copy()


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"), ((128, 128, 128), "grey"), ((255, 255, 255), "white"),
        ((220, 20, 20), "red"), ((240, 140, 20), "orange"), ((230, 220, 30), "yellow"),
        ((30, 160, 40), "green"), ((20, 170, 160), "blue-green"),
        ((30, 60, 200), "blue"), ((130, 40, 200), "purple"), ((230, 60, 160), "pink"),
        ((220, 20, 40), "red"),
    ],
)  # fmt: skip
def test_colours_have_the_names_that_people_give(colour, name):
    assert image_attributes.COLOURS[
        image_attributes.measure_one(picture(colour))[1]
    ] == (name)


def test_a_tenth_of_colour_outweighs_a_plain_backdrop():
    image = picture((255, 255, 255))
    image[:, :3] = (220, 20, 20)
    assert image_attributes.COLOURS[image_attributes.measure_one(image)[1]] == "white"
    image[:, :4] = (220, 20, 20)
    assert image_attributes.COLOURS[image_attributes.measure_one(image)[1]] == "red"


def test_scale_is_the_share_of_the_box_around_what_is_shown():
    image = picture((10, 10, 10))
    image[5:15, 10:30] = 200
    values, _ = image_attributes.measure_one(image)
    assert values["scale"] == pytest.approx(10 * 20 / (20 * 40))
    assert values["brightness"] == pytest.approx(
        (200 * 200 + 600 * 10) / 800 / 255, abs=1e-6
    )


def test_noise_has_more_texture_than_a_shape_and_one_colour_none():
    noise = np.random.default_rng(0).integers(0, 256, (20, 40, 1), np.uint8)
    shape = picture((0, 0, 0))
    shape[5:15, 10:30] = 255
    found = [
        image_attributes.measure_one(image)[0]
        for image in (np.repeat(noise, 3, axis=2), shape, picture((9, 9, 9)))
    ]
    textures = [values["texture"] for values in found]
    assert textures[0] > 2 * textures[1] > 0 == textures[2]
    assert found[2]["contrast"] == pytest.approx(0, abs=1e-6)


def test_darker_is_less_bright_of_the_same_scale():
    image = picture((10, 10, 10))
    image[5:15, 10:30] = 200
    dark = (image * 0.7).astype(np.uint8)
    bright, dim = (image_attributes.measure_one(one)[0] for one in (image, dark))
    assert dim["brightness"] < bright["brightness"]
    assert dim["scale"] == bright["scale"]


def test_one_pixel_is_measured():
    values, colour = image_attributes.measure_one(picture((255, 0, 0), (1, 1)))
    assert image_attributes.COLOURS[colour] == "red"
    assert all(np.isfinite(value) for value in values.values())


def test_files_are_measured_in_order_and_unreadable_ones_are_said(tmp_path):
    colours = [(255, 0, 0), None, (0, 0, 255)]
    for row, colour in enumerate(colours):
        path = tmp_path / f"{row}.png"
        if colour is None:
            path.write_bytes(b"no image")
        else:
            Image.new("RGB", (9, 7), colour).save(path)
    paths = np.array([str(tmp_path / f"{row}.png") for row in range(3)])
    table = labels.LabelTable(
        ids=paths, locations=paths, labels=labels.SparseLabels.from_lists([[0]] * 3, 1),
        vocabulary=labels.Vocabulary(("x",)), group=np.zeros(3, np.int32),
        group_names=("",), split=np.zeros(3, np.int32), split_names=("train",),
    )  # fmt: skip
    found = image_attributes.measure(table)
    assert found.read.tolist() == [True, False, True]
    named = [image_attributes.COLOURS[colour] for colour in found.colour[found.read]]
    assert named == ["red", "blue"]
    assert np.isnan(found.values["brightness"]).tolist() == [False, True, False]
    assert len(found.take(found.read)) == 2
