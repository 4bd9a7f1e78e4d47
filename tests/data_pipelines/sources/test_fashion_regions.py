"""The default data: induced in the open, and no photograph used twice."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipelines import errors
from data_pipelines.sources import fashion_mnist, fashion_regions


@pytest.fixture(scope="module")
def config(fashion_mnist_folder, tmp_path_factory):
    return fashion_regions.FashionRegionsConfig(
        largest=200, ratio=20.0, tuning=60, stage=90,
        data_dir=str(fashion_mnist_folder),
        cache_dir=str(tmp_path_factory.mktemp("cache")),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(config):
    return fashion_regions.read_with_notes(config)


def test_no_photograph_stands_in_two_images(made):
    table, _ = made
    photographs = np.concatenate(
        [table.columns["left_photo"], table.columns["right_photo"]]
    )
    photographs = photographs[photographs != ""]
    assert len(set(photographs)) == len(photographs)


def test_splits_come_from_their_regions(made):
    table, _ = made
    for split in table.split_names:
        groups = {n for n, c in table.select_split(split).group_counts().items() if c}
        region = "source" if split in ("train", "validation") else "target"
        assert groups == {f"{region}/studio", f"{region}/street"}
    assert len(table.select_split("tuning")) == 60
    assert (
        len(table.select_split("stage_1")) == len(table.select_split("stage_2")) == 90
    )


def test_labels_are_the_garments_and_their_families(made):
    table, _ = made
    names = table.vocabulary.names
    for row in range(len(table)):
        garments = {table.columns["left"][row], table.columns["right"][row]} - {""}
        expected = garments | {fashion_regions.FAMILIES[name] for name in garments}
        shown = np.flatnonzero(table.labels.multi_hot()[row])
        assert {names[label] for label in shown} == expected


def test_the_half_without_a_garment_is_dark_in_a_source_studio(made):
    table, _ = made
    studio = table.group_names.index("source/studio")
    rows = np.flatnonzero((table.group == studio) & (table.columns["left"] == ""))
    assert len(rows)
    for row in rows[:20]:
        pixels = np.asarray(Image.open(table.locations[row]))
        assert pixels.shape == (28, 56)
        assert pixels[:, :28].max() == 0
        assert pixels[:, 28:].max() > 0


def test_the_target_look_is_dimmer(made):
    table, _ = made

    def brightest(group):
        rows = np.flatnonzero(table.group == table.group_names.index(group))[:50]
        return np.mean([np.asarray(Image.open(table.locations[r])).max() for r in rows])

    assert brightest("target/studio") < 0.85 * brightest("source/studio")


def test_training_has_the_tail_and_the_notes_say_that_it_is_induced(made):
    table, notes = made
    garments = [
        name for name in table.vocabulary.ids if name in fashion_regions.FAMILIES
    ]
    counts = dict(
        zip(table.vocabulary.ids, table.select_split("train").labels.counts(),
            strict=True)
    )  # fmt: skip
    shown = sorted(counts[name] for name in garments)
    assert shown[-1] / shown[0] > 12
    assert "INDUCED" in notes[0]


def test_the_same_seed_makes_the_same_files_and_another_does_not(
    config, made, tmp_path
):
    import dataclasses

    folder = fashion_regions.prepare(config)
    again = dataclasses.replace(config, cache_dir=str(tmp_path))
    other = dataclasses.replace(again, seed=1)
    same = fashion_regions.prepare(again)
    assert (folder / "labels.csv").read_bytes() == (same / "labels.csv").read_bytes()
    first = sorted((folder / "images").iterdir())[7].name
    pictures = [(place / "images" / first).read_bytes() for place in (folder, same)]
    assert pictures[0] == pictures[1]
    made_other = fashion_regions.prepare(other)
    assert (folder / "labels.csv").read_bytes() != (
        made_other / "labels.csv"
    ).read_bytes()
    stored = json.loads((folder / "made_from.json").read_text())
    assert stored["config"]["seed"] == 0


def test_too_few_photographs_are_refused(config, tmp_path):
    import dataclasses

    greedy = dataclasses.replace(config, largest=7000, cache_dir=str(tmp_path))
    with pytest.raises(errors.DataError, match="too few photographs"):
        fashion_regions.prepare(greedy)
    assert not list(tmp_path.glob("*/labels.csv"))


@pytest.mark.parametrize(
    "damage", ["missing", "short", "stub", "other magic", "label 12"]
)
def test_a_damaged_file_of_fashion_mnist_is_named(
    fashion_mnist_folder, tmp_path, damage
):
    import shutil

    for path in fashion_mnist_folder.iterdir():
        if path.stat().st_size < 10**6:
            shutil.copy(path, tmp_path)
        else:
            (tmp_path / path.name).symlink_to(path)
    victim = tmp_path / "t10k-labels-idx1-ubyte"
    data = bytearray(victim.read_bytes())
    victim.unlink()
    if damage == "short":
        victim.write_bytes(data[:-1])
    elif damage == "stub":
        victim.write_bytes(data[:3])
    elif damage == "other magic":
        victim.write_bytes(b"\0\0\x08\x03" + data[4:])
    elif damage == "label 12":
        data[-1] = 12
        victim.write_bytes(data)
    with pytest.raises(errors.DataError) as caught:
        fashion_mnist.read_folder(tmp_path)
    said = {"missing": "t10k-labels-idx1-ubyte", "label 12": "class is out of range"}
    assert said.get(damage, "t10k-labels-idx1-ubyte: not the Fashion-MNIST") in str(
        caught.value
    )


def test_gzipped_files_are_read_too(fashion_mnist_folder, tmp_path):
    import gzip

    for path in fashion_mnist_folder.iterdir():
        with gzip.open(tmp_path / f"{path.name}.gz", "wb", compresslevel=1) as file:
            file.write(path.read_bytes())
    plain = fashion_mnist.read_folder(fashion_mnist_folder)
    packed = fashion_mnist.read_folder(tmp_path)
    np.testing.assert_array_equal(plain[0], packed[0])
    np.testing.assert_array_equal(plain[1], packed[1])


def test_when_nothing_can_be_had_all_four_places_are_named(tmp_path, monkeypatch):
    # an empty PATH has no apt-get, and an absent module no TFDS: as on a bare machine
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_datasets", None)
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDER", tmp_path / "usr")
    with pytest.raises(errors.DataError) as caught:
        fashion_mnist.load(cache_dir=tmp_path / "cache")
    for place in ("--data_dir", "apt-get install", "apt-get download", "tfds"):
        assert place in str(caught.value)


def test_a_folder_that_is_named_is_the_only_one_tried(tmp_path):
    with pytest.raises(errors.DataError, match="train-images-idx3-ubyte"):
        fashion_mnist.load(data_dir=str(tmp_path))
