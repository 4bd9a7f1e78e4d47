"""Maps are those that the explanations wrote, neighbours those of the features."""

import json
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines import errors, labels
from inclusive_tf import predictions
from inclusive_tf.review import beside, replay


def predicted(ids, features):
    count = len(ids)
    return predictions.Predictions(
        ids=np.array(ids),
        logits=np.zeros((count, 1), np.float32),
        features=np.asarray(features, np.float32),
        truth=labels.SparseLabels.from_lists([[]] * count, 1),
        unlisted_is_absent=True,
        group=np.zeros(count, np.int32),
        group_names=("g",),
        training_counts=np.ones(1, np.int64),
        vocabulary=labels.Vocabulary(("cat",)),
    )


def test_neighbours_are_of_the_data_and_never_the_image_itself(table, tmp_path):
    predicted(["zz.png", "c.png", "a.png"], [[0], [5], [1]]).save(tmp_path / "one")
    predicted(["b.png", "a.png"], [[3], [1]]).save(tmp_path / "two")
    near = beside.Neighbours(
        replay.Replay(table), [tmp_path / "one", tmp_path / "two"], 5
    )
    assert near.of(0) == [(1, 2.0), (2, 4.0)]
    assert near.of(2) == [(1, 2.0), (0, 4.0)]
    assert near.of(4) == []


def test_predictions_of_other_data_are_refused(table, tmp_path):
    predicted(["zz.png"], [[0]]).save(tmp_path / "one")
    with pytest.raises(errors.DataError, match="no predicted image is in the data"):
        beside.Neighbours(replay.Replay(table), [tmp_path / "one"], 5)


def test_predictions_without_features_are_refused(table, tmp_path):
    """Those of an ensemble."""
    predicted(["a.png", "b.png"], np.zeros((2, 0))).save(tmp_path / "one")
    with pytest.raises(errors.DataError, match="one: the predictions have no features"):
        beside.Neighbours(replay.Replay(table), [tmp_path / "one"], 5)


def test_maps_are_those_of_the_gallery(tmp_path):
    gallery = pytest.importorskip("inclusive_tf.explain.gallery")
    case = {
        "id": "a.png", "image_png": b"image", "panels": [
            {"label": "cat", "role": "missed", "maps": [
                {"method": "saliency", "png": b"map", "degenerate": True}]}],
    }  # fmt: skip
    gallery.save(tmp_path / "maps", [case], {})
    found = beside.Maps([tmp_path / "maps"])
    (one,) = found.of(np.str_("a.png"))
    assert one.pop("path").read_bytes() == b"map"
    assert one == {
        "label": "cat", "role": "missed", "method": "saliency", "degenerate": True,
    }  # fmt: skip
    assert found.of("b.png") == []


def test_a_map_lies_in_its_folder_whatever_the_file_says(tmp_path):
    panel = {"label": "cat", "role": "missed", "maps": [
        {"method": "m", "png": "../../etc/passwd", "degenerate": False}]}  # fmt: skip
    stored = {"cases": [{"id": "a.png", "panels": [panel]}], "facts": {}}
    (tmp_path / "cases.json").write_text(json.dumps(stored))
    assert beside.Maps([tmp_path]).of("a.png")[0]["path"] == tmp_path / "passwd"


@pytest.mark.parametrize("text", [None, "{", '{"cases": [{}]}', '{"cases": 3}'])
def test_another_folder_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "cases.json").write_text(text)
    with pytest.raises(errors.DataError, match="not a folder of explained errors"):
        beside.Maps([tmp_path])


def test_the_page_loads_no_tensorflow(root):
    code = (
        "import sys; from inclusive_tf.review import app, serving; "
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
