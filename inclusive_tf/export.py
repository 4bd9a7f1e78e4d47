"""A SavedModel that takes the bytes of images and gives labels.

Whoever loads it needs TensorFlow and nothing of this project: decoding, resizing and
normalising are inside, as are the vocabulary and the thresholds.
"""

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import atomic, errors, images, stored_files
from inclusive_tf.models import head

FORMAT = 1
SERVING_FILE = "serving.json"


def export(
    model,
    image_config,
    vocabulary,
    threshold_logit,
    directory,
    kernel=None,
    bias=None,
    tokeniser=None,
):
    """Writes a SavedModel, whole or not at all, replacing an older one.

    Endpoints, each for any number B of images:

    - `serving_default(image_bytes=string [B])`: files as `images.decode` takes them;
    - `serve_images(images=float32 [B, H, W, C] in 0..1)`: pixels.

    A model that reads text takes it beside, or alone, as `text=string [B]`, UTF-8.

    Both return a dict: `label_ids` and `label_names` string [B, C], `logits` float32
    [B, C], `scores` float32 [B, C] (their sigmoid), `decided` bool [B, C] (logit >=
    threshold). Beside the model lies `serving.json`: vocabulary, thresholds, image
    config and the SHA-256 of each file; see `verify`.

    Args:
        model: Keras model to logits [B, C] of the Dense layer "logits", from images,
            float32 [B, H, W, C] in 0..1, and tokens as `models.build` says; never
            changed.
        image_config: `images.ImageConfig` whose size is the model's.
        vocabulary: `labels.Vocabulary` of C labels.
        threshold_logit: float or [C]; infinite is always or never.
        directory: folder to write.
        kernel: float [D, C]; with `bias` [C] it replaces the weights of "logits".
        bias: float [C]; needed with `kernel`.
        tokeniser: `tokens.Tokeniser` of a model that reads text.

    Raises:
        errors.DataError: model, vocabulary, thresholds, image config, words or the new
            last layer do not fit each other.
    """
    _require_fit(model, image_config, vocabulary)
    _require_words(model, tokeniser)
    threshold = _thresholds(threshold_logit, len(vocabulary))
    if kernel is not None or bias is not None:
        model = _with_last_layer(model, kernel, bias)
    archive = keras.export.ExportArchive()
    archive.track(model)
    answer = _answering(model, vocabulary, threshold)
    for name, function, signature in _endpoints(
        model, image_config, tokeniser, answer, archive
    ):
        archive.add_endpoint(name, function, input_signature=signature)
    with atomic.folder(directory) as temporary:
        archive.write_out(str(temporary), verbose=False)
        serving = {
            "format": FORMAT,
            "inputs": [name for name in ("image", "text") if _takes(model, name)],
            "vocabulary": vocabulary.to_json(),
            "threshold_logit": threshold.tolist(),
            "image_config": dataclasses.asdict(image_config),
            "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
            "sha256": _sums(temporary),
        }
        atomic.write_json(temporary / SERVING_FILE, serving)


def verify(directory):
    """Checks an exported folder against its sums and returns its `serving.json`.

    Raises:
        errors.DataError: it is no export, or a file is missing, changed or additional.
    """
    path = pathlib.Path(directory) / SERVING_FILE
    with stored_files.reading(
        path, "not an exported model", "a folder that `export` wrote"
    ):
        serving = stored_files.read_json(path)
        stated, found = dict(serving["sha256"]), _sums(path.parent)
        known_format = serving["format"]
    if known_format != FORMAT:
        raise errors.DataError(
            "an export of another format",
            expected=f"format {FORMAT}",
            received=known_format,
            file=path,
        )
    differing = sorted(
        name
        for name in stated.keys() | found.keys()
        if stated.get(name) != found.get(name)
    )
    if differing:
        raise errors.DataError(
            f"files do not match their sums in {SERVING_FILE}",
            received=", ".join(differing),
            file=path,
        )
    return serving


def _takes(model, name):
    return head.reads_text(model) if name == "text" else head.sees_images(model)


def _answering(model, vocabulary, threshold):
    """Returns a function from {"image": ..., "text": ...} to what endpoints return."""
    ids = tf.constant(vocabulary.ids, tf.string)
    names = tf.constant(vocabulary.names, tf.string)

    def answer(batch):
        inputs = head.inputs_of(model, batch)
        logits = tf.cast(model(inputs, training=False), tf.float32)
        shape = tf.shape(logits)
        return {
            "label_ids": tf.broadcast_to(ids, shape),
            "label_names": tf.broadcast_to(names, shape),
            "logits": logits,
            "scores": tf.sigmoid(logits),
            # in float64, as NumPy compares float32 logits with tuned thresholds
            "decided": tf.cast(logits, tf.float64) >= threshold,
        }

    return answer


def _endpoints(model, image_config, tokeniser, answer, archive):
    """Returns [(name, function, input signature)] of what the model takes."""
    files = tf.TensorSpec([None], tf.string, name="image_bytes")
    texts = tf.TensorSpec([None], tf.string, name="text")

    def decoded(image_bytes):
        return images.decode_batch(image_bytes, image_config)

    if tokeniser is None:
        pixels = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32, "images")
        return [
            ("serving_default", lambda image_bytes: answer(
                {"image": decoded(image_bytes)}), [files]),
            ("serve_images", lambda images: answer({"image": images}), [pixels]),
        ]  # fmt: skip
    layer = tokeniser.layer()
    # its table of words is a resource that the SavedModel has to hold
    archive.track(layer)

    def read(text):
        return tokeniser.pad(layer(text))

    if not _takes(model, "image"):
        return [("serving_default", lambda text: answer({"text": read(text)}), [texts])]
    pixels = tf.TensorSpec(
        [None, *model.input["image"].shape[1:]], tf.float32, "images"
    )
    return [
        ("serving_default", lambda image_bytes, text: answer(
            {"image": decoded(image_bytes), "text": read(text)}), [files, texts]),
        ("serve_images", lambda images, text: answer(
            {"image": images, "text": read(text)}), [pixels, texts]),
    ]  # fmt: skip


def _with_last_layer(model, kernel, bias):
    """Returns a copy of the model whose "logits" have other weights."""
    if kernel is None or bias is None:
        raise errors.DataError(
            "a last layer is a kernel and a bias", expected="both, or neither"
        )
    # a wrapper is cloned: cloning a compiled model would rebuild its loss as well
    copy = keras.models.clone_model(keras.Model(model.input, model.outputs[0]))
    copy.set_weights(model.get_weights())
    layer = copy.get_layer("logits")
    for name, received in (("kernel", kernel), ("bias", bias)):
        variable = getattr(layer, name)
        received = np.asarray(received, np.float32)
        if variable is None or received.shape != tuple(variable.shape):
            raise errors.DataError(
                f"the new {name} does not fit the last layer",
                expected=f"no {name}" if variable is None else str(variable.shape),
                received=str(received.shape),
            )
        if not np.isfinite(received).all():
            raise errors.DataError(f"the new {name} holds NaN or infinity")
        variable.assign(received)
    return copy


def _require_fit(model, image_config, vocabulary):
    if "logits" not in model.output_names:
        raise errors.DataError(
            "the model does not end in logits",
            expected='a Dense layer named "logits"',
            received=", ".join(model.output_names),
        )
    classes = model.outputs[0].shape[-1]
    if classes != len(vocabulary):
        raise errors.DataError(
            "model and vocabulary disagree",
            expected=f"{classes} labels, one a logit",
            received=f"{len(vocabulary)}",
        )
    if not _takes(model, "image"):
        return
    size = (image_config.height, image_config.width, image_config.channels)
    seen = next(one for one in model.inputs if one.name != "text")
    expected = tuple(seen.shape[1:])
    if any(
        length is not None and length != received
        for length, received in zip(expected, size, strict=True)
    ):
        raise errors.DataError(
            "model and image config disagree",
            expected=f"images {expected}",
            received=str(size),
        )


def _require_words(model, tokeniser):
    if _takes(model, "text") != (tokeniser is not None):
        raise errors.DataError(
            "model and words disagree",
            expected="a tokeniser with a model that reads text, and with no other",
            received="no tokeniser" if tokeniser is None else "a tokeniser",
        )
    if tokeniser is None:
        return
    length = next(one for one in model.inputs if one.name == "text").shape[1]
    words = model.get_layer("words").input_dim
    if (length, words) != (tokeniser.length, tokeniser.size):
        raise errors.DataError(
            "model and words disagree",
            expected=f"{words} tokens and texts of {length}",
            received=f"{tokeniser.size} and {tokeniser.length}",
        )


def _thresholds(threshold_logit, classes):
    """Returns finite float64 [C]; JSON has no infinity, and no logit is as large."""
    threshold = np.asarray(threshold_logit, np.float64)
    if threshold.shape not in ((), (classes,)) or np.isnan(threshold).any():
        raise errors.DataError(
            "a threshold does not fit the labels",
            expected=f"one number or {classes}, none of them NaN",
            received=str(threshold_logit),
        )
    limit = np.finfo(np.float64).max
    return np.clip(np.broadcast_to(threshold, classes), -limit, limit)


def _sums(directory):
    return {
        path.relative_to(directory).as_posix(): atomic.sha256(path)
        for path in sorted(pathlib.Path(directory).rglob("*"))
        if path.is_file() and path.name != SERVING_FILE
    }
