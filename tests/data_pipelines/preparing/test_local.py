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
import sys
import numpy as np
sys.path[:0] = sys.argv[1:2]
import test_local
from data_pipelines.preparing import encoding, pixels
paths = open(sys.argv[2]).read().split()
test_local.stage(test_local.table_of(paths), sys.argv[3], encoding.EncodingConfig(64))
"""


def test_a_killed_process_loses_no_image_and_none_is_staged_twice(tmp_path, root):
    """Killed twice at work; the third finds what both have left."""
    pixels = np.random.default_rng(0).integers(0, 255, (700, 900, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "0.jpg")
    paths = [tmp_path / f"{number}.jpg" for number in range(240)]
    for path in paths[1:]:
        os.link(paths[0], path)
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    folder = tmp_path / "staging"
    counts = [0]
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, os.path.dirname(__file__),
             tmp_path / "list", folder],
            cwd=root,
        )  # fmt: skip
        while _staged(folder) < counts[-1] + 20:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        counts.append(_staged(folder))
    assert counts[-1] < len(paths)
    table = table_of(paths)
    keys, count = stage(table, folder, encoding.EncodingConfig(64))
    assert count == len(paths) - counts[-1]
    in_parts = [staging._scan(path)["key"] for path in sorted(folder.glob("*.part"))]
    assert len(in_parts) == 3
    together = np.concatenate(in_parts)
    assert sorted(together.tolist()) == sorted(keys.tolist())


def _staged(folder):
    with staging.Staged(folder) as staged:
        return len(staged)


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
