"""Files that others may have changed are read, or refused and closed."""

import os
import pathlib

import numpy as np
import pytest

from data_pipelines import errors, stored_files


def is_open(path):
    """Whether this process holds a file open."""
    targets = []
    for descriptor in os.listdir("/proc/self/fd"):
        link = pathlib.Path("/proc/self/fd") / descriptor
        if link.exists():
            targets.append(os.readlink(link))
    return str(path) in targets


@pytest.mark.parametrize("read", [stored_files.read_array, stored_files.read_archive])
def test_what_only_begins_like_an_archive_is_refused_and_closed(read, tmp_path):
    path = tmp_path / "array.npy"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    with (
        pytest.raises(errors.DataError, match="not arrays") as caught,
        stored_files.reading(path, "not arrays", "arrays"),
    ):
        read(path)
    assert not is_open(path)
    # until here the error lived, and with it what nobody had closed
    assert caught.value.__cause__ is not None


def test_an_array_whose_header_has_to_be_mended_is_refused(tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, np.zeros(3, np.float32))
    data = path.read_bytes()
    # as Python 2 wrote whole numbers, in as many bytes
    path.write_bytes(data.replace(b"(3,), ", b"(3L,),"))
    with (
        pytest.raises(errors.DataError, match=r"not arrays.*Python 2"),
        stored_files.reading(path, "not arrays", "arrays"),
    ):
        stored_files.read_array(path)
