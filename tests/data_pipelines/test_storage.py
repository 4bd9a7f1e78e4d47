"""Bytes of images by storage; `test_tfds` and the tests of preparing have the rest."""

import numpy as np

from data_pipelines import storage


def test_no_files_are_no_records():
    assert list(storage.FILES.records(np.array([], dtype=str))) == []


def test_files_come_in_the_order_asked_for(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    locations = np.array([f"{tmp_path}/{name}" for name in ("b", "a", "b")])
    found = storage.FILES.records(locations).as_numpy_iterator()
    assert list(found) == [b"b", b"a", b"b"]
