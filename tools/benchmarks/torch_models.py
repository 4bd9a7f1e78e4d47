"""The measured models in plain PyTorch: the same layers, parameters and arithmetic.

Inputs are float32 [B, channels, H, W] in 0..1, outputs logits [B, C]. Strided
convolutions pad both sides, where Keras' `same` pads the far side of even images.
"""

import os

import torch
from torch import nn
from torch.nn import functional

from tools.benchmarks import measured_models


def convolve(taken, given, size, stride=1):
    """Returns a convolution without bias that keeps the size over `stride`."""
    return nn.Conv2d(taken, given, size, stride, size // 2, bias=False)


class DenseLayer(nn.Module):
    """Bottleneck of 4 × growth, then growth channels joined to the input."""

    def __init__(self, taken, growth, normalise):
        super().__init__()
        self.new = nn.Sequential(
            normalise(taken), nn.ReLU(), convolve(taken, 4 * growth, 1),
            normalise(4 * growth), nn.ReLU(), convolve(4 * growth, growth, 3),
        )  # fmt: skip

    def forward(self, maps):
        """[B, D, H, W] → [B, D + growth, H, W]."""
        return torch.cat([maps, self.new(maps)], 1)


def _dense_blocks(channels, growth, blocks, normalise):
    """Returns (dense blocks with transitions and a final ReLU, channels)."""
    found = []
    for block, depth in enumerate(blocks):
        if block:
            found += [normalise(channels), nn.ReLU()]
            found += [convolve(channels, channels // 2, 1), nn.AvgPool2d(2)]
            channels //= 2
        for _ in range(depth):
            found.append(DenseLayer(channels, growth, normalise))
            channels += growth
    return [*found, normalise(channels), nn.ReLU()], channels


def densenet_small(config):
    """Returns (layers of `models.densenet.densenet_small`, channels)."""
    normalise = _normalisation(config, 1.001e-5)
    stem = convolve(config.channels, 2 * config.growth, 3, config.stem_stride)
    layers, channels = _dense_blocks(
        2 * config.growth, config.growth, config.blocks, normalise
    )
    return [stem, *layers], channels


def densenet121(config):
    """Returns (layers of `keras.applications.DenseNet121`, channels)."""
    normalise = _normalisation(config, 1.001e-5)
    stem = [convolve(config.channels, 64, 7, 2), normalise(64), nn.ReLU()]
    stem.append(nn.MaxPool2d(3, 2, 1))
    layers, channels = _dense_blocks(64, 32, (6, 12, 24, 16), normalise)
    return [*stem, *layers], channels


class BasicUnit(nn.Module):
    """Two 3x3 convolutions beside a shortcut, projected where shapes differ."""

    def __init__(self, taken, given, stride, normalise):
        super().__init__()
        self.branch = nn.Sequential(
            convolve(taken, given, 3, stride), normalise(given), nn.ReLU(),
            convolve(given, given, 3), normalise(given),
        )  # fmt: skip
        self.shortcut = nn.Sequential()
        if stride > 1 or taken != given:
            project = convolve(taken, given, 1, stride)
            self.shortcut = nn.Sequential(project, normalise(given))

    def forward(self, maps):
        """[B, D, H, W] → [B, filters, H / stride, W / stride]."""
        return functional.relu(self.branch(maps) + self.shortcut(maps))


def resnet_small(config):
    """Returns (layers of `models.resnet.resnet_small`, channels)."""
    normalise = _normalisation(config, 1e-3)
    channels = config.filters
    found = [convolve(config.channels, channels, 3, config.stem_stride)]
    found += [normalise(channels), nn.ReLU()]
    for stage, depth in enumerate(config.blocks):
        for unit in range(depth):
            given, stride = config.filters * 2**stage, 2 if stage and not unit else 1
            found.append(BasicUnit(channels, given, stride, normalise))
            channels = given
    return found, channels


def _normalisation(config, epsilon):
    def normalise(channels):
        return nn.BatchNorm2d(channels, epsilon, 1 - config.batch_norm_momentum)

    return normalise


class Standardise(nn.Module):
    """Images less the data set's mean, over its deviation."""

    def __init__(self, config):
        super().__init__()
        for name in ("mean", "deviation"):
            values = torch.tensor(getattr(config, name)).reshape(1, -1, 1, 1)
            self.register_buffer(name, values)

    def forward(self, images):
        """[B, channels, H, W] → the same shape."""
        return (images - self.mean) / self.deviation


MODELS = {
    "densenet_small": densenet_small,
    "densenet121": densenet121,
    "resnet_small": resnet_small,
}


def build(config):
    """Returns an untrained `nn.Module` of a `models.ModelConfig` named in `MODELS`."""
    torch.manual_seed(config.seed)
    layers, channels = MODELS[config.name](config)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    head.append(nn.Linear(channels, config.num_classes))
    return nn.Sequential(Standardise(config), *layers, *head)


def take_all_cores():
    """Lets PyTorch use each core of this process, as TensorFlow does by itself."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))


def to_channels_first(images, memory_format=torch.contiguous_format):
    """Returns [B, channels, H, W] of NumPy [B, H, W, channels]."""
    moved = torch.from_numpy(images).permute(0, 3, 1, 2)
    return moved.contiguous(memory_format=memory_format)


def training_step(network, dtype=torch.float32):
    """Returns a step of binary cross-entropy and Adam: (images, targets) → loss.

    Args:
        network: of `build`, on its device; compiled or not.
        dtype: of what autocast lets be narrower than float32.
    """
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def step(images, targets):
        optimizer.zero_grad()
        narrow = dtype != torch.float32
        with torch.autocast(images.device.type, dtype, enabled=narrow):
            logits = network(images)
        loss = functional.binary_cross_entropy_with_logits(logits.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def steps(subject, device="cpu", dtype=torch.float32, is_compiled=False):
    """Returns a function that takes a subject's steps and returns the last loss.

    Args:
        subject: `measured_models.Subject`.
        device: where they are taken.
        dtype: of `training_step`.
        is_compiled: whether `torch.compile` makes them.
    """
    layout = torch.channels_last
    network = build(subject.config).train().to(device, memory_format=layout)
    if is_compiled:
        network = torch.compile(network)
    take_step = training_step(network, dtype)
    images, targets = measured_models.batch(subject)
    images = to_channels_first(images, layout).to(device)
    targets = torch.from_numpy(targets).to(device)

    def run():
        for _ in range(subject.steps):
            value = take_step(images, targets)
        return value.cpu().numpy()

    return run
