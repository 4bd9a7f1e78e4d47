"""Times our predictions beside Keras' `predict` and ONNX Runtime.

    python -m tools.benchmarks.prediction

The models of `measured_models`, untrained, answer the same images in memory, so many
batches in turn: by `inference.Forward`, as `tools.predict` does, by `predict`, and
by ONNX Runtime from the file that Keras exports, where what this takes is installed.
All have to give the same logits. One large convolution takes its turns beside them.
Ends with exit code 3 where our rate is below that of `predict`, or below 0.8 of ONNX
Runtime's.
"""

import sys

from absl import flags

from tools import command, parts
from tools.benchmarks import measured_models, turns

FLAGS = flags.FLAGS
OURS, PREDICT, ONNX = "our prediction", "Keras `predict`", "ONNX Runtime"
LIMIT = "one large convolution"
GOALS = (turns.Goal(OURS, PREDICT, 1.0), turns.Goal(OURS, ONNX, 0.8))
SAME = 1e-4
"""Greatest difference of two ways' logits, and as a share of the larger."""


def ways(subject, with_onnx):
    """Returns {way: function of nothing that returns float32 [N, C] logits}.

    Args:
        subject: `measured_models.Subject`.
        with_onnx: whether ONNX Runtime is one of them.
    """
    import tensorflow as tf

    from inclusive_tf import inference, models

    model, _ = models.build(subject.config)
    size = subject.batch_size
    images = measured_models.images(subject.config, size * subject.batches)
    parts = [images[first : first + size] for first in range(0, len(images), size)]
    tensors = [tf.constant(part) for part in parts]
    forward = inference.Forward(model)
    found = {
        OURS: lambda: forward.over(tensors, len(images))["logits"],
        PREDICT: lambda: model.predict(images, size, verbose=0),
    }
    if with_onnx:
        import numpy as np

        from tools.benchmarks import onnx_models

        print(f"exporting {subject.config.name} to ONNX", file=sys.stderr, flush=True)
        answer = onnx_models.session(model, subject.config, size)
        found[ONNX] = lambda: np.concatenate([answer(part) for part in parts])
    return found


def require_same(answers):
    """Refuses to compare ways that do not do the same.

    Args:
        answers: {way: float32 [N, C] logits}.

    Raises:
        AssertionError: logits differ from ours by more than `SAME`.
    """
    import numpy as np

    for way, logits in answers.items():
        np.testing.assert_allclose(
            logits, answers[OURS], rtol=SAME, atol=SAME, err_msg=way
        )


def compare(name, subject, rounds, large, with_onnx):
    """Measures the ways in turn and prints how they compare.

    Args:
        name: of the model, for the heading.
        subject: `measured_models.Subject`.
        rounds: turns of each.
        large: arguments of `convolutions.large`.
        with_onnx: whether ONNX Runtime is one of them.

    Returns:
        whether each goal is met.
    """
    from inclusive_tf import models
    from tools.benchmarks import convolutions

    measured = ways(subject, with_onnx)
    require_same({way: function() for way, function in measured.items()})
    seconds = turns.take({**measured, LIMIT: convolutions.large(**large)}, rounds)
    beside = seconds.pop(LIMIT)
    goals = [goal for goal in GOALS if goal.over in seconds]
    images = subject.batch_size * subject.batches
    print(f"### {measured_models.title(name, subject)}\n")
    met = turns.report("Prediction", seconds, images, "images", goals)
    work = images * convolutions.flops(models.build(subject.config)[0])
    limit = LIMIT, convolutions.large_flops(**large), beside
    for way, taken in seconds.items():
        print(convolutions.share(way, work, taken, *limit), flush=True)
    return met


def main(_):
    """Measures and prints."""
    from tools.benchmarks import convolutions, onnx_models

    missing, met = onnx_models.missing(), True
    for name in FLAGS.models:
        met &= compare(
            name,
            measured_models.SUBJECTS[name],
            FLAGS.rounds,
            convolutions.LARGE,
            not missing,
        )
    if missing:
        print(f"ONNX Runtime is left out: {', '.join(missing)} not installed.\n")
    return parts.exit_code(met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    names = list(measured_models.SUBJECTS)
    flags.DEFINE_integer("rounds", 9, "Rounds.", 1)
    flags.DEFINE_multi_enum("models", names, names, "Which models.")


if __name__ == "__main__":
    define()
    command.run(main)
