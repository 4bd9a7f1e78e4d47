"""A prepared data set holds the raw one's labels and pixels, and says what it is."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from data_pipelines import (
    augmentation,
    batches,
    errors,
    formats,
    images,
    label_files,
    labels,
    storage,
)
from data_pipelines.preparing import encoding, folder, job, local, pixels, staging
from data_pipelines.resampling import policies
from data_pipelines.sources import prepared
from data_pipelines.sources import tfds as tfds_source
from data_pipelines.tfds_builders import base, shards

# TFDS 4.9.10 asks protobuf 6 for a label when it reads a data set's description
pytestmark = pytest.mark.filterwarnings(r"ignore:label\(\) is deprecated")

PNG = encoding.EncodingConfig(short_side=0, encoding="png")
IMAGE = images.ImageConfig(12, 14)


@pytest.fixture(scope="module")
def made(raw_table, tmp_path_factory):
    """The raw table, prepared as PNG of unchanged size; nothing may be changed."""
    patch = pytest.MonkeyPatch()
    # several shards a split
    patch.setattr(shards, "SHARD_BYTES", 4000)
    output = tmp_path_factory.mktemp("prepared")
    done = job.prepare("table", raw_table, PNG, output, facts={"boxes": {"a": 1}})
    patch.undo()
    return done


@pytest.fixture
def copy(made, tmp_path):
    """A copy of it that a test may damage."""
    return shutil.copytree(made.path, tmp_path / "copy")


def encoded(table, folder):
    """Returns the bytes that each row of a table is encoded to."""
    keys, _ = encoding.keys(table, PNG)
    local.stage(table, keys, PNG, folder)
    with staging.Staged(folder) as staged:
        return [staged.read(key) for key in keys]


def read(path, vocabulary=None, **settings):
    config = prepared.PreparedConfig(data_dir=str(path), **settings)
    return prepared.read_with_notes(config, vocabulary)[0]


def test_it_says_what_came_out(made, raw_table):
    assert (made.images, made.encoded, made.quarantined) == (24, 24, 0)
    assert made.shards > 3
    assert made.path.parts[-3:] == ("table", "full_png", "1.0.0")
    sizes = [images_bytes(path) for path in raw_table.locations]
    assert made.bytes_before == sum(sizes)
    assert not (made.path.parents[2] / ".staging").exists()


def images_bytes(path):
    with open(path, "rb") as file:
        return len(file.read())


def test_the_label_table_comes_back_whole(made, raw_table):
    found = read(made.path)
    for name in ("ids", "group", "split", "cluster", "text"):
        np.testing.assert_array_equal(getattr(found, name), getattr(raw_table, name))
    for unlisted in (True, False):
        np.testing.assert_array_equal(
            found.labels.targets(unlisted), raw_table.labels.targets(unlisted)
        )
    assert found.vocabulary == raw_table.vocabulary
    assert found.split_names == raw_table.split_names
    assert found.unlisted_is_absent is False
    np.testing.assert_array_equal(found.columns["half"], raw_table.columns["half"])
    assert not found.storage.faults(found.locations, None)
    assert prepared.facts(prepared.PreparedConfig(str(made.path))) == {
        "boxes": {"a": 1}
    }


def test_evaluation_sees_the_pixels_of_the_raw_set_to_the_bit(made, raw_table):
    for split in raw_table.split_names:
        pairs = zip(
            batches.evaluation_batches(raw_table.select_split(split), IMAGE, 5),
            batches.evaluation_batches(read(made.path).select_split(split), IMAGE, 5),
            strict=True,
        )
        for raw, stored in pairs:
            for name in raw:
                np.testing.assert_array_equal(stored[name], raw[name])


@pytest.mark.parametrize(
    ("carrier", "keep_bytes"), [("indexed", 0), ("indexed", 2**30), ("streaming", 0)]
)
def test_training_sees_the_batches_of_the_raw_set_to_the_bit(
    made, raw_table, carrier, keep_bytes
):
    config = batches.PipelineConfig(
        IMAGE, augmentation.AugmentationConfig(mirror=0.5, shift=0.1, noise=0.1),
        batch_size=4, carrier=carrier, shuffle_buffer=8, keep_bytes=keep_bytes, seed=3,
    )  # fmt: skip
    streams = []
    for table in (raw_table, read(made.path)):
        train = table.select_split("train")
        rates = policies.rates(train, "class_aware", 16)
        streams.append(batches.training_batches(train, rates, config, epochs=2))
    for raw, stored in zip(*(stream.take(6) for stream in streams), strict=True):
        for name in raw:
            np.testing.assert_array_equal(stored[name], raw[name])


def test_a_tfds_set_without_random_access_gets_it_by_being_prepared(
    raw_table, tmp_path
):
    config = base.PreparedBuilderConfig(
        name="plain", short_side=0, encoding="png", table=raw_table
    )
    builder = base.builder_class("table", config)(
        data_dir=tmp_path / "tfds", file_format="tfrecord"
    )
    builder.download_and_prepare()
    streamed, _ = tfds_source.read_with_notes(
        tfds_source.TfdsConfig(
            name="table/plain:1.0.0", data_dir=str(tmp_path / "tfds"),
            labels=("labels",), confidence="confidences", group="group", id="id",
        )
    )  # fmt: skip
    with pytest.raises(errors.SettingError, match="no random access"):
        streamed.storage.read(None, streamed.locations)
    done = job.prepare("tfds", streamed, PNG, tmp_path / "out")
    pairs = zip(
        batches.evaluation_batches(streamed, IMAGE, 5),
        batches.evaluation_batches(read(done.path), IMAGE, 5),
        strict=True,
    )
    for raw, stored in pairs:
        for name in raw:
            np.testing.assert_array_equal(stored[name], raw[name])
    # only what is missing is taken from the stream
    rows = np.array([3, 4, 11, 20])
    for row, data in zip(
        rows, encoded(streamed.take(rows), tmp_path / "again"), strict=True
    ):
        raw = raw_table.locations[np.argmax(raw_table.ids == streamed.ids[row])]
        np.testing.assert_array_equal(
            formats.decode(data, PNG.max_pixels), np.asarray(Image.open(raw))
        )


def test_draws_out_of_order_bring_each_its_own_image(made, raw_table):
    found = read(made.path)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(24), 3))
    data = list(found.take(order).storage.records(found.locations[order]))
    assert len(data) == 72
    for row, stored in zip(order, data, strict=True):
        wanted = np.asarray(Image.open(raw_table.locations[row]))
        np.testing.assert_array_equal(formats.decode(stored, PNG.max_pixels), wanted)


def test_several_prepared_sets_live_in_one_process(made, raw_table, tmp_path):
    small = encoding.EncodingConfig(short_side=6, encoding="png")
    other = job.prepare("table", raw_table.take(np.arange(5)), small, tmp_path)
    pairs = zip(
        batches.evaluation_batches(read(made.path), IMAGE, 5),
        batches.evaluation_batches(read(other.path), IMAGE, 5),
        strict=False,
    )
    for whole, shrunk in pairs:
        assert (whole["image"].numpy() != shrunk["image"].numpy()).any()


def test_record_i_of_a_split_is_row_i_for_readers_of_tfds(made, raw_table):
    builder = tfds.builder_from_directory(made.path)
    undecoded = {"image": tfds.decode.SkipDecoding()}
    for split in raw_table.split_names:
        rows = raw_table.select_split(split)
        stored = builder.as_data_source(split, decoders=undecoded)
        assert len(stored) == len(rows)
        for row, example in enumerate(stored):
            assert example["id"].decode() == rows.ids[row]
            assert example["text"].decode() == rows.text[row]
            assert example["group"] == rows.group[row]
            one = rows.labels.take([row])
            np.testing.assert_array_equal(example["labels"], one.index)
            np.testing.assert_array_equal(example["confidences"], one.confidence)
    assert builder.info.features["labels"].feature.names == ["/m/1", "/m/2", "/m/3"]
    assert builder.info.features["group"].names == ["north", "south"]


def test_a_model_reads_it_in_its_own_vocabulary_and_refuses_other_labels(made):
    stored = read(made.path)
    own = labels.Vocabulary(("/m/3", "/m/9", "/m/1", "/m/2"))
    found = read(made.path, own)
    assert found.vocabulary is own
    np.testing.assert_array_equal(
        found.labels.targets(False)[:, [2, 3, 0]], stored.labels.targets(False)
    )
    with pytest.raises(errors.DataError, match=r"does not know a label\. .*/m/2"):
        read(made.path, labels.Vocabulary(("/m/3", "/m/1")))


def test_that_a_label_is_absent_which_a_model_does_not_know_is_left_out(
    raw_table, tmp_path
):
    stated = raw_table.labels
    absent = np.where(stated.index == 1, 0.0, stated.confidence).astype(np.float32)
    table = dataclasses.replace(
        raw_table, labels=dataclasses.replace(stated, confidence=absent)
    )
    done = job.prepare("table", table, PNG, tmp_path)
    config = prepared.PreparedConfig(str(done.path))
    own = labels.Vocabulary(("/m/3", "/m/1"))
    found, notes = prepared.read_with_notes(config, own)
    whole, _ = prepared.read_with_notes(config)
    np.testing.assert_array_equal(
        found.labels.targets(False), whole.labels.targets(False)[:, [2, 0]]
    )
    lost = np.count_nonzero(whole.labels.index == 1)
    assert lost > 0
    assert f"{lost} statements of absence, of labels not learnt, were left out" in notes


def test_a_share_of_the_clusters_is_held_out(raw_table, tmp_path):
    table = dataclasses.replace(raw_table, split=raw_table.split * 0)
    done = job.prepare("table", table, PNG, tmp_path)
    found = read(done.path, validation_fraction=0.25, seed=1)
    counts = found.split_counts()
    assert counts["validation"] == 6
    assert counts["train"] == 18
    sides = [set(found.select_split(name).cluster) for name in ("train", "validation")]
    assert not sides[0] & sides[1]
    again = read(done.path, validation_fraction=0.25, seed=1)
    np.testing.assert_array_equal(found.split, again.split)
    # the images went with their rows
    split = found.select_split("validation")
    np.testing.assert_array_equal(
        next(iter(batches.evaluation_batches(split, IMAGE, 6)))["image"],
        next(iter(batches.evaluation_batches(
            table.take(np.isin(table.ids, split.ids)), IMAGE, 6)))["image"],
    )  # fmt: skip


def test_a_share_is_not_held_out_beside_a_validation_split(made):
    with pytest.raises(errors.DataError, match="yet there is a split 'validation'"):
        read(made.path, validation_fraction=0.1)


def test_prepared_again_it_is_reused_and_other_labels_are_refused(made, raw_table):
    output = made.path.parents[2]
    again = job.prepare("table", raw_table, PNG, output)
    assert (again.reused, again.path, again.encoded) == (True, made.path, 0)
    other = dataclasses.replace(raw_table, group=1 - raw_table.group)
    with pytest.raises(errors.DataError, match="prepared from other files or labels"):
        job.prepare("table", other, PNG, output)


def test_stopped_while_shards_are_written_it_goes_on_without_encoding(
    raw_table, tmp_path, monkeypatch
):
    examples = shards.Content.examples

    def stop(self, rows):
        yield from list(examples(self, rows))[:2]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shards.Content, "examples", stop)
        with pytest.raises(KeyboardInterrupt):
            job.prepare("table", raw_table, PNG, tmp_path)
    # a killed process cannot tidy up
    (tmp_path / "table" / "full_png" / "1.0.0.incompleteX").mkdir()

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(pixels, "encode", never)
    done = job.prepare("table", raw_table, PNG, tmp_path)
    assert (done.encoded, done.images) == (0, 24)
    assert [path.name for path in done.path.parent.iterdir()] == ["1.0.0"]


def test_unreadable_images_are_left_out_and_named_and_too_many_are_refused(
    raw_table, tmp_path
):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    locations = raw_table.locations.copy().astype(object)
    locations[3] = str(bad)
    table = dataclasses.replace(raw_table, locations=locations.astype(str))
    with pytest.raises(errors.DataError, match=r"too many images .*quarantine\.csv"):
        job.prepare("table", table, PNG, tmp_path, max_bad_fraction=0)
    assert "not an image of a known form" in (
        tmp_path / ".staging" / "quarantine.csv"
    ).read_text("utf-8")
    done = job.prepare("table", table, PNG, tmp_path, max_bad_fraction=0.2)
    assert (done.encoded, done.images, done.quarantined) == (0, 23, 1)
    quarantine = (done.path / "quarantine.csv").read_text("utf-8").splitlines()
    assert quarantine[0] == "id,path,reason"
    assert quarantine[1].startswith(f"{table.ids[3]},{bad},")
    config = prepared.PreparedConfig(str(done.path))
    found, notes = prepared.read_with_notes(config)
    assert table.ids[3] not in found.ids
    assert notes[0].startswith("1 unreadable image(s) were left out")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"split_names": ("train", "a b", "c")}, "cannot have a split of this name"),
        ({"split_names": ("train", "ALL", "c")}, "cannot have a split of this name"),
        ({"group_names": ("a\nb", "c")}, "is one line of text"),
    ],
)
def test_names_that_tfds_cannot_write_are_refused(raw_table, tmp_path, change, said):
    table = dataclasses.replace(raw_table, **change)
    with pytest.raises(errors.DataError, match=said):
        job.prepare("table", table, PNG, tmp_path)


def test_a_prepared_set_is_not_prepared_again(made, tmp_path):
    with pytest.raises(errors.SettingError, match="Expected: the raw one"):
        job.prepare("prepared", read(made.path), PNG, tmp_path)


def test_a_set_is_found_from_above_and_two_are_one_too_many(made, raw_table, tmp_path):
    assert folder.find(made.path.parents[2]) == made.path
    shutil.copytree(made.path, tmp_path / "a" / "b")
    shutil.copytree(made.path, tmp_path / "c.incompleteX")
    assert folder.find(tmp_path) == tmp_path / "a" / "b"
    shutil.copytree(made.path, tmp_path / "d")
    with pytest.raises(errors.DataError, match=r"more than one .*Received: a/b, d"):
        folder.find(tmp_path)
    with pytest.raises(errors.DataError, match="there is no prepared data set"):
        folder.find(tmp_path / "nowhere")
    with pytest.raises(errors.DataError, match="--data_dir"):
        read("")


def test_a_missing_or_shortened_shard_is_named(copy):
    shard = sorted(copy.glob("*.array_record-*"))[1]
    data = shard.read_bytes()
    shard.write_bytes(data[:-1])
    with pytest.raises(errors.DataError, match=f"{shard.name}: a shard has changed"):
        read(copy)
    shard.unlink()
    with pytest.raises(errors.DataError, match=f"{shard.name}: a shard is missing"):
        read(copy)
    shard.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    read(copy)
    with pytest.raises(errors.DataError, match=f"{shard.name}: a shard has changed"):
        folder.check_shards(copy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "of another version. Expected: format 1"),
        ({"file_format": "tfrecord"}, "no random access. Expected: file_format array"),
        ({"shards": [{"file": "x"}]}, "cannot be read"),
        ({"shards": None}, "cannot be read"),
    ],
)
def test_a_description_that_does_not_serve_is_refused_with_the_file(copy, change, said):
    path = copy / "prepared.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(errors.DataError, match=rf"prepared\.json: .*{said}"):
        read(copy)


def test_a_tampered_label_table_is_named(copy):
    names = copy / "label_table" / "names.json"
    names.write_text(names.read_text().replace("cat", "cow"))
    with pytest.raises(errors.DataError, match=r"names\.json: the file has changed"):
        read(copy)


def test_a_label_table_of_another_set_is_refused(copy):
    table = label_files.load(copy / "label_table")
    label_files.save(copy / "label_table", table.take(np.arange(9)))
    with pytest.raises(errors.DataError, match="does not fit the shards"):
        read(copy)


@pytest.mark.parametrize("locations", [["0", "x"], ["24"], ["-1"]])
def test_a_location_that_is_no_record_is_refused(made, locations):
    records = read(made.path).storage
    with pytest.raises(errors.DataError, match="is not the number of a record"):
        records.records(np.array(locations))


def test_an_image_is_read_when_the_key_of_another_faults(made, raw_table, tmp_path):
    """What Records hands to an encoder are its bytes: preparing local rows again."""
    found = read(made.path)
    rows = np.array([2, 9])
    stored = encoded(found.take(rows), tmp_path)
    for row, data in zip(rows, stored, strict=True):
        wanted = np.asarray(Image.open(raw_table.locations[row]))
        np.testing.assert_array_equal(formats.decode(data, PNG.max_pixels), wanted)
    assert isinstance(found.storage, storage.Records)
