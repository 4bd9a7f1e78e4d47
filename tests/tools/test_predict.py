"""A run is predicted by views and by other statistics, and both are told apart."""

import numpy as np
import pytest

from inclusive_tf import predictions

FLAGS = (
    "--dataset=table", "--height=16", "--width=16", "--channels=3", "--growth=4",
    "--blocks=1", "--batch_size=8", "--epochs=1", "--learning_rate=0.02",
    "--warmup_steps=4", "--mirror=0", "--shift=0", "--batch_norm_momentum=0.9",
)  # fmt: skip


@pytest.fixture
def run(call, make_table, colour_rows, tmp_path):
    call("train", f"--run={tmp_path}/run", f"--table={make_table(colour_rows())}",
         *FLAGS)  # fmt: skip
    return tmp_path / "run"


def test_views_and_statistics_are_predicted_by_and_told_apart(call, run, tmp_path):
    predict = ("predict", f"--run={run}")
    call(*predict)
    several = tmp_path / "several"
    call(*predict, "--predict_splits=tuning,stage", "--views=ten_crops",
         "--statistics_from=stage", "--statistics_prior=30", f"--output={several}",
         "--view_scale=1.25")  # fmt: skip
    plain, other, tuning = (
        predictions.load(folder)
        for folder in (run / "predictions/stage", several / "stage", several / "tuning")
    )
    assert (len(plain), plain.variant) == (12, "")
    for said in ("batch normalisation of stage (12 images, ids ", ", old ones as 30)",
                 "; ten_crops at scale 1.25, mean of logits"):  # fmt: skip
        assert said in other.variant
    assert tuning.variant == other.variant
    assert other.source["views"] == "ten_crops at scale 1.25, mean of logits"
    assert other.source["statistics"] in other.variant
    # another model, though the last layer is the same
    assert plain.layer_hash == other.layer_hash != ""
    assert np.abs(plain.logits - other.logits).max() > 1e-3
    answer = other.features @ other.kernel + other.bias
    np.testing.assert_allclose(other.logits, answer, atol=1e-4)

    adaptation = tmp_path / "adaptation"
    call("adapt", f"--predictions={several}/tuning", "--last_layer",
         f"--output={adaptation}")  # fmt: skip
    evaluate = ("evaluate", f"--adaptation={adaptation}", "--bootstrap=0")
    said = call(*evaluate, f"--predictions={run}/predictions/stage", code=1).stderr
    assert "of another model, or of the same one in another way" in said
    assert "Received: one view by the model as it was trained" in said
    said = call("export", f"--run={run}", f"--adaptation={adaptation}", code=1).stderr
    assert "that a served model does not make" in said
    _splits_for_statistics_are_read_but_not_predicted(call, run)


def _splits_for_statistics_are_read_but_not_predicted(call, run):
    said = call("predict", f"--run={run}", "--predict_splits=stage",
                "--statistics_from=train", "--views=mirror",
                "--view_mean=probabilities").stdout  # fmt: skip
    assert "stage: 12 images" in said
    assert "train: " not in said
    found = predictions.load(run / "predictions" / "stage")
    assert found.variant.startswith("batch normalisation of train (48 images, ")
    assert found.kernel is None
    said = call("predict", f"--run={run}", "--statistics_from=train", code=1).stderr
    assert "Expected: --predict_splits beside" in said
    said = call("explain", f"--run={run}", "--split=stage", code=1).stderr
    assert "maps show one view" in said
