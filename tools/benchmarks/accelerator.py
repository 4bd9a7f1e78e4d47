"""Times training steps on a GPU, by JAX, beside the same network in PyTorch.

    python -m tools.benchmarks.accelerator
    python -m tools.benchmarks.accelerator --allow_cpu --models="small DenseNet"

Neither needs TensorFlow. Our models and losses run on Keras' JAX backend, the step
written out; PyTorch has channels last and its fused Adam. Each takes steps on one batch
on the card, in turn: op by op in float32, and compiled (`jax.jit`, `torch.compile`) in
float32 and in bfloat16. Both may multiply float32 as TF32, as JAX does by default. A
large matrix product of each type takes its turns beside them, and what share of its
rate the step reaches is said, with the step counted as three forward passes.

Ends with exit code 1 where our compiled rate is below that of PyTorch. Without a GPU it
says so and measures nothing; --allow_cpu then takes tiny batches, to try the code.
"""

import dataclasses
import importlib.util
import os

from absl import flags

from tools import command
from tools.benchmarks import measured_models, turns

FLAGS = flags.FLAGS
TYPES = ("float32", "bfloat16")
BATCH_SIZE, STEPS = 1024, 20
TINY_BATCH_SIZE, TINY_STEPS = 2, 1
SIDE, TINY_SIDE = 8192, 64
"""Of the matrices that are multiplied."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """How a step is taken: the type it computes in, and whether it is compiled."""

    dtype: str
    is_compiled: bool

    def of(self, library):
        """Returns the name of a library's way."""
        return f"{library}, {self.dtype}{'' if self.is_compiled else ', op by op'}"


VARIANTS = (
    Variant("float32", False),
    *(Variant(dtype, True) for dtype in TYPES),
)
OURS, TORCH = "ours on JAX", "PyTorch"


def our_steps(subject, variant):
    """Returns a function that takes the subject's steps and returns the last loss."""
    import jax
    import keras
    import numpy as np

    from inclusive_tf import losses, models

    dtype = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[variant.dtype]
    model, _ = models.build(dataclasses.replace(subject.config, dtype=dtype))
    loss = losses.build("binary_cross_entropy")
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    def loss_of(trainable, others, images, targets):
        logits, others = model.stateless_call(trainable, others, images, training=True)
        return loss.of_batch(targets, logits), others

    gradient_of = jax.value_and_grad(loss_of, has_aux=True)

    def step(trainable, others, moments, images, targets):
        (value, others), gradient = gradient_of(trainable, others, images, targets)
        trainable, moments = optimizer.stateless_apply(moments, gradient, trainable)
        return value, trainable, others, moments

    if variant.is_compiled:
        step = jax.jit(step, donate_argnums=(0, 1, 2))
    parts = model.trainable_variables, model.non_trainable_variables
    state = [
        [jax.numpy.copy(variable.value) for variable in part]
        for part in (*parts, optimizer.variables)
    ]
    images, targets = map(jax.numpy.asarray, measured_models.batch(subject))

    def run():
        for _ in range(subject.steps):
            value, *state[:] = step(*state, images, targets)
        # waits for the last step
        return np.asarray(value)

    return run


def torch_steps(subject, variant):
    """Returns the same in PyTorch, on the card where there is one."""
    import torch

    from tools.benchmarks import torch_models

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_float32_matmul_precision("high")
    return torch_models.steps(
        subject, device, getattr(torch, variant.dtype), variant.is_compiled
    )


def product(side, dtype):
    """Returns a function that multiplies two square matrices of normal numbers."""
    import jax

    keys = jax.random.split(jax.random.key(0))
    pair = [jax.random.normal(key, (side, side), dtype) for key in keys]
    multiply = jax.jit(jax.numpy.matmul)

    def run():
        multiply(*pair).block_until_ready()

    return run


def makers():
    """Returns {library: function from (subject, variant) to a way}."""
    if importlib.util.find_spec("torch") is None:
        return {OURS: our_steps}
    return {OURS: our_steps, TORCH: torch_steps}


def compare(name, subject, side, variants, rounds):
    """Measures the ways in turn and prints how they compare.

    Args:
        name: of the model, for the heading.
        subject: `measured_models.Subject`.
        side: of the matrices that are multiplied.
        variants: list of `Variant`.
        rounds: turns of each.

    Returns:
        whether each goal is met.
    """
    from inclusive_tf import models
    from tools.benchmarks import convolutions

    libraries = makers()
    ways, types = {}, {}
    for library, make in libraries.items():
        for variant in variants:
            ways[variant.of(library)] = make(subject, variant)
            types[variant.of(library)] = variant.dtype
    limits = {f"the {dtype} product": product(side, dtype) for dtype in TYPES}
    seconds = turns.take({**ways, **limits}, rounds)
    beside = {
        dtype: seconds.pop(limit) for dtype, limit in zip(TYPES, limits, strict=True)
    }
    goals = [
        turns.Goal(variant.of(OURS), variant.of(TORCH), 1.0)
        for variant in variants
        if variant.is_compiled and TORCH in libraries
    ]
    images = subject.batch_size * subject.steps
    print(f"### {measured_models.title(name, subject)}\n")
    met = turns.report("Training step", seconds, images, "images", goals)
    flops = convolutions.flops(models.build(subject.config)[0])
    for way, taken in seconds.items():
        limit = (
            f"one large {types[way]} matrix product",
            2 * side**3,
            beside[types[way]],
        )
        work = images * convolutions.STEP * flops
        print(convolutions.share(way, work, taken, *limit), flush=True)
    return met


def has_gpu():
    """Returns whether JAX is installed and sees a GPU."""
    if importlib.util.find_spec("jax") is None:
        return False
    import jax

    return jax.default_backend() == "gpu"


def main(_):
    """Measures and prints."""
    os.environ["KERAS_BACKEND"] = "jax"
    # PyTorch needs room on the card as well
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    size = {"batch_size": BATCH_SIZE, "steps": STEPS}
    side = SIDE
    if not has_gpu():
        if not FLAGS.allow_cpu:
            print("JAX sees no GPU here, so that nothing was measured on one.")
            return 0
        size, side = {"batch_size": TINY_BATCH_SIZE, "steps": TINY_STEPS}, TINY_SIDE
    met = True
    for name in FLAGS.models:
        subject = dataclasses.replace(measured_models.SUBJECTS[name], **size)
        met &= compare(name, subject, side, VARIANTS, FLAGS.rounds)
    return 0 if met else 1


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    names = list(measured_models.SUBJECTS)
    flags.DEFINE_integer("rounds", 9, "Rounds.", 1)
    flags.DEFINE_multi_enum("models", names, names, "Which models.")
    flags.DEFINE_bool(
        "allow_cpu", False, "Without a GPU, try the code on tiny batches."
    )


if __name__ == "__main__":
    define()
    command.run(main)
