"""The report that is timed is whole, and beside it stand the pictures it shows."""

import io

import numpy as np
import pytest
from PIL import Image

from tools.benchmarks import report


@pytest.fixture(scope="module")
def made():
    return report.make(2, 8, 28, 1)


def test_each_error_has_its_image_six_maps_and_two_examples(made):
    described = report.describe(*made)
    found = list(report.pictures(described))
    assert len(found) == 2 * (1 + 6 + 2)
    assert len(set(found)) > 14
    for data, ready in zip(found, report.decoded(described), strict=True):
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == ready.size == (224, 64)
            np.testing.assert_array_equal(np.asarray(image), np.asarray(ready))


def test_encoding_alone_makes_the_files_of_the_report(made):
    described = report.describe(*made)
    size = sum(map(len, report.pictures(described)))
    assert report.encode(report.decoded(described)) == size


def test_both_ways_are_measured(made, tmp_path):
    seconds, drawing, of_pictures, of_page = report.measure(made, tmp_path, rounds=1)
    assert {way: len(taken) for way, taken in seconds.items()} == {
        report.OURS: 1, report.PNG: 1,
    }  # fmt: skip
    for whole, part in zip(seconds[report.OURS], drawing, strict=True):
        assert 0 < part < whole
    assert (tmp_path / "errors.html").stat().st_size == of_page
    assert of_pictures > 10_000
