"""The benchmark of predictions compares ways that give the same logits."""

import dataclasses

import numpy as np
import pytest

from tools.benchmarks import measured_models, onnx_models, prediction


@pytest.fixture(scope="module")
def subject():
    whole = measured_models.SUBJECTS["small DenseNet"]
    config = dataclasses.replace(whole.config, blocks=(1,), growth=2)
    return dataclasses.replace(whole, config=config, batch_size=4, batches=2)


@pytest.mark.parametrize(
    "with_onnx",
    [
        False,
        # the export imports Keras and PyTorch in a process of its own
        pytest.param(True, marks=pytest.mark.soak),
    ],
)
def test_all_ways_answer_all_images_alike(subject, with_onnx):
    if with_onnx and onnx_models.missing():
        pytest.skip(f"not installed: {', '.join(onnx_models.missing())}")
    answers = {
        way: function() for way, function in prediction.ways(subject, with_onnx).items()
    }
    assert len(answers) == 2 + with_onnx
    assert {logits.shape for logits in answers.values()} == {(8, 15)}
    assert np.ptp(answers[prediction.OURS], axis=0).min() > 1e-3
    prediction.require_same(answers)


def test_ways_that_answer_differently_are_not_compared():
    logits = np.ones((8, 15), np.float32)
    with pytest.raises(AssertionError, match="Keras `predict`"):
        prediction.require_same(
            {prediction.OURS: logits, prediction.PREDICT: logits * 1.001}
        )


def test_a_comparison_says_rates_and_shares(subject, capsys):
    large = {"batch_size": 1, "side": 4, "channels": 2}
    prediction.compare("tiny", subject, 1, large, with_onnx=False)
    said = capsys.readouterr().out
    assert said.startswith("### tiny, 32x32, batch 4\n")
    for way in (prediction.OURS, prediction.PREDICT):
        assert f"\n| {way} |" in said
        assert f"\n{way}: " in said
    assert "over ONNX Runtime" not in said
