"""Models and losses run on Keras' other backends, without TensorFlow, and agree."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from inclusive_tf import losses, models

MODELS = ("alexnet_small", "densenet_small", "inception_resnet_small",
          "inception_small", "resnet_small", "se_resnet_small",
          "xception_small")  # fmt: skip
CLASSES = 3
SCRIPT = """
import importlib.machinery
import runpy
import sys
import types


class NoTensorFlow:
    def find_spec(self, name, *more):
        if name.split(".")[0] != "tensorflow":
            return importlib.machinery.PathFinder.find_spec(name, *more)


place = sys.meta_path.index(importlib.machinery.PathFinder)
sys.meta_path[place] = NoTensorFlow()
import numpy as np
from keras import ops
this = types.SimpleNamespace(**runpy.run_path(sys.argv[2]))
with np.load(sys.argv[1]) as stored:
    for name in this.MODELS:
        model = this.model(name)
        names = sorted(n for n in stored.files if n.startswith(f"{name}/weight"))
        model.set_weights([stored[n] for n in names])
        logits = ops.convert_to_numpy(model(stored["images"], training=False))
        np.testing.assert_allclose(logits, stored[f"{name}/logits"], atol=2e-5)
    for name in this.losses.LOSSES:
        found = this.loss(name, stored["targets"], stored["logits"])
        np.testing.assert_allclose(found, stored[f"loss/{name}"], rtol=1e-5)
"""


def model(name):
    return models.build(
        models.ModelConfig(
            name, CLASSES, 32, 32, 3, (0.4,) * 3, (0.2,) * 3, filters=4, growth=4,
            blocks=(1, 1, 1), dropout=0.1,
        )
    )[0]  # fmt: skip


def loss(name, targets, logits):
    built = losses.build(
        losses.LossConfig(
            name, label_counts=(5, 2, 1), shares=(0.5, 0.3, 0.1), group_counts=(2, 2)
        )
    )
    return float(built.of_batch(targets, logits, np.array([0, 1, 0, 1])))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_and_losses_agree_with_tensorflow(backend, root, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    generator = np.random.default_rng(0)
    arrays = {
        "images": generator.random((4, 32, 32, 3)).astype(np.float32),
        "targets": np.array([[1, 0, 0], [0, 1, -1], [1, 0.5, 0], [0, 0, 1]], "f"),
        "logits": generator.normal(size=(4, CLASSES)).astype(np.float32),
    }
    for name in MODELS:
        built = model(name)
        arrays[f"{name}/logits"] = np.asarray(built(arrays["images"], training=False))
        for number, weight in enumerate(built.get_weights()):
            arrays[f"{name}/weight_{number:04d}"] = weight
    for name in losses.LOSSES:
        arrays[f"loss/{name}"] = loss(name, arrays["targets"], arrays["logits"])
    np.savez(tmp_path / "expected.npz", **arrays)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "expected.npz"), __file__],
        cwd=root, capture_output=True, text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
