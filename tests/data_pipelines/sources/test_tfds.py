"""A TFDS set as it comes: its labels in one pass, its images in order or at random."""

import io
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import augmentation, batches, errors, images, labels, tfds_sets
from data_pipelines.sources import tfds as source

library = pytest.importorskip("tensorflow_datasets", reason="TFDS is not installed")
pytestmark = [
    # of protobuf 6, called by TFDS 4.9.10 when it reads dataset_info.json
    pytest.mark.filterwarnings(r"ignore:label\(\) is deprecated:DeprecationWarning"),
]

NAMES = ("/m/1", "/m/2", "/m/3")


def png(number):
    buffer = io.BytesIO()
    Image.fromarray(np.full((6, 8, 3), 20 * number, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def example(number):
    objects = [(0, 10), (1, 6), (2, 0)][: number % 4]
    if number == 7:
        objects = [(1, 6), (1, 10), (0, 3)]
    return {
        "image": io.BytesIO(b"no image" if number == 8 else png(number)),
        "pictures": [],
        "label": -1 if number == 6 else number % 2,
        "objects": [{"label": label, "tenths": tenths} for label, tenths in objects],
        "tags": [f"t{tag}" for tag in range(number % 3)],
        "pair": [number % 2, 1],
        "place": ("north", "süd")[number % 2],
        "name": f"photo {number}",
        "shade": number / 2,
        "number": 100 + number,
    }


def store(folder, file_format):
    f = library.features
    features = f.FeaturesDict({
        "image": f.Image(shape=(None, None, 3)),
        "pictures": f.Sequence(f.Image()),
        "label": f.ClassLabel(names=["cat", "dog"]),
        "objects": f.Sequence(
            {"label": f.ClassLabel(names=list(NAMES)), "tenths": np.int32}
        ),
        "tags": f.Sequence(f.Text()),
        "pair": f.Sequence(f.ClassLabel(names=["x", "y"]), length=2),
        "place": f.Text(),
        "name": f.Text(),
        "shade": np.float32,
        "number": np.int64,
    })  # fmt: skip
    library.dataset_builders.store_as_tfds_dataset(
        name="tiny",
        version="1.0.0",
        features=features,
        split_datasets={
            "train": [(number, example(number)) for number in range(8)],
            "test": [(number, example(number)) for number in range(8, 12)],
        },
        data_dir=folder,
        file_format=file_format,
        disable_shuffling=True,
    )
    return str(folder)


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def data_dir(request, tmp_path_factory):
    return store(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    return store(tmp_path_factory.mktemp("streamed"), "tfrecord")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    return store(tmp_path_factory.mktemp("indexed"), "array_record")


def read(data_dir, vocabulary=None, **settings):
    config = source.TfdsConfig(name="tiny", data_dir=data_dir, **settings)
    return source.read_with_notes(config, vocabulary)


def test_labels_splits_group_and_text_are_read_in_order(data_dir):
    found, notes = read(data_dir, group="place", text="name")
    assert found.vocabulary.ids == ("cat", "dog")
    assert found.split_counts() == {"train": 8, "test": 4}
    assert found.text.tolist() == [f"photo {number}" for number in range(12)]
    assert found.group_counts() == {"north": 6, "süd": 6}
    shown = found.labels.targets(True).argmax(1)
    present = np.flatnonzero(found.labels.multi_hot().any(1))
    # example 6 has -1, TFDS' way to withhold a label
    assert present.tolist() == [number for number in range(12) if number != 6]
    np.testing.assert_array_equal(shown[present], present % 2)
    assert found.ids[[0, 11]].tolist() == ["train/0", "test/3"]
    assert notes == []


def test_examples_without_a_label_are_dropped_and_counted(streamed):
    found, notes = read(streamed, unlabelled="drop")
    assert len(found) == 11
    assert notes == ["1 rows without a label were left out"]
    assert found.locations[6] == "0:7"


def test_tenths_become_confidences_and_the_largest_of_several_counts(data_dir):
    found, notes = read(
        data_dir, labels=("objects/label",), confidence="objects/tenths",
        confidence_scale=10, unlisted="unknown", unseen_labels="keep",
    )  # fmt: skip
    assert found.vocabulary.ids == ("/m/1", "/m/2")
    np.testing.assert_allclose(
        found.labels.targets(found.unlisted_is_absent)[[0, 1, 2, 3, 7]],
        [[-1, -1], [1, -1], [1, 0.6], [1, 0.6], [0.3, 1]],
        rtol=1e-6,
    )
    assert notes == [
        "1 labels were stated again by the same example; the largest confidence was "
        "kept",
        "2 statements of absence, of labels not learnt, were left out",
    ]


def test_texts_and_sequences_of_fixed_length_are_labels_too(data_dir):
    found, _ = read(data_dir, labels=("tags", "pair"))
    assert found.vocabulary.ids == ("t0", "t1", "x", "y")
    assert found.labels.multi_hot()[:3].astype(int).tolist() == [
        [0, 0, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1],
    ]  # fmt: skip


def test_ids_and_splits_are_those_of_the_map(data_dir):
    found, _ = read(data_dir, id="number", splits=("train:train[2:]", "new:test[:50%]"))
    assert found.ids.tolist() == [str(number) for number in range(102, 110)]
    assert found.split_counts() == {"train": 6, "new": 2}
    assert found.locations[-1] == "1:1"
    first = next(found.storage.records(found.locations[:1]).as_numpy_iterator())
    assert first == png(2)


def test_a_share_is_held_out_and_found_again(streamed):
    found, _ = read(streamed, validation_fraction=0.25)
    assert found.split_counts() == {"train": 6, "validation": 2, "test": 4}
    again, _ = read(streamed, found.vocabulary, validation_fraction=0.25)
    np.testing.assert_array_equal(found.split, again.split)


def test_records_come_as_they_were_stored_in_the_order_of_the_table(data_dir):
    found, _ = read(data_dir)
    chosen = found.take(np.array([1, 2, 5, 9, 11]))
    dataset = chosen.storage.records(chosen.locations)
    assert dataset.element_spec == tf.TensorSpec([], tf.string)
    assert list(dataset.as_numpy_iterator()) == [png(n) for n in (1, 2, 5, 9, 11)]
    everything = list(found.storage.records(found.locations).as_numpy_iterator())
    assert len(everything) == 12
    assert everything[8] == b"no image"
    assert not list(found.storage.records(found.locations[:0]))


def test_a_stream_is_not_asked_for_another_order(streamed, indexed):
    found, _ = read(streamed)
    with pytest.raises(errors.DataError, match="a stream of TFRecords has an order"):
        found.storage.records(found.locations[::-1])
    found, _ = read(indexed)
    backwards = found.storage.records(found.locations[2::-1])
    assert list(backwards.as_numpy_iterator()) == [png(2), png(1), png(0)]


def test_random_access_is_refused_for_tfrecords_with_the_way_out(streamed):
    found, _ = read(streamed)
    draws = tf.data.Dataset.range(3).map(lambda row: {"example": row})
    with pytest.raises(errors.SettingError, match=r"--carrier=streaming.*tfrecord"):
        found.storage.read(draws, found.locations)


def test_draws_are_read_at_random_with_what_they_carry(indexed):
    found, _ = read(indexed)
    chosen = np.random.default_rng(0).choice([*range(8), 9, 10, 11], 400)
    draws = tf.data.Dataset.from_tensor_slices(
        {"example": chosen, "copy": np.arange(400)}
    )
    drawn = list(found.storage.read(draws, found.locations).as_numpy_iterator())
    assert [draw["copy"] for draw in drawn] == list(range(400))
    assert [draw["data"] for draw in drawn] == [png(number) for number in chosen]


def test_batches_are_trained_on_from_random_access(indexed):
    found, _ = read(indexed, unlabelled="drop")
    train = found.select_split("train")
    config = batches.PipelineConfig(
        image=images.ImageConfig(height=6, width=8, channels=3),
        augment=augmentation.AugmentationConfig(mirror=0, shift=0),
        batch_size=7,
    )
    (batch,) = batches.training_batches(train, np.ones((1, len(train))), config, 1)
    shades = np.array([int(name[6:]) for name in train.ids]) * 20 / 255
    np.testing.assert_allclose(
        batch["image"][:, 0, 0, 0], shades[batch["example"].numpy()], atol=1e-6
    )
    np.testing.assert_array_equal(
        batch["target"], train.labels.targets(True)[batch["example"].numpy()]
    )


def test_what_cannot_be_decoded_is_named(streamed):
    found, _ = read(streamed)
    config = images.ImageConfig(height=6, width=8, channels=3)
    (fault,) = found.storage.faults(found.locations, config)
    assert (fault.row, fault.path) == (8, "tiny:1.0.0 1:0")


def test_an_iterator_over_a_stream_goes_on_where_it_was_saved(streamed, tmp_path):
    found, _ = read(streamed)
    iterator = iter(found.storage.records(found.locations))
    for _ in range(5):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "saved"))
    again = iter(found.storage.records(found.locations))
    tf.train.Checkpoint(iterator=again).read(path).assert_consumed()
    assert next(again).numpy() == png(5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"labels": ("tag",)}, "no feature 'tag'.*one of image, label, name"),
        ({"labels": ("objects/name",)}, "no feature 'objects/name'.*label, tenths"),
        (
            {"labels": ("objects",)},
            "'objects' is a group of.*objects/label, objects/ten",
        ),
        ({"labels": ("label/x",)}, "no feature 'label/x'"),
        ({"labels": ("shade",)}, "feature 'shade' says no labels"),
        ({"image": "label"}, "feature 'label' is not an image"),
        ({"image": "pictures"}, "feature 'pictures' is not an image.*a sequence of"),
        ({"group": "tags"}, "feature 'tags' is not one value an example"),
        ({"id": "place"}, "feature 'place' is no id: a value stands twice"),
        ({"splits": ("train:validation",)}, "has no such split.*train, test"),
        ({"splits": ("new:test",)}, "no row is in split 'train'"),
        ({"splits": ("train:train[:50%",)}, "cannot read a split.*slice of one"),
        ({"splits": ("train:train[:99]",)}, "cannot read a split.*8 examples"),
        ({"splits": ("train:train[50%:50%]",)}, "cannot read a split.*no example"),
        ({"splits": ("train:train", "test:train")}, "in two of the splits"),
        (
            {"splits": ("train:train[:75%]", "test:test", "new:train[5:]")},
            r"in two of the splits.*train\[:75%\] and train\[5:\]",
        ),
        ({"labels": ("name",)}, "split test, row 1: 4 label.*photo 8"),
        (
            {"labels": ("objects/label",), "confidence": "objects/tenths"},
            r"split train, row 2: 'objects/tenths' holds no confidence.*Received: 10",
        ),
        ({"confidence": "objects/tenths"}, "'objects/tenths' is not beside 'label'"),
        ({"confidence": "name"}, "feature 'name' holds no numbers"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(streamed, settings, said):
    with pytest.raises(errors.DataError, match=said):
        read(streamed, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"splits": ("train",)}, {"labels": ()}, {"confidence_scale": 0},
        {"unlisted": "maybe"}, {"labels": ("label", "tags"), "confidence": "number"},
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused(streamed, settings):
    with pytest.raises(errors.SettingError, match="Expected"):
        read(streamed, **settings)


def test_a_model_refuses_labels_that_it_does_not_know(streamed):
    with pytest.raises(
        errors.DataError, match=r"train, row 2: the model does not know"
    ):
        read(streamed, labels.Vocabulary(["cat"]))


@pytest.mark.parametrize("name", ["absent", "tiny/other", "tiny:2.0.0", "tiny/1.0.0"])
def test_a_set_that_is_not_prepared_is_named_and_nothing_is_downloaded(streamed, name):
    config = source.TfdsConfig(name=name, data_dir=streamed)
    with pytest.raises(errors.DataError, match=r"not prepared.*--tfds_download"):
        source.read_with_notes(config)


def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(errors.MissingExtraError, match=r"inclusive_tf\[tfds\]"):
        tfds_sets.open_set("tiny")


class MadeHere(library.core.GeneratorBasedBuilder):
    """A set whose code is known and whose files are not there yet."""

    VERSION = library.core.Version("1.0.0")

    def _info(self):
        features = {"image": library.features.Image(),
                    "label": library.features.ClassLabel(num_classes=2)}  # fmt: skip
        return library.core.DatasetInfo(
            builder=self, features=library.features.FeaturesDict(features)
        )

    def _split_generators(self, _):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(4):
            yield number, {"image": io.BytesIO(png(number)), "label": number % 2}


def test_a_set_is_prepared_only_when_that_is_asked_for(tmp_path):
    config = source.TfdsConfig(name="made_here", data_dir=str(tmp_path))
    with pytest.raises(errors.DataError, match="not prepared"):
        source.read_with_notes(config)
    assert not list(tmp_path.iterdir())
    asked = source.TfdsConfig(name="made_here", data_dir=str(tmp_path), download=True)
    found, _ = source.read_with_notes(asked)
    assert found.labels.counts().tolist() == [2, 2]
    assert tfds_sets.has_random_access(tfds_sets.open_set("made_here", tmp_path))
    again, _ = source.read_with_notes(config)
    assert again.ids.tolist() == found.ids.tolist()
    unknown = source.TfdsConfig(
        name="nobody_has", data_dir=str(tmp_path), download=True
    )
    with pytest.raises(errors.DataError, match="TFDS knows no such set"):
        source.read_with_notes(unknown)


@pytest.mark.parametrize("name", ["made here", "../made_here"])
def test_what_is_no_name_of_a_set_is_refused_before_a_download(tmp_path, name):
    config = source.TfdsConfig(name=name, data_dir=str(tmp_path), download=True)
    with pytest.raises(errors.DataError, match="TFDS cannot prepare the set"):
        source.read_with_notes(config)


def test_a_set_prepared_as_tfrecords_is_not_prepared_again(tmp_path):
    library.core.DatasetBuilder.download_and_prepare(
        MadeHere(data_dir=tmp_path, file_format="tfrecord")
    )
    config = source.TfdsConfig(name="made_here", data_dir=str(tmp_path), download=True)
    with pytest.raises(errors.DataError, match="read without --tfds_download"):
        source.read_with_notes(config)
