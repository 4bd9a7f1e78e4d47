import io

import pytest
import tensorflow as tf
from PIL import Image

from inclusive_tf.report import findings, tensorboard


def _summaries(folder):
    """Returns {tag: (plugin, tensor, description)} of the event files in `folder`."""
    found = {}
    for path in folder.glob("events.out.tfevents.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                plugin = value.metadata.plugin_data.plugin_name
                said = value.metadata.summary_description
                tensor = tf.make_ndarray(value.tensor) if plugin != "hparams" else None
                found[value.tag] = (plugin, tensor, said)
    return found


@pytest.fixture(scope="module")
def written(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    results, cases = make.results(), make.cases()
    cases[0]["truth"] = ["<script>", "a | *b*"]
    results["flags"]["<img onerror=x>"] = "![](http://x)"
    tensorboard.write(results, cases, folder)
    return folder / tensorboard.FOLDER


def test_each_row_is_a_run_with_its_figures_as_scalars(written, make):
    for number, row in enumerate(make.results()["rows"]):
        found = _summaries(written / tensorboard.run_name(number, row["name"]))
        assert "hparams" in {plugin for plugin, _, _ in found.values()}
        for split in ("stage_1", "stage_2"):
            for measure in findings.MEASURES:
                interval = findings.interval(row, split, measure)
                for key, value in interval.items():
                    _, tensor, _ = found[f"{split}/{measure}/{key}"]
                    assert tensor == pytest.approx(value, rel=1e-6)


def test_exposure_and_error_maps_are_images_with_escaped_words(written):
    found = _summaries(written)
    forms = {"exposure": "PNG"} | {f"errors/{n:03d}": "JPEG" for n in (1, 2, 3)}
    for tag, form in forms.items():
        plugin, tensor, _ = found[tag]
        assert plugin == "images"
        with Image.open(io.BytesIO(tensor[2])) as image:
            assert (image.format, image.mode in ("RGB", "RGBA")) == (form, True)
            assert [b"%d" % side for side in image.size] == tensor[:2].tolist()
    said = found["errors/001"][2]
    assert "&#60;script&#62;" in said
    assert "<script>" not in said
    run = found["run"][1].item().decode()
    assert "<img" not in run
    assert "![](" not in run


def test_hyper_parameters_are_the_parts_of_the_row_and_the_flags(results):
    found = tensorboard.hyper_parameters(results, results["rows"][3])
    assert found["has last layer"] is True
    assert found["run"] == "plain"
    assert found["steps"] == 1500
    assert found["learning&#95;rate"] == 1e-3


def test_a_second_report_takes_the_place_of_the_first(results, tmp_path):
    for _ in range(2):
        results["rows"] = results["rows"][:2]
        tensorboard.write(results, [], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report"]
    assert len(list((tmp_path / "report").rglob("events.*"))) == 3


@pytest.mark.parametrize("name", ["../../up", "", "a/b", "\0", "x" * 999, "日本"])
def test_a_run_stays_in_its_folder(name):
    folder = tensorboard.run_name(4, name)
    assert folder.startswith("4")
    assert not set(folder) & set("/\\.\0")
    assert len(folder) < 80
