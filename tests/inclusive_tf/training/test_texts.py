"""A run's words are those of its training split, and stay what they are."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import augmentation, batches, errors, images, labels
from inclusive_tf import export, inference, losses, models, writers
from inclusive_tf import run as run_directory
from inclusive_tf.explain import explainable
from inclusive_tf.models import head
from inclusive_tf.training import config, loop, texts

IMAGE = images.ImageConfig(height=8, width=8, channels=1)
WORDS = ("red shoe", "blue shirt", "red red", "")


@pytest.fixture
def table(tmp_path):
    """16 training and 4 validation images that are all alike; only texts differ."""
    picture = tf.io.encode_png(np.full((8, 8, 1), 90, np.uint8)).numpy()
    rows = 20
    for row in range(rows):
        (tmp_path / f"{row}.png").write_bytes(picture)
    said = [WORDS[row % 4] + (" unseen" if row >= 16 else "") for row in range(rows)]
    return labels.LabelTable(
        ids=np.array([f"i{row}" for row in range(rows)]),
        locations=np.array([str(tmp_path / f"{row}.png") for row in range(rows)]),
        labels=labels.SparseLabels.from_lists([[row % 4] for row in range(rows)], 4),
        vocabulary=labels.Vocabulary(tuple("abcd")),
        group=np.zeros(rows, np.int32),
        group_names=("all",),
        split=(np.arange(rows) >= 16).astype(np.int32),
        split_names=("train", "validation"),
        text=np.array(said),
    )


@pytest.fixture
def run(tmp_path):
    return run_directory.Run(tmp_path / "run")


def model_config(read, inputs="image_and_text"):
    return models.ModelConfig(
        num_classes=4, height=8, width=8, blocks=(1,), growth=2, inputs=inputs,
        text_vocabulary=read.tokeniser.size, text_length=3, text_units=8,
    )  # fmt: skip


def pipeline(read, image=IMAGE, **settings):
    return batches.PipelineConfig(
        image, augmentation.AugmentationConfig(), 4, text=read.tokens["train"],
        **settings,
    )  # fmt: skip


def test_only_training_texts_make_the_vocabulary(run, table):
    read, notes = texts.prepare(run, table, "text", 100, 3)
    assert set(read.tokeniser.words) == {"red", "shoe", "blue", "shirt"}
    assert read.tokens["train"].shape == (16, 3)
    assert "4 of 10 words are not in the vocabulary" in notes[1]
    assert json.loads((run.path / "text.json").read_text())["words"]


def test_models_of_images_leave_texts_alone(run, table):
    read, notes = texts.prepare(run, table, "image", 100, 3)
    assert (read.tokeniser, read.tokens, notes) == (None, {}, [])
    assert not (run.path / "text.json").exists()


def test_a_table_without_texts_is_refused(run, table):
    with pytest.raises(errors.DataError, match="text_column"):
        texts.prepare(run, dataclasses.replace(table, text=None), "text", 100, 3)


@pytest.mark.parametrize(
    ("carrier", "image", "keep_bytes"),
    [
        ("indexed", IMAGE, 0),
        ("indexed", IMAGE, 1 << 20),
        ("indexed", None, 0),
        ("streaming", IMAGE, 0),
        ("streaming", None, 0),
    ],
)
def test_batches_bring_the_text_of_their_examples(
    run, table, carrier, image, keep_bytes
):
    read, _ = texts.prepare(run, table, "text", 100, 3)
    part = table.select_split("train")
    rates = np.ones((1, 16))
    settings = {"carrier": carrier, "keep_bytes": keep_bytes, "shuffle_buffer": 8}
    found = batches.training_batches(part, rates, pipeline(read, image, **settings), 1)
    for batch in found.take(4):
        np.testing.assert_array_equal(
            batch["text"], read.tokens["train"][batch["example"]]
        )
        assert ("image" in batch) == (image is not None)
        np.testing.assert_array_equal(
            np.argmax(batch["target"], axis=1), batch["example"] % 4
        )


def test_a_model_of_text_reads_no_image(run, table):
    for location in table.locations:
        pathlib.Path(location).write_bytes(b"no image at all")
    read, _ = texts.prepare(run, table, "text", 100, 3)
    part = table.select_split("train")
    found = batches.training_batches(part, np.ones((1, 16)), pipeline(read, None), 1)
    assert len(list(found)) == 4
    model, _ = models.build(model_config(read, "text"))
    predicted = inference.predict(
        model, part, IMAGE, np.ones(4), 5, text=read.tokens["train"]
    )
    assert predicted.logits.shape == (16, 4)
    np.testing.assert_allclose(predicted.logits[0], predicted.logits[4], atol=1e-6)


def train(run, table, inputs, epochs=8):
    read, _ = texts.prepare(run, table, inputs, 100, 3)
    seen = None if inputs == "text" else IMAGE
    part = table.select_split("train")
    model, _ = models.build(model_config(read, inputs))
    data = loop.Data(
        lambda epoch, draw: batches.training_batches(
            part, np.ones((1, 16)), pipeline(read, seen), epochs, epoch, draw
        ),
        batches.evaluation_batches(
            table.select_split("validation"), seen, 3, read.tokens["validation"]
        ),
        4,
    )
    training = config.TrainingConfig(epochs=epochs, batch_size=4, learning_rate=0.05,
                                     keep=1)  # fmt: skip
    around = loop.Surroundings(run.checkpoints, writers.Several())
    loss = losses.build("binary_cross_entropy")
    state = loop.train(model, loss, data, training, around)
    return model, read, state


@pytest.fixture(params=["image_and_text", "text"])
def trained(run, table, request):
    return *train(run, table, request.param), table


def test_what_only_the_text_says_is_learnt_predicted_and_served(trained, tmp_path):
    model, read, state, table = trained
    assert state.history[-1]["loss"] < 0.5 * state.history[0]["loss"]
    part = table.select_split("train")
    predicted = inference.predict(
        model, part, IMAGE, np.ones(4), 5, text=read.tokens["train"]
    )
    right = predicted.logits.argmax(axis=1) == np.arange(16) % 4
    assert right.mean() > 0.9
    folder, layer, more = tmp_path / "export", {}, 0
    inputs = {"text": tf.constant([text.encode() for text in part.text])}
    if head.sees_images(model):
        files = [pathlib.Path(one).read_bytes() for one in part.locations]
        inputs["image_bytes"] = tf.constant(files)
        kernel, bias = head.last_layer(model)
        layer, more = {"kernel": kernel, "bias": bias + 2}, 2
    export.export(model, IMAGE, table.vocabulary, 0.0, folder, **layer,
                  tokeniser=read.tokeniser)  # fmt: skip
    served = tf.saved_model.load(folder).signatures["serving_default"](**inputs)
    np.testing.assert_allclose(served["logits"], predicted.logits + more, atol=1e-5)
    expected = ["text"] if "image_bytes" not in inputs else ["image", "text"]
    assert export.verify(folder)["inputs"] == expected


def test_a_vocabulary_stays_when_a_run_goes_on_or_another_starts_from_it(
    run, table, tmp_path
):
    _, read, _ = train(run, table, "text", epochs=1)
    run.write_json(
        "model.json", {"model": dataclasses.asdict(model_config(read, "text"))}
    )
    other = dataclasses.replace(
        table, text=np.array([f"new {text}" for text in table.text])
    )
    again, _ = texts.prepare(run, other, "text", 100, 3)
    assert again.tokeniser == read.tokeniser
    phase = run_directory.Run(tmp_path / "phase")
    after, _ = texts.prepare(phase, other, "text", 100, 3, str(run.path))
    assert after.tokeniser == read.tokeniser
    assert (phase.path / "text.json").is_file()
    fresh, _ = texts.prepare(
        run_directory.Run(tmp_path / "fresh"), other, "text", 100, 3
    )
    assert "new" in fresh.tokeniser.words


def test_what_does_not_fit_is_refused_in_a_line(run, table):
    read, _ = texts.prepare(run, table, "text", 100, 3)
    model, _ = models.build(model_config(read))
    part = table.select_split("train")
    with pytest.raises(errors.DataError, match="the model reads text"):
        inference.predict(model, part, IMAGE, np.ones(4))
    with pytest.raises(errors.DataError, match="--inputs=image"):
        explainable.explainable(model)
    with pytest.raises(errors.DataError, match="no tokeniser"):
        export.export(model, IMAGE, table.vocabulary, 0.0, run.path / "export")
    longer = dataclasses.replace(read.tokeniser, length=9)
    with pytest.raises(errors.DataError, match="texts of 3"):
        export.export(model, IMAGE, table.vocabulary, 0.0, run.path / "export",
                      tokeniser=longer)  # fmt: skip
