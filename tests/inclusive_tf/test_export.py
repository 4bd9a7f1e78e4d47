import io
import json
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipelines import atomic, errors, images, labels
from inclusive_tf import export
from tools.soak import serving

CONFIG = images.ImageConfig(height=12, width=20, channels=1)
VOCABULARY = labels.Vocabulary(("/m/a", "/m/b", "/m/ç"), ("Ant", "", "Çay 茶"))
THRESHOLD = [0.0, 1e9, -np.inf]

STRANGER = """
import pathlib, sys
import numpy as np
import tensorflow as tf

here = pathlib.Path(sys.argv[1])
model = tf.saved_model.load(sys.argv[2])
serve = model.signatures["serving_default"]
files = [path.read_bytes() for path in sorted(here.glob("picture*"))]
found = serve(image_bytes=tf.constant(files))
np.savez(here / "found.npz", **{name: value.numpy() for name, value in found.items()})
traces = len(model.serving_default.concrete_functions)
for count in (1, 2, 0):
    answer = model.serving_default(tf.constant(files[:count], tf.string))
    assert answer["scores"].shape == (count, 3), answer["scores"].shape
    np.testing.assert_allclose(
        answer["scores"], found["scores"][:count], atol=1e-6
    )
assert len(model.serving_default.concrete_functions) == traces == 1
for bad in (b"<html></html>", b"", files[0][:40]):
    try:
        serve(image_bytes=tf.constant([files[0], bad]))
    except tf.errors.InvalidArgumentError as error:
        print("refused:", error.message.splitlines()[0])
    else:
        raise AssertionError(f"accepted {bad}")
for name in ("inclusive_tf", "data_pipelines"):
    assert name not in sys.modules, name
"""


def _build():
    keras.utils.set_random_seed(3)
    image = keras.Input((12, 20, 1))
    flow = keras.layers.Conv2D(4, 3, activation="relu", name="final_map")(image)
    flow = keras.layers.BatchNormalization()(flow)
    flow = keras.layers.GlobalAveragePooling2D(name="features")(flow)
    flow = keras.layers.Dropout(0.5)(flow)
    return keras.Model(image, keras.layers.Dense(3, name="logits")(flow))


@pytest.fixture(scope="module")
def model():
    return _build()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """An export to read only."""
    folder = tmp_path_factory.mktemp("exported") / "export"
    export.export(model, CONFIG, VOCABULARY, THRESHOLD, folder)
    return folder


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(exported)


@pytest.fixture
def pictures(tmp_path):
    """Files of several formats, and their pixels by the project's own decoding."""
    random = np.random.default_rng(0)
    modes = (("png", "L"), ("jpeg", "RGB"), ("png", "RGB"))
    for number, (kind, mode) in enumerate(modes):
        shape = (12, 20) if mode == "L" else (30, 41, 3)
        pixels = random.integers(0, 256, shape, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"picture{number}", format=kind)
    files = [path.read_bytes() for path in sorted(tmp_path.glob("picture*"))]
    return np.stack([images.decode(tf.constant(file), CONFIG) for file in files])


def test_a_stranger_gets_the_scores_of_the_model(model, exported, pictures, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, str(tmp_path), str(exported)],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("refused:") == 3
    logits = model.predict(pictures, verbose=0)
    with np.load(tmp_path / "found.npz", allow_pickle=True) as found:
        np.testing.assert_allclose(found["logits"], logits, atol=1e-5)
        np.testing.assert_allclose(
            found["scores"], 1 / (1 + np.exp(-logits)), atol=1e-5
        )
        # thresholds of 0, never and always
        assert found["decided"][:, 0].tolist() == (logits[:, 0] >= 0).tolist()
        assert found["decided"][:, 1:].tolist() == [[False, True]] * 3
        for key, texts in (
            ("label_ids", VOCABULARY.ids),
            ("label_names", VOCABULARY.names),
        ):
            expected = [[text.encode() for text in texts]] * 3
            assert found[key].tolist() == expected


def test_pixels_are_served_as_bytes_are(model, loaded, pictures):
    found = loaded.signatures["serve_images"](images=tf.constant(pictures))
    np.testing.assert_allclose(found["logits"], model(pictures), atol=1e-6)
    np.testing.assert_array_equal(
        found["decided"], found["logits"].numpy() >= np.array(THRESHOLD)
    )


def test_a_new_last_layer_is_exported_and_the_model_left_alone(pictures, tmp_path):
    model = _build()
    # cloning a compiled model would fail on this loss
    model.compile(loss=lambda truth, logits: keras.ops.mean(logits - truth))
    before = [weight.copy() for weight in model.get_weights()]
    random = np.random.default_rng(1)
    kernel, bias = random.normal(size=(4, 3)), random.normal(size=3)
    export.export(
        model, CONFIG, VOCABULARY, 0.0, tmp_path / "export", kernel=kernel, bias=bias
    )
    tf.nest.map_structure(np.testing.assert_array_equal, model.get_weights(), before)
    features = keras.Model(model.input, model.get_layer("features").output)(pictures)
    loaded = tf.saved_model.load(tmp_path / "export")
    found = loaded.serve_images(tf.constant(pictures))
    np.testing.assert_allclose(found["logits"], features @ kernel + bias, atol=1e-5)


def test_what_lies_beside_says_what_was_exported(exported):
    serving = export.verify(exported)
    assert serving["vocabulary"]["ids"] == list(VOCABULARY.ids)
    assert serving["vocabulary"]["names"] == list(VOCABULARY.names)
    assert serving["vocabulary"]["hash"] == VOCABULARY.hash
    assert serving["threshold_logit"] == [0.0, 1e9, -np.finfo(np.float64).max]
    assert images.ImageConfig(**serving["image_config"]) == CONFIG
    assert "saved_model.pb" in serving["sha256"]


@pytest.mark.parametrize("change", ["alter", "remove", "add"])
def test_a_changed_export_is_noticed(exported, tmp_path, change):
    shutil.copytree(exported, tmp_path / "export")
    changed = tmp_path / "export" / "saved_model.pb"
    if change == "alter":
        changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    elif change == "remove":
        changed.unlink()
    else:
        (tmp_path / "export" / "assets" / "saved_model.pb").write_text("more")
    with pytest.raises(errors.DataError, match=r"do not match.*saved_model\.pb"):
        export.verify(tmp_path / "export")


def test_a_folder_that_is_no_export_is_refused(tmp_path):
    with pytest.raises(errors.DataError, match="not an exported model"):
        export.verify(tmp_path)
    (tmp_path / "serving.json").write_text(json.dumps({"format": 2, "sha256": {}}))
    with pytest.raises(errors.DataError, match=r"another format.*format 1"):
        export.verify(tmp_path)


def test_a_failed_export_leaves_the_older_one(model, exported, tmp_path, monkeypatch):
    shutil.copytree(exported, tmp_path / "export")
    before = export.verify(tmp_path / "export")

    def fail(path):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "sha256", fail)
        with pytest.raises(OSError, match="disk is full"):
            export.export(model, CONFIG, VOCABULARY, 1.0, tmp_path / "export")
    assert export.verify(tmp_path / "export") == before
    assert [path.name for path in pathlib.Path(tmp_path).iterdir()] == ["export"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"vocabulary": labels.Vocabulary(("a", "b"))},
            "model and vocabulary disagree",
        ),
        (
            {"image_config": images.ImageConfig(height=20, width=12, channels=1)},
            "model and image config disagree",
        ),
        ({"threshold_logit": [0.0, 1.0]}, "threshold does not fit"),
        ({"threshold_logit": np.nan}, "threshold does not fit"),
        ({"kernel": np.zeros((4, 3))}, "a kernel and a bias"),
        ({"kernel": np.zeros((3, 4)), "bias": np.zeros(3)}, "new kernel does not fit"),
        ({"kernel": np.zeros((4, 3)), "bias": np.zeros(4)}, "new bias does not fit"),
        (
            {"kernel": np.full((4, 3), np.nan), "bias": np.zeros(3)},
            "new kernel holds NaN",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(model, tmp_path, changes, problem):
    parts = {
        "image_config": CONFIG,
        "vocabulary": VOCABULARY,
        "threshold_logit": 0.0,
        **changes,
    }
    with pytest.raises(errors.DataError, match=problem):
        export.export(model, directory=tmp_path / "export", **parts)
    assert not (tmp_path / "export").exists()


def test_a_model_without_logits_is_refused(tmp_path):
    image = keras.Input((12, 20, 1))
    flow = keras.layers.GlobalAveragePooling2D()(image)
    other = keras.Model(image, keras.layers.Dense(3, name="scores")(flow))
    with pytest.raises(errors.DataError, match=r"does not end in logits.*scores"):
        export.export(other, CONFIG, VOCABULARY, 0.0, tmp_path / "export")


def test_each_of_many_callers_gets_its_own_answer_or_error(model, exported):
    def logits(files):
        return model(np.stack([images.decode(tf.constant(f), CONFIG) for f in files]))

    found = serving.measure(exported, logits, requests=60, callers=16)
    assert (found["right"], found["refused"]) == (48, 12)
    assert found["wrong"] == found["missed"] == 0
    assert found["traces"] == (1, 1)


def test_a_white_picture_is_a_one_to_the_model(model, loaded):
    buffer = io.BytesIO()
    Image.new("L", (20, 12), 255).save(buffer, format="PNG")
    found = loaded.serving_default(tf.constant([buffer.getvalue()]))
    white = model(np.ones((1, 12, 20, 1), np.float32))
    np.testing.assert_allclose(found["logits"], white, atol=1e-6)
