"""On a full disk each writer says so in one line, and the last good state stays."""

import contextlib
import resource

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import errors, images, label_files, labels
from inclusive_tf import export, losses, predictions
from inclusive_tf.report import tensorboard
from inclusive_tf.training import checkpoints, config, learner

VOCABULARY = labels.Vocabulary(("a", "b", "c"))
COUNT = 300
TRUTH = labels.SparseLabels.from_lists([[0]] * COUNT, 3)


@contextlib.contextmanager
def no_file_above(size):
    """Within the block the system refuses files of more bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def model():
    image = keras.Input((6, 6, 1))
    flow = keras.layers.Conv2D(8, 3, name="final_map")(image)
    flow = keras.layers.GlobalAveragePooling2D(name="features")(flow)
    return keras.Model(image, keras.layers.Dense(3, name="logits")(flow))


def _predictions(folder, model, value):
    del model
    predictions.Predictions(
        ids=np.array([f"{number}" for number in range(COUNT)]),
        logits=np.full((COUNT, 3), value, np.float32),
        features=np.full((COUNT, 64), value, np.float32),
        truth=TRUTH,
        unlisted_is_absent=True,
        group=np.zeros(COUNT, np.int32),
        group_names=("all",),
        training_counts=np.ones(3, np.int64),
        vocabulary=VOCABULARY,
    ).save(folder)


def _export(folder, model, value):
    config = images.ImageConfig(6, 6, 1)
    export.export(model, config, VOCABULARY, float(value), folder)


def _checkpoint(folder, model, value):
    loss = losses.build("binary_cross_entropy")
    learns = learner.build(model, loss, config.TrainingConfig(optimizer="sgd"), 1)
    checkpoints.save(folder, learns, checkpoints.State(step=value), keep=3)


def _label_table(folder, model, value):
    del model
    ids = np.array([f"{value}-{number}.jpg" for number in range(COUNT)])
    everything = np.zeros(COUNT, np.int32)
    label_files.save(
        folder,
        labels.LabelTable(ids, ids, TRUTH, VOCABULARY, everything, ("all",),
                          everything, ("train",)),
    )  # fmt: skip


def _events(folder, model, value):
    del model
    case = {
        "id": str(value), "why": "loss", "group": "all", "truth": [], "decided": [],
        "image_png": _noise(), "panels": [],
    }  # fmt: skip
    tensorboard.write_errors([case], folder)


def _noise():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    return tf.io.encode_png(pixels).numpy()


def _step(folder):
    return checkpoints.newest(folder).step


WRITERS = {
    "predictions": (_predictions, lambda f: predictions.load(f).logits[0, 0]),
    "export": (_export, lambda f: export.verify(f)["threshold_logit"][0]),
    "checkpoint": (_checkpoint, _step),
    "label table": (_label_table, lambda f: int(label_files.load(f).ids[0][0])),
    "events": (_events, lambda f: sum(1 for _ in tf.data.TFRecordDataset(
        [str(path) for path in f.glob("events.*")])) - 1),
}  # fmt: skip


@pytest.mark.parametrize("size", [0, 1500])
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_said_and_leaves_the_last_good_state(
    name, size, model, tmp_path
):
    write, value = WRITERS[name]
    folder = tmp_path / "of" / "it"
    write(folder, model, 1)
    with (
        no_file_above(size),
        pytest.raises(errors.StoppedError, match=r"/of/.*Expected: space on the disk"),
    ):
        write(folder, model, 2)
    assert value(folder) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["it"]


def test_hdf5_is_none_the_worse_for_a_full_disk(model, tmp_path):
    """After a file that it could not write, it would crash on the next."""
    with no_file_above(10_000), pytest.raises(errors.StoppedError, match="no room"):
        _checkpoint(tmp_path / "full", model, 1)
    _checkpoint(tmp_path / "free", model, 1)
    checkpoints.load_weights(tmp_path / "free", 1, model)
