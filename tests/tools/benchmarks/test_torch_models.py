"""The PyTorch networks are ours: the same parameters, work and answers."""

import dataclasses

import keras
import numpy as np
import pytest

from inclusive_tf import models
from tools.benchmarks import convolutions, measured_models

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils import flop_counter  # noqa: E402

from tools.benchmarks import torch_models  # noqa: E402


def config_of(name):
    """A side of 2^n + 1, on which Keras' `same` pads both sides too."""
    config = measured_models.SUBJECTS[name].config
    return dataclasses.replace(config, height=33, width=33)


def copy_weights(model, network):
    """Layers of a kind lie in the same order in both."""
    pairs = {
        keras.layers.Conv2D: nn.Conv2d,
        keras.layers.BatchNormalization: nn.BatchNorm2d,
        keras.layers.Dense: nn.Linear,
    }
    for ours, theirs in pairs.items():
        layers = [layer for layer in model.layers if isinstance(layer, ours)]
        parts = [part for part in network.modules() if isinstance(part, theirs)]
        for layer, part in zip(layers, parts, strict=True):
            taken = [part.weight, part.bias]
            if ours is keras.layers.BatchNormalization:
                taken += [part.running_mean, part.running_var]
            given = layer.get_weights()
            for into, values in zip([t for t in taken if t is not None], given,
                                    strict=True):  # fmt: skip
                order = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[values.ndim]
                into.data[:] = torch.from_numpy(values.transpose(order))


@pytest.fixture(scope="module", params=list(measured_models.SUBJECTS))
def both(request):
    config = config_of(request.param)
    return config, models.build(config)[0], torch_models.build(config)


def test_the_numbers_of_parameters_are_equal(both):
    _, model, network = both
    statistics = [
        values for name, values in network.named_buffers() if "running" in name
    ]
    counted = sum(values.numel() for values in [*network.parameters(), *statistics])
    assert counted == model.count_params()


def test_pytorch_counts_the_operations_that_we_count(both):
    config, model, network = both
    images = torch_models.to_channels_first(measured_models.images(config, 2))
    with flop_counter.FlopCounterMode(display=False) as counter:
        network(images)
    assert counter.get_total_flops() == 2 * convolutions.flops(model)


def test_with_our_weights_it_gives_our_logits(both):
    config, model, network = both
    copy_weights(model, network)
    images = measured_models.images(config, 2)
    with torch.no_grad():
        found = network.eval()(torch_models.to_channels_first(images))
    expected = np.asarray(model(images, training=False))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_layouts_hold_the_same_values():
    images = np.random.default_rng(0).random((2, 3, 4, 5), np.float32)
    plain = torch_models.to_channels_first(images)
    last = torch_models.to_channels_first(images, torch.channels_last)
    assert plain.shape == last.shape == (2, 5, 3, 4)
    assert plain.stride() != last.stride()
    np.testing.assert_array_equal(plain, last)


def test_a_step_lowers_the_loss():
    config = dataclasses.replace(config_of("small DenseNet"), blocks=(1,))
    images = torch_models.to_channels_first(measured_models.images(config, 4))
    targets = torch.from_numpy(measured_models.targets(config, 4))
    step = torch_models.training_step(torch_models.build(config).train())
    losses = [float(step(images, targets)) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
