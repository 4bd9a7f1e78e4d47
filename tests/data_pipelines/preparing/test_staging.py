"""What was staged is found again after any end, and nothing that is not whole is."""

import os
from concurrent import futures

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from data_pipelines import errors
from data_pipelines.preparing import staging

RECORDS = strategies.lists(
    strategies.tuples(
        strategies.integers(0, 2**64 - 1),
        strategies.sampled_from([staging.IMAGE, staging.FAULT]),
        strategies.binary(max_size=40),
    ),
    max_size=8,
    unique_by=lambda record: record[0],
)


def keys(*values):
    return np.array(values, np.uint64)


@hypothesis.settings(deadline=None)
@hypothesis.given(records=RECORDS, cut=strategies.integers(0, 400))
def test_a_torn_part_gives_back_its_whole_records_and_no_other(
    records, cut, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("staging")
    with staging.Part(folder, "local") as part:
        for record in records:
            part.append(*record)
    (path,) = folder.glob("*.part")
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    whole, end = [], 0
    for record in records:
        end += len(staging.record(*record))
        if end <= cut:
            whole.append(record)
    with staging.Staged(folder) as staged:
        assert len(staged) == len(whole)
        for key, kind, payload in whole:
            assert staged.read(np.uint64(key)) == payload
            assert staged.is_fault(keys(key)).tolist() == [kind == staging.FAULT]
            assert staged.sizes(keys(key)).tolist() == [len(payload)]
        lost = [record[0] for record in records if record not in whole]
        assert not staged.has(keys(*lost)).any()


def test_each_process_writes_a_part_of_its_own_and_all_are_found(tmp_path):
    for number in range(3):
        with staging.Part(tmp_path, "local") as part:
            part.append(number, staging.IMAGE, bytes([number]))
    with staging.Part(tmp_path, "beam-x") as part:
        part.append(9, staging.FAULT, b"why")
    assert len(list(tmp_path.glob("*.part"))) == 4
    with staging.Staged(tmp_path) as staged:
        assert staged.has(keys(2, 5, 9, 0)).tolist() == [True, False, True, True]
        assert [staged.read(key) for key in keys(2, 0, 9)] == [b"\2", b"\0", b"why"]
        assert staged.is_fault(keys(9, 1)).tolist() == [True, False]
    with staging.Staged(tmp_path, "beam-x") as staged:
        assert staged.has(keys(2, 9)).tolist() == [False, True]


def test_what_is_appended_outlives_a_part_that_is_never_closed(tmp_path):
    part = staging.Part(tmp_path, "local")
    part.append(7, staging.IMAGE, b"seven")
    with staging.Staged(tmp_path) as staged:
        assert staged.read(np.uint64(7)) == b"seven"
    part.__exit__()


def test_threads_that_append_at_once_leave_whole_records(tmp_path):
    payloads = [bytes([number]) * (1 + 97 * number) for number in range(200)]
    with (
        staging.Part(tmp_path, "local") as part,
        futures.ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda n: part.append(n, staging.IMAGE, payloads[n]), range(200)))
    with staging.Staged(tmp_path) as staged:
        assert [staged.read(np.uint64(n)) for n in range(200)] == payloads


def test_a_disk_that_is_full_in_the_midst_costs_no_other_record(tmp_path, monkeypatch):
    write = os.write
    with staging.Part(tmp_path, "local") as part:
        part.append(1, staging.IMAGE, b"first")
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", lambda file, data: write(file, data[:20]))
            with pytest.raises(OSError, match=r"local-000000.part: 20 of 21 bytes"):
                part.append(2, staging.IMAGE, b"torn")
        part.append(3, staging.IMAGE, b"third")
    with staging.Staged(tmp_path) as staged:
        assert staged.has(keys(1, 2, 3)).tolist() == [True, False, True]
        assert staged.read(np.uint64(3)) == b"third"


def test_a_closed_part_takes_nothing_more(tmp_path):
    with staging.Part(tmp_path, "local") as part:
        pass
    with pytest.raises(OSError, match="closed"):
        part.append(1, staging.IMAGE, b"late")


def test_more_parts_than_may_be_open_are_read(tmp_path):
    for number in range(staging._OPEN_FILES + 20):
        with staging.Part(tmp_path, "local") as part:
            part.append(number, staging.IMAGE, b"%d" % number)
    with staging.Staged(tmp_path) as staged:
        for _ in range(2):
            for number in range(staging._OPEN_FILES + 20):
                assert staged.read(np.uint64(number)) == b"%d" % number


def test_a_byte_that_changed_on_the_disk_is_refused_with_the_file(tmp_path):
    with staging.Part(tmp_path, "local") as part:
        part.append(1, staging.IMAGE, b"first")
        part.append(2, staging.IMAGE, b"second")
    (path,) = tmp_path.glob("*.part")
    path.write_bytes(path.read_bytes().replace(b"first", b"fierce"[:5]))
    with (
        staging.Staged(tmp_path) as staged,
        pytest.raises(errors.DataError, match=rf"{path.name}: a staged image is dam"),
    ):
        staged.read(np.uint64(1))


def test_nothing_staged_is_nothing_found(tmp_path):
    with staging.Staged(tmp_path / "none") as staged:
        assert len(staged) == 0
        assert staged.has(keys(1)).tolist() == [False]
        with pytest.raises(KeyError):
            staged.read(np.uint64(1))


def test_a_second_process_is_refused_while_the_first_is_at_work(tmp_path):
    with (
        staging.alone(tmp_path),
        pytest.raises(errors.DataError, match="another process is preparing here"),
        staging.alone(tmp_path),
    ):
        pass
    with staging.alone(tmp_path):
        pass
