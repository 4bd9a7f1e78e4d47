"""The benchmark of preparing times both ways on photographs that it makes."""

import os

import numpy as np
from PIL import Image

from data_pipelines.preparing import encoding
from tools.benchmarks import preparing


def test_photographs_have_the_size_and_the_file_size_of_photographs(tmp_path):
    paths = preparing.make_photographs(tmp_path, 2)
    for path in paths:
        with Image.open(path) as image:
            assert (image.size, image.format) == ((1024, 768), "JPEG")
    # of quality 87, photographs have about 1 to 3 bits a pixel
    bits = 8 * np.array([os.path.getsize(path) for path in paths]) / 1024 / 768
    assert ((bits > 0.5) & (bits < 4)).all()


def test_given_photographs_are_brought_to_size_as_they_lie_and_linked(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    Image.new("RGB", (30, 60), "teal").save(source / "upright.jpg")
    Image.new("RGB", (60, 30), "teal").save(source / "lying.jpg")
    (tmp_path / "out").mkdir()
    paths = preparing.make_photographs(tmp_path / "out", 5, source)
    sizes = []
    for path in paths:
        with Image.open(path) as image:
            sizes.append(image.size)
    assert sizes == [(1024, 768), (768, 1024)] * 2 + [(1024, 768)]


def test_both_ways_are_timed_and_make_the_same_images(tmp_path):
    for number in range(3):
        Image.effect_noise((80, 60), 50).convert("RGB").save(tmp_path / f"{number}.jpg")
    paths = sorted(str(path) for path in tmp_path.glob("*.jpg"))
    config = encoding.EncodingConfig(short_side=20)
    for found in preparing.measure(paths, config, rounds=1):
        assert set(found) == {preparing.OURS, preparing.ALONE}
        assert all(one > 0 for (one,) in found.values())
    # the shards hold no more than the images and little beside
    done = preparing.whole(preparing.table_of(paths), config)
    assert done.images == 3
    assert preparing.alone(paths, config) < done.bytes_after
