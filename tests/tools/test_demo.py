"""The demo's whole job, on a small table in place of the default data."""

import json


def test_it_goes_from_a_data_set_to_a_page_and_an_export(
    call, make_table, colour_rows, tmp_path
):
    """`make demo` does the same on the default data, in minutes."""
    stage = [
        (path, labels, group, f"stage_{1 + number % 2}")
        for number, (path, labels, group, split) in enumerate(colour_rows(other=24))
        if split == "stage"
    ]
    others = [row for row in colour_rows(other=24) if row[3] != "stage"]
    table = make_table(others + stage)
    said = call(
        "demo", "--dataset=table", f"--table={table}", f"--output={tmp_path}/demo",
        "--height=16", "--width=16", "--channels=3", "--growth=4", "--blocks=1,1",
        "--batch_size=8", "--epochs=2", "--learning_rate=0.02", "--warmup_steps=2",
        "--mirror=0", "--shift=0", "--bootstrap=50", "--count=3", "--check=3",
        "--curves=1",
    ).stdout  # fmt: skip
    assert "train: 48 images (36 north, 12 south)" in said
    assert "errors explained" in said
    report = tmp_path / "demo" / "report"
    found = json.loads((report / "results.json").read_text())
    assert [row["name"] for row in found["rows"]][-1] == (
        "resampled + last layer + threshold"
    )
    page = (report / "index.html").read_text()
    assert "<script" not in page
    for name in ("stage_1.md", "stage_2.md", "cost.json"):
        assert (report / name).is_file()
    assert (tmp_path / "demo" / "resampled" / "export" / "saved_model.pb").is_file()
