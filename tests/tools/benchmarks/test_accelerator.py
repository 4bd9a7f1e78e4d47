"""The benchmark for a GPU runs without TensorFlow, and says where there is no GPU."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from inclusive_tf import losses
from tools import parts
from tools.benchmarks import accelerator

SCRIPT = """
import dataclasses
import importlib.util
import sys
from tools.benchmarks import accelerator, measured_models

whole = measured_models.SUBJECTS["small DenseNet"]
config = dataclasses.replace(whole.config, height=8, width=8, blocks=(1,), growth=2)
subject = dataclasses.replace(whole, config=config, batch_size=4, steps=2)
for dtype in accelerator.TYPES:
    ours = accelerator.our_steps(subject, accelerator.Variant(dtype, True))
    losses = [float(ours()) for _ in range(4)]
    assert losses[-1] < losses[0], losses
    if importlib.util.find_spec("torch") is not None:
        theirs = accelerator.torch_steps(subject, accelerator.Variant(dtype, False))
        losses = [float(theirs()) for _ in range(4)]
        assert losses[-1] < losses[0], losses
variants = [accelerator.Variant("float32", True)]
accelerator.makers = lambda: {accelerator.OURS: accelerator.our_steps}
accelerator.compare("tiny", subject, 16, variants, 1)
accelerator.LABELS = 9
assert accelerator.compare_losses(8, 8, rounds=1, calls=1)
assert "tensorflow" not in sys.modules
"""


def run(root, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, capture_output=True, text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
    )  # fmt: skip


def test_without_a_gpu_one_line_and_the_exit_code_say_so(root):
    done = run(root, "-m", "tools.benchmarks.accelerator")
    assert done.returncode == parts.NOT_HERE, done.stderr
    assert done.stdout == "JAX sees no GPU here, so that nothing was measured on one.\n"


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
def test_steps_on_jax_learn_and_are_compared(root):
    done = run(root, "-c", SCRIPT, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("### tiny, 8x8, batch 4\n")
    assert "| ours on JAX, float32 |" in done.stdout
    for name in losses.LOSSES:
        assert f"| {name} |" in done.stdout


def test_the_distance_is_over_the_largest_value_expected():
    expected = [np.float32(2), np.array([1.0, -10.0])]
    found = [np.float32(2), np.array([2.0, -10.0])]
    assert accelerator.distance(found, expected) == pytest.approx(0.1)
    assert accelerator.distance(expected, expected) == 0
    assert np.isnan(accelerator.distance([found[0], expected[1] * np.nan], expected))
