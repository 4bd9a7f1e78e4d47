"""Beam stages what this machine would, skips what is staged, and says what it lacks."""

import dataclasses
import sys

import numpy as np
import pytest
from PIL import Image

from data_pipelines import errors, labels, storage
from data_pipelines.preparing import encoding, local, on_beam, staging

CONFIG = encoding.EncodingConfig(short_side=8, encoding="png")


@pytest.fixture
def table(tmp_path):
    paths = []
    for number in range(7):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.effect_noise((20, 12 + number), 50).save(paths[-1])
    (tmp_path / "3.png").write_bytes(b"no picture")
    return labels.LabelTable(
        ids=np.array(paths),
        locations=np.array(paths),
        labels=labels.SparseLabels.from_lists([[0]] * 7, 1),
        vocabulary=labels.Vocabulary(("x",)),
        group=np.zeros(7, np.int32),
        group_names=("g",),
        split=np.zeros(7, np.int32),
        split_names=("train",),
    )


def payloads(folder, keys):
    with staging.Staged(folder) as staged:
        return [(staged.read(key), *staged.is_fault(np.array([key]))) for key in keys]


def test_the_direct_runner_stages_what_this_machine_does(table, tmp_path, monkeypatch):
    monkeypatch.setattr(on_beam, "CHUNK", 3)
    keys, _ = encoding.keys(table, CONFIG)
    beam, here = tmp_path / "beam", tmp_path / "here"
    # two are there already
    local.stage(table.take([0, 5]), keys[[0, 5]], CONFIG, beam)
    count = on_beam.stage(table, keys, CONFIG, beam, "DirectRunner")
    assert count == 5
    assert len(list(beam.glob("beam-*.part"))) == 2
    local.stage(table, keys, CONFIG, here)
    assert payloads(beam, keys) == payloads(here, keys)
    assert [fault for _, fault in payloads(beam, keys)] == [
        row == 3 for row in range(7)
    ]
    assert on_beam.stage(table, keys, CONFIG, beam, "DirectRunner") == 0


def test_a_chunk_tried_again_goes_on_behind_what_it_finds(table, tmp_path):
    keys, _ = encoding.keys(table, CONFIG)
    chunk = [
        (key.tobytes(), path.encode())
        for key, path in zip(keys, table.locations.tolist(), strict=True)
    ]
    assert on_beam.encode_chunk(chunk, tmp_path, CONFIG) == 7
    (first,) = tmp_path.glob("*.part")
    # as a worker leaves it that was killed while it wrote its fourth image
    first.write_bytes(first.read_bytes()[: staging._scan(first)["offset"][3] + 9])
    whole = staging._scan(first)["key"].tolist()
    assert len(whole) == 3
    assert on_beam.encode_chunk(chunk, tmp_path, CONFIG) == 4
    (again,) = set(tmp_path.glob("*.part")) - {first}
    assert set(staging._scan(again)["key"].tolist()) == set(keys.tolist()) - set(whole)
    assert on_beam.encode_chunk(chunk, tmp_path, CONFIG) == 0
    assert len(list(tmp_path.glob("*.part"))) == 2


def test_an_unknown_runner_and_images_that_are_no_files_are_refused(table, tmp_path):
    keys, _ = encoding.keys(table, CONFIG)
    with pytest.raises(errors.SettingError, match=r"no such runner\. Received: Nobody"):
        on_beam.stage(table, keys, CONFIG, tmp_path, "Nobody")
    records = storage.Records(("x",), (7,), 10)
    with pytest.raises(errors.SettingError, match="Beam encodes image files"):
        on_beam.stage(
            dataclasses.replace(table, storage=records), keys, CONFIG, tmp_path,
            "DirectRunner",
        )  # fmt: skip


def test_without_beam_the_extra_is_named(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[beam\]"):
        on_beam.stage(table, np.zeros(7, np.uint64), CONFIG, tmp_path, "DirectRunner")
