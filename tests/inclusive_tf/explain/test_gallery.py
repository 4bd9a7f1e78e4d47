"""The folder of explained errors gives back what was put into it."""

import numpy as np
import pytest

from data_pipelines import errors
from inclusive_tf.explain import gallery

IMAGE = np.random.default_rng(0).random((6, 8, 1)).astype(np.float32)


def _described():
    png = gallery.maps.picture(IMAGE).png
    panel = {
        "label": "cat",
        "role": gallery.ROLE_NAMES["wrong"],
        "maps": [{"method": "Grad-CAM", "png": png, "degenerate": False}],
    }
    case = {"id": "a", "image_png": png, "panels": [panel], "scores": []}
    gallery.add_example(case, "wrong", "t", IMAGE, ["cat", "dog"], 1.5)
    return case | {"beside": {"id": "b", "image_png": png, "panels": []}}


def test_what_is_saved_is_loaded(tmp_path):
    cases, facts = [_described()], {"row": "r", "split": "s", "given_from": 0.5}
    picture = gallery.label_picture("cat", IMAGE, 0.9)
    gallery.save(tmp_path / "found", cases, facts, [picture])
    assert gallery.load(tmp_path / "found") == (cases, facts)
    assert len(list((tmp_path / "found").glob("*.png"))) == 5


def test_an_example_stands_in_the_panel_of_its_label():
    (example,) = _described()["panels"][0]["examples"]
    assert (example["id"], example["distance"]) == ("t", 1.5)


def test_a_name_that_leads_out_of_the_folder_does_not(tmp_path):
    gallery.save(tmp_path / "found", [_described()], {})
    secret = tmp_path / "00000.png"
    secret.write_bytes(b"secret")
    path = tmp_path / "found" / "cases.json"
    path.write_text(path.read_text().replace('"00000.png"', '"../00000.png"'))
    cases, _ = gallery.load(tmp_path / "found")
    assert b"secret" not in (cases[0]["image_png"], cases[0]["panels"][0]["maps"])


@pytest.mark.parametrize("text", ["{", "[]", '{"cases": [{"png": "x.png"}]}'])
def test_another_folder_is_refused(tmp_path, text):
    (tmp_path / "cases.json").write_text(text)
    with pytest.raises(errors.DataError, match="not a folder of explained errors"):
        gallery.load(tmp_path)
