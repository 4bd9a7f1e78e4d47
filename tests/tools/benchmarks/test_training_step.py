"""The benchmark of training steps compares ways that do the same."""

import dataclasses

import numpy as np
import pytest

from inclusive_tf import models
from tools.benchmarks import measured_models, training_step


@pytest.fixture(scope="module")
def subject():
    whole = measured_models.SUBJECTS["small DenseNet"]
    config = dataclasses.replace(whole.config, blocks=(1,), growth=2)
    return dataclasses.replace(whole, config=config, batch_size=4, steps=2)


def test_keras_application_has_as_many_parameters_as_ours():
    config = measured_models.SUBJECTS["DenseNet121"].config
    config = dataclasses.replace(config, height=32, width=32)
    found = [training_step.keras_model(config), models.build(config)[0]]
    assert {model.count_params() for model in found} == {7_037_504 + 15 * 1025}


def test_our_steps_lower_the_loss(subject):
    run = training_step.our_steps(subject)
    losses = np.array([run() for _ in range(4)])
    assert losses[-1] < losses[0]


def test_a_comparison_says_rates_and_shares(subject, capsys):
    large = {"batch_size": 1, "side": 4, "channels": 2}
    training_step.compare("tiny", subject, 1, large)
    said = capsys.readouterr().out
    assert said.startswith("### tiny, 32x32, batch 4\n")
    for way in (training_step.OURS, training_step.FIT):
        assert f"\n| {way} |" in said
        assert f"\n{way}: " in said
    assert "over Keras `fit` |" in said
    assert ("over PyTorch |" in said) == training_step.has_torch()


def test_settings_are_compared_in_processes_of_their_own(subject, capsys, monkeypatch):
    asked = []

    class Here:
        """Stands for the process, which would start TensorFlow four times."""

        def __init__(self, made_by, arguments, environment):
            asked.append((made_by, *arguments, environment))

        def __enter__(self):
            return lambda: 4.0

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(training_step.elsewhere, "Elsewhere", Here)
    assert training_step.compare_settings("small DenseNet", subject, 2)
    assert [one[1:] for one in asked] == [
        ("small DenseNet", False, {}),
        ("small DenseNet", False, {"TF_ENABLE_ONEDNN_OPTS": "0"}),
        ("small DenseNet", True, {}),
        ("small DenseNet", True, {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    ]
    assert "| as it is | 2 [2, 2] |" in capsys.readouterr().out
