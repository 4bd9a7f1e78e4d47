"""The script prepares a table, and training reads what it made as the raw one."""

import json

import numpy as np

TRAINING = (
    "--height=16", "--width=16", "--channels=3", "--growth=4", "--blocks=1,1",
    "--batch_size=8", "--epochs=1", "--warmup_steps=4", "--mirror=0.5", "--shift=0.1",
)  # fmt: skip


def test_training_from_a_prepared_png_set_is_that_from_the_raw_one(
    call, make_table, colour_rows, tmp_path
):
    table = make_table(colour_rows())
    (tmp_path / "images" / "train3.png").write_bytes(b"no picture")
    raw = ("--dataset=table", f"--table={table}", "--max_bad_fraction=0.03")
    output = tmp_path / "prepared"
    said = call("prepare", *raw, f"--output={output}", "--encoding=png").stdout
    assert "table: 84 images, 2 labels, train 48, validation 12, tuning 12" in said
    assert "84 images encoded" in said
    assert "1 unreadable image(s) left out, named in" in said
    assert "83 images in 4 shards" in said
    path = output / "table" / "short256_png" / "1.0.0"
    assert f"--dataset=prepared --data_dir={path}" in said

    states = []
    for name, data in (
        ("raw", raw),
        ("prepared", ("--dataset=prepared", f"--data_dir={output}")),
    ):
        call("train", f"--run={tmp_path / name}", *data, *TRAINING)
        (file,) = (tmp_path / name).rglob("variables.npz")
        # the moments of the optimiser saw every gradient
        states.append(np.load(file))
    assert states[0].files == states[1].files
    for each in states[0].files:
        np.testing.assert_array_equal(states[0][each], states[1][each])
    notes = json.loads((tmp_path / "prepared" / "data.json").read_text())["notes"]
    assert notes[0].startswith("1 unreadable image(s) were left out when the set was")
