"""A table with texts is trained on and predicted by the scripts, with second heads."""

import json

import numpy as np

from inclusive_tf import predictions

FLAGS = (
    "--dataset=table", "--height=16", "--width=16", "--channels=3", "--growth=2",
    "--blocks=1", "--batch_size=8", "--epochs=6", "--learning_rate=0.05",
    "--warmup_steps=2", "--inputs=image_and_text", "--text_length=4", "--text_units=8",
    "--count_head_weight=0.01", "--embedding_head_weight=0.1", "--embedding_size=2",
)  # fmt: skip


def test_texts_are_learnt_from_and_predicted_with(call, make_table, tmp_path):
    """Every image is alike (neither red nor blue); the text says which is which."""
    rows = []
    for number in range(60):
        name = ("warm", "cold")[number % 2]
        split = "train" if number < 48 else "stage"
        words = f"a {('crimson', 'azure')[number % 2]} thing" + " new" * (number >= 48)
        rows.append((f"images/{split}{number}.png", name, "here", split, words))
    table = make_table(rows, "path,labels,group,split,title")
    run = tmp_path / "run"
    said = call("train", f"--run={run}", f"--table={table}",
                "--text_column=title", *FLAGS).stdout  # fmt: skip
    assert "texts of train: 0 of 144 words are not in the vocabulary" in said
    stored = json.loads((run / "text.json").read_text())
    assert set(stored["words"]) == {"a", "azure", "crimson", "thing"}
    said = call("predict", f"--run={run}").stdout
    assert "texts of stage: 12 of 48 words are not in the vocabulary" in said
    found = predictions.load(run / "predictions" / "stage")
    truth = found.truth.multi_hot().argmax(axis=1)
    assert np.mean(found.logits.argmax(axis=1) == truth) == 1
