"""A model of ours as an ONNX file, and what answers from it.

Keras exports to ONNX by way of its PyTorch backend, so that happens in a process of its
own: there the model is built again from its configuration, and given its weights.
"""

import dataclasses
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from tools import calling

NEEDED = ("onnxruntime", "onnxscript", "torch")


def missing():
    """Returns which of the packages that this needs are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def session(model, config, batch_size):
    """Returns a function from float32 [batch_size, H, W, channels] to logits [B, C].

    Args:
        model: built of `config`, with any weights.
        config: `models.ModelConfig`.
        batch_size: images a call.

    Raises:
        RuntimeError: the process that exports failed.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # each core of this process, as TensorFlow takes them by itself
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "model.onnx")
        _export_elsewhere(model, config, batch_size, path)
        running = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
    name = running.get_inputs()[0].name
    return lambda images: running.run(None, {name: images})[0]


def _export_elsewhere(model, config, batch_size, path):
    weights = f"{path}.npz"
    np.savez(weights, *model.get_weights())
    stated = json.dumps(dataclasses.asdict(config))
    done = subprocess.run(
        [sys.executable, "-m", __name__, stated, weights, str(batch_size), path],
        cwd=calling.ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KERAS_BACKEND": "torch"},
    )
    if done.returncode:
        raise RuntimeError(f"export to ONNX failed: {done.stdout}{done.stderr}")


def export(stated, weights, batch_size, path):
    """What the process of its own does.

    Args:
        stated: JSON of a `models.ModelConfig`.
        weights: .npz file of the model's weights, in order.
        batch_size: images a call, as text.
        path: of the ONNX file.
    """
    import keras

    from inclusive_tf import models

    config = models.ModelConfig(**json.loads(stated))
    model, _ = models.build(config)
    with np.load(weights) as stored:
        model.set_weights([stored[name] for name in stored.files])
    shape = (int(batch_size), config.height, config.width, config.channels)
    model.export(
        path, format="onnx", input_signature=[keras.InputSpec("float32", shape)],
        verbose=False,
    )  # fmt: skip


if __name__ == "__main__":
    export(*sys.argv[1:])
