"""Times training steps on a GPU, by JAX, beside the same network in PyTorch.

    python -m tools.benchmarks.accelerator
    python -m tools.benchmarks.accelerator --allow_cpu --parts="small DenseNet"

Neither needs TensorFlow. Our models and losses run on Keras' JAX backend, the step
written out; PyTorch has channels last and its fused Adam. Each takes steps on one batch
on the card, in turn: op by op in float32, and compiled (`jax.jit`, `torch.compile`) in
float32 and in bfloat16. Both may multiply float32 as TF32, as JAX does by default. A
large matrix product of each type takes its turns beside them, and what share of its
rate the step reaches is said, with the step counted as three forward passes.

Losses take turns with a copy of the logits on the card: value and gradient by the
logits, compiled, for the challenge's number of labels. Each also has to be on the card
what it is on the processor.

Ends with exit code 3 where our compiled rate is below that of PyTorch, or a loss is
another. Without a GPU it says so and measures nothing, with the exit code of
`parts.NOT_HERE`; --allow_cpu then takes tiny batches, to try the code.
"""

import dataclasses
import importlib.util
import os
import statistics

from absl import flags

from tools import command, parts
from tools.benchmarks import measured_models, tables, turns

FLAGS = flags.FLAGS
TYPES = ("float32", "bfloat16")
BATCH_SIZE, STEPS = 1024, 20
TINY_BATCH_SIZE, TINY_STEPS = 2, 1
SIDE, TINY_SIDE = 8192, 64
"""Of the matrices that are multiplied."""
LOSSES = "losses"
IMAGES, LABELS, TINY_IMAGES = 16384, 7178, 4
"""Of what losses are taken of; labels as in the challenge."""
COPY = "a copy of the logits"
GROUPS = 4
CLOSE = 1e-3
"""How far a loss or its gradient may be off, over the largest of the processor's."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """How a step is taken: the type it computes in, and whether it is compiled."""

    dtype: str
    is_compiled: bool

    def of(self, library):
        """Returns the name of a library's way."""
        return f"{library}, {self.dtype}{'' if self.is_compiled else ', op by op'}"


COMPILED = [Variant(dtype, True) for dtype in TYPES]
OP_BY_OP, OP_BY_OP_STEPS = [Variant("float32", False)], 2
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


def loss_and_gradient(name, labels):
    """Returns a function of (targets, logits, groups) → (loss, gradient by logits)."""
    import jax
    import keras
    import numpy as np

    from inclusive_tf import losses

    shares = np.linspace(0.01, 0.5, labels)
    loss = losses.build(
        losses.LossConfig(
            name,
            label_counts=(shares * 10_000).astype(int).tolist(),
            shares=shares.tolist(),
            group_counts=[1000] * GROUPS,
        )
    )
    kept = [(variable, variable.value) for variable in loss.variables]

    def of_logits(logits, targets, groups):
        # a loss that moves its own weights moves them in the scope alone
        with keras.StatelessScope(state_mapping=kept):
            return loss.of_batch(targets, logits, groups)

    taken = jax.jit(jax.value_and_grad(of_logits))
    return lambda targets, logits, groups: taken(logits, targets, groups)


def loss_batch(images, labels):
    """Returns (targets, logits, groups); a hundredth of the pairs is unknown."""
    import numpy as np

    generator = np.random.default_rng(0)
    drawn = generator.random((images, labels), np.float32)
    targets = (drawn < 0.05).astype(np.float32)
    targets[drawn > 0.99] = -1
    logits = 2 * generator.standard_normal((images, labels), np.float32)
    return targets, logits, generator.integers(0, GROUPS, images, np.int32)


def distance(found, expected):
    """Returns how far arrays are off, over the largest value of each expected one."""
    import numpy as np

    ratios = [
        np.max(np.abs(np.asarray(one) - other)) / np.max(np.abs(other))
        for one, other in zip(found, map(np.asarray, expected), strict=True)
    ]
    return float(np.max(ratios))


def compare_losses(images, checked, rounds, calls):
    """Measures all losses and prints what they take, over a copy of the logits.

    Args:
        images: of the batch that is timed.
        checked: of the batch that the processor takes as well.
        rounds: turns of each.
        calls: calls a turn.

    Returns:
        whether each loss is on the card what it is on the processor.
    """
    import jax

    from inclusive_tf import losses

    batch = loss_batch(images, LABELS)
    part = [array[:checked] for array in batch]
    on_card = [jax.device_put(array) for array in batch]
    functions = {name: loss_and_gradient(name, LABELS) for name in losses.LOSSES}
    far = {}
    for name, function in functions.items():
        found = function(*part)
        with jax.default_device(jax.devices("cpu")[0]):
            far[name] = distance(found, function(*part))

    def repeated(function, *arguments):
        def run():
            for _ in range(calls):
                result = function(*arguments)
            jax.block_until_ready(result)

        return run

    ways = {name: repeated(one, *on_card) for name, one in functions.items()}
    ways[COPY] = repeated(jax.jit(lambda logits: logits + 1), on_card[1])
    if importlib.util.find_spec("torch") is not None:
        ways["PyTorch, binary cross-entropy without a mask"] = torch_loss(batch, calls)
    seconds = turns.take(ways, rounds)
    copied = statistics.median(seconds[COPY])
    rows = []
    for way, taken in seconds.items():
        middle = statistics.median(taken)
        off = f"{far[way]:.1e}" if way in far else ""
        if way in far and not far[way] <= CLOSE:
            off += f", {parts.MISSED}"
        row = [way, f"{1e3 * middle / calls:.3g}", f"{middle / copied:.3g}", off]
        rows.append(row)
    heading = [
        f"value and gradient, {images:,} x {LABELS:,}, median of {rounds}",
        "ms",
        "copies",
        f"off the processor's, at most {CLOSE:g}",
    ]
    print(f"### Losses\n\n{tables.table(heading, rows)}", flush=True)
    return all(value <= CLOSE for value in far.values())


def torch_loss(batch, calls):
    """Returns a function that takes PyTorch's own loss and its gradient, compiled."""
    import torch
    from torch.nn import functional

    device = "cuda" if torch.cuda.is_available() else "cpu"
    targets = torch.from_numpy(batch[0]).to(device).clamp(min=0)
    logits = torch.from_numpy(batch[1]).to(device).requires_grad_()

    @torch.compile
    def loss_of(logits, targets):
        return functional.binary_cross_entropy_with_logits(logits, targets)

    def run():
        for _ in range(calls):
            logits.grad = None
            value = loss_of(logits, targets)
            value.backward()
        value.item()

    return run


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
    side, images, calls = SIDE, IMAGES, STEPS
    if not has_gpu():
        if not FLAGS.allow_cpu:
            print("JAX sees no GPU here, so that nothing was measured on one.")
            return parts.NOT_HERE
        size, side = {"batch_size": TINY_BATCH_SIZE, "steps": TINY_STEPS}, TINY_SIDE
        images, calls = TINY_IMAGES, TINY_STEPS
    print(f"{where()}\n", flush=True)
    met = True
    for name in FLAGS.parts:
        if name == LOSSES:
            met &= compare_losses(images, TINY_IMAGES, FLAGS.rounds, calls)
            continue
        subject = dataclasses.replace(measured_models.SUBJECTS[name], **size)
        met &= compare(name, subject, side, COMPILED, FLAGS.rounds)
        if FLAGS.op_by_op:
            few = min(subject.steps, OP_BY_OP_STEPS)
            subject = dataclasses.replace(subject, steps=few)
            compare(name, subject, side, OP_BY_OP, FLAGS.rounds)
    return parts.exit_code(met)


def where():
    """Returns the card's name and the versions of what runs on it, in a line."""
    import jax
    import keras

    said = [f"JAX {jax.__version__}", f"Keras {keras.__version__}"]
    if importlib.util.find_spec("torch") is not None:
        import torch

        said.append(f"PyTorch {torch.__version__}")
    return f"{jax.devices()[0].device_kind}; {', '.join(said)}"


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    names = [LOSSES, *measured_models.SUBJECTS]
    flags.DEFINE_integer("rounds", 9, "Rounds.", 1)
    flags.DEFINE_multi_enum("parts", names, names, "What to measure.")
    flags.DEFINE_bool("op_by_op", True, "Whether to measure steps that way as well.")
    flags.DEFINE_bool(
        "allow_cpu", False, "Without a GPU, try the code on tiny batches."
    )


if __name__ == "__main__":
    define()
    command.run(main)
