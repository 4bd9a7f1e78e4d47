"""Every image is encoded once or named as faulty, whatever stops the work."""

import os
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import errors, formats, labels, storage
from data_pipelines.preparing import encoding, local, pixels, staging

CONFIG = encoding.EncodingConfig(short_side=16, encoding="png", max_pixels=1_000_000)


def table_of(paths, images=storage.FILES):
    count = len(paths)
    return labels.LabelTable(
        ids=np.array([f"id{row}" for row in range(count)]),
        locations=np.array([str(path) for path in paths]),
        labels=labels.SparseLabels.from_lists([[0]] * count, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(count, np.int32),
        group_names=("g",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
        storage=images,
    )


@pytest.fixture
def paths(tmp_path):
    """Files good and bad by name, in the order of `REASONS` and then the good."""
    raw = tmp_path / "raw"
    raw.mkdir()
    picture = Image.effect_noise((40, 30), 60).convert("RGB")
    for name in ("a.jpg", "b.png", "née.gif"):
        picture.save(raw / name)
    (raw / "empty.jpg").write_bytes(b"")
    (raw / "page.jpg").write_bytes(b"<!DOCTYPE html><html>Not found</html>")
    (raw / "short.jpg").write_bytes((raw / "a.jpg").read_bytes()[:-300])
    Image.new("L", (1001, 1000)).save(raw / "large.png")
    return [raw / name for name in (*REASONS, "a.jpg", "b.png", "née.gif")]


REASONS = {
    "empty.jpg": "the file is empty",
    "page.jpg": "a web page or other markup",
    "short.jpg": "the JPEG is damaged or truncated",
    "large.png": "too large or empty. Expected: 1 to 1000000 pixels",
    "missing.jpg": "there is no such file",
}


def stage(table, folder, config=CONFIG):
    keys, _ = encoding.keys(table, config)
    return keys, local.stage(table, keys, config, folder)


def test_good_images_are_staged_and_bad_ones_named(paths, tmp_path):
    table = table_of(paths)
    keys, count = stage(table, tmp_path / "staging")
    assert count == len(paths)
    with staging.Staged(tmp_path / "staging") as staged:
        faults = local.faults(table, keys, staged)
        assert [fault.row for fault in faults] == list(range(len(REASONS)))
        for fault, (name, reason) in zip(faults, REASONS.items(), strict=True):
            assert fault.path.endswith(name)
            assert reason in fault.reason
        for key, path in list(zip(keys, paths, strict=True))[len(REASONS) :]:
            wanted = pixels.encode(tf.io.read_file(str(path)), CONFIG).numpy()
            assert staged.read(key) == wanted


def test_what_is_staged_is_not_encoded_again_and_what_changed_is(
    paths, tmp_path, monkeypatch
):
    folder = tmp_path / "staging"
    table = table_of(paths)
    stage(table, folder)

    def never(*_):
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(pixels, "encode", never)
        assert stage(table.take([7, 0, 3]), folder)[1] == 0
    Image.new("RGB", (8, 8), "red").save(paths[0], "PNG")
    keys, count = stage(table, folder)
    assert count == 1
    with staging.Staged(folder) as staged:
        assert not staged.is_fault(keys[:1]).any()


def test_rows_of_one_file_share_its_encoded_form(paths, tmp_path):
    table = table_of([paths[-1], paths[-2], paths[-1]])
    keys, count = stage(table, tmp_path / "staging")
    assert count == 2
    assert keys[0] == keys[2]


def test_an_image_too_long_for_its_encoding_is_a_fault_in_words(tmp_path):
    Image.new("L", (70_000, 1)).save(tmp_path / "strip.png")
    table = table_of([tmp_path / "strip.png"])
    config = encoding.EncodingConfig()
    keys, _ = stage(table, tmp_path / "staging", config)
    with staging.Staged(tmp_path / "staging") as staged:
        (fault,) = local.faults(table, keys, staged)
    assert fault.reason.startswith("a side is too long for jpeg. Expected: at most 65")


def test_images_that_were_not_encoded_are_no_result(paths, tmp_path):
    table = table_of(paths)
    keys, _ = encoding.keys(table, CONFIG)
    with (
        staging.Staged(tmp_path) as staged,
        pytest.raises(errors.DataError, match="8 images have not been encoded"),
    ):
        local.faults(table, keys, staged)


def test_a_bar_counts_the_images(paths, tmp_path, capsys):
    table = table_of(paths[-3:])
    keys, _ = encoding.keys(table, CONFIG)
    local.stage(table.take([0]), keys[:1], CONFIG, tmp_path / "staging")
    local.stage(table, keys, CONFIG, tmp_path / "staging", progress=True)
    assert "3/3" in capsys.readouterr().err


PROGRAM = """
import os, sys, time, zlib
import tensorflow as tf
from data_pipelines.preparing import encoding, local, on_beam, pixels
sys.path[:0] = sys.argv[1:2]
import test_local

encode, encode_into = pixels.encode, local.encode_into
log = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def note(data):
    os.write(log, b"%d\\n" % zlib.crc32(data))
    return data

def noted(data, config):
    same = tf.numpy_function(note, [encode(data, config)], tf.string)
    return tf.ensure_shape(same, ())

def slow(*arguments):
    # what is encoded meanwhile would wait here
    for row in encode_into(*arguments):
        time.sleep(0.03)
        yield row

pixels.encode, local.encode_into = noted, slow
table = test_local.table_of(open(sys.argv[2]).read().split())
config = encoding.EncodingConfig(64)
keys, _ = encoding.keys(table, config)
if sys.argv[5] == "beam":
    chunk = [(k.tobytes(), os.fsencode(p)) for k, p in zip(keys, table.locations)]
    on_beam.encode_chunk(chunk, sys.argv[3], config)
else:
    local.stage(table, keys, config, sys.argv[3])
"""


@pytest.fixture
def different(tmp_path):
    """Paths of 200 JPEGs, no two alike, each a few milliseconds' work."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (400, 500, 3), dtype=np.uint8)
    paths = [tmp_path / f"{number}.jpg" for number in range(200)]
    for path in paths:
        pixels[:100, :100] = generator.integers(0, 255, 3)
        Image.fromarray(pixels).save(path)
    return paths


@pytest.mark.parametrize(("way", "kills"), [("here", 3), ("beam", 1)])
def test_a_killed_process_has_lost_no_image_that_it_had_encoded(
    different, tmp_path, root, way, kills
):
    """Killed at odd moments; what it encoded and what is staged differ by the threads.

    Each encoding is noted before the image is appended, and whoever takes the results
    is slow, so that anything finished which waits in memory would be missing.
    """
    (tmp_path / "list").write_text("\n".join(map(str, different)))
    folder, log = tmp_path / "staging", tmp_path / "log"
    staged, moments = set(), np.random.default_rng()
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, os.path.dirname(__file__),
             tmp_path / "list", folder, log, way],
            cwd=root,
        )  # fmt: skip
        wanted = len(staged) + moments.integers(5, 40)
        while len(_sums(folder)) < wanted:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        now = _sums(folder)
        assert len(now) == len(set(now)) < len(different)
        encoded = {int(line) for line in log.read_text().split()}
        log.unlink()
        assert not encoded & staged
        assert set(now) - staged <= encoded
        assert len(encoded - set(now)) <= local.threads()
        staged = set(now)
    table = table_of(different)
    keys, count = stage(table, folder, encoding.EncodingConfig(64))
    assert count == len(different) - len(staged)
    in_parts = [staging._scan(path)["key"] for path in folder.glob("*.part")]
    assert len(in_parts) == kills + 1
    assert sorted(np.concatenate(in_parts).tolist()) == sorted(keys.tolist())


def _sums(folder):
    """Returns the CRC-32 of each image that is staged."""
    parts = [staging._scan(path)["crc"] for path in folder.glob("*.part")]
    return [int(each) for part in parts for each in part]


def test_a_disk_that_is_full_stops_the_work_with_its_error(
    paths, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging.os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        stage(table_of(paths[-3:]), tmp_path / "staging")


def test_every_awkward_image_is_stored_rightly_or_named(real_data, tmp_path):
    if not (real_data / "awkward_images.tar").exists():
        pytest.skip("awkward_images.tar is not there; see INCLUSIVE_TF_DATA")
    with tarfile.open(real_data / "awkward_images.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    paths = sorted((tmp_path / "awkward_images" / "files").iterdir())
    table = table_of(paths)
    config = encoding.EncodingConfig(short_side=0, encoding="png")
    keys, _ = stage(table, tmp_path / "staging", config)
    decode = tf.function(lambda data: formats.decode(data, config.max_pixels))
    with staging.Staged(tmp_path / "staging") as staged:
        bad = {fault.row: fault for fault in local.faults(table, keys, staged)}
        for row, path in enumerate(paths):
            if row in bad:
                assert path.name in bad[row].path
                assert len(bad[row].reason) > 10
                continue
            raw = decode(tf.io.read_file(str(path)))
            stored = decode(tf.constant(staged.read(keys[row])))
            np.testing.assert_allclose(stored, raw, atol=0.5)
    assert len(paths) == 65
    assert len(bad) == 14
