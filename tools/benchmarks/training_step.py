"""Times our training step beside Keras' `fit` and the same network in PyTorch.

    python -m tools.benchmarks.training_step
    python -m tools.benchmarks.training_step --settings --models="small ResNet"

The models of `measured_models` learn from one batch in memory, so many steps in turn:
by our compiled step as set by default, by `fit` (DenseNet121 of `keras.applications`;
the small ones are the same layers), and in PyTorch with channels last and its fused
Adam, where it is installed. One large convolution takes its turns beside them: what
share of its rate the step reaches is said, with the step counted as three forward
passes. Ends with exit code 3 where our rate is below that of `fit` or of PyTorch.

--settings compares instead our step in processes of their own, with and without oneDNN
and XLA.
"""

import contextlib
import importlib.util

from absl import flags

from tools import command, parts
from tools.benchmarks import elsewhere, measured_models, training_loop, turns

FLAGS = flags.FLAGS
OURS, FIT, TORCH, LIMIT = "our step", "Keras `fit`", "PyTorch", "one large convolution"
GOALS = (turns.Goal(OURS, FIT, 1.0), turns.Goal(OURS, TORCH, 1.0))
_NO_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "0"}
SETTINGS = {
    "as it is": ({}, False),
    "oneDNN off": (_NO_ONEDNN, False),
    "XLA": ({}, True),
    "XLA, oneDNN off": (_NO_ONEDNN, True),
}
"""{name: (environment variables, jit_compile)}."""


def our_steps(subject, jit_compile=False):
    """Returns a function that takes the subject's steps and returns the last loss."""
    import tensorflow as tf

    from inclusive_tf import losses, models
    from inclusive_tf.training import config, distribution, learner, step

    model, _ = models.build(subject.config)
    settings = config.TrainingConfig(jit_compile=jit_compile)
    take_step = step.make(
        learner.build(model, losses.build(settings.loss), settings, total_steps=10**6),
        distribution.one_device(),
        settings.clip_norm,
        settings.accumulate,
        settings.jit_compile,
    )
    images, targets = map(tf.constant, measured_models.batch(subject))

    def run():
        for _ in range(subject.steps):
            value = take_step(images, targets)
        # waits for the last step
        return value.numpy()

    return run


def steps_of_settings(name, jit_compile):
    """Returns `our_steps` of a name in `measured_models.SUBJECTS`."""
    return our_steps(measured_models.SUBJECTS[name], jit_compile)


def fit_steps(subject):
    """Returns a function that lets `fit` take the steps and returns their seconds."""
    import tensorflow as tf

    batch = dict(
        zip(
            ("image", "target"),
            map(tf.constant, measured_models.batch(subject)),
            strict=True,
        )
    )
    return training_loop.fitting(keras_model(subject.config), batch, subject.steps)


def keras_model(config):
    """Returns what a user of Keras would build of a `models.ModelConfig`."""
    import keras

    from inclusive_tf import models

    if config.name != "densenet121":
        return models.build(config)[0]
    return keras.applications.DenseNet121(
        weights=None,
        input_shape=(config.height, config.width, config.channels),
        classes=config.num_classes,
        classifier_activation=None,
    )


def torch_steps(subject):
    """Returns `torch_models.steps` on all cores."""
    from tools.benchmarks import torch_models

    torch_models.take_all_cores()
    return torch_models.steps(subject)


def compare(name, subject, rounds, large):
    """Measures the ways in turn and prints how they compare.

    Args:
        name: of the model, for the heading.
        subject: `measured_models.Subject`.
        rounds: turns of each.
        large: arguments of `convolutions.large`.

    Returns:
        whether each goal is met.
    """
    from inclusive_tf import models
    from tools.benchmarks import convolutions

    ways = {
        OURS: our_steps(subject),
        FIT: fit_steps(subject),
        TORCH: torch_steps(subject) if has_torch() else None,
        LIMIT: convolutions.large(**large),
    }
    ways = {way: function for way, function in ways.items() if function is not None}
    seconds = turns.take(ways, rounds)
    beside = seconds.pop(LIMIT)
    goals = [goal for goal in GOALS if goal.over in seconds]
    images = subject.batch_size * subject.steps
    print(f"### {measured_models.title(name, subject)}\n")
    met = turns.report("Training step", seconds, images, "images", goals)
    work = (
        images * convolutions.STEP * convolutions.flops(models.build(subject.config)[0])
    )
    limit = LIMIT, convolutions.large_flops(**large), beside
    for way, taken in seconds.items():
        print(convolutions.share(way, work, taken, *limit), flush=True)
    return met


def compare_settings(name, subject, rounds):
    """Measures our step with each of `SETTINGS`, in turn, and prints the table.

    Returns:
        whether no setting is faster than the first by more than 5 %.
    """
    with contextlib.ExitStack() as processes:
        ways = {
            setting: processes.enter_context(
                elsewhere.Elsewhere(
                    f"{__spec__.name}:steps_of_settings", [name, jit_compile], variables
                )
            )
            for setting, (variables, jit_compile) in SETTINGS.items()
        }
        seconds = turns.take(ways, rounds)
    print(
        f"### Settings of the training step, {measured_models.title(name, subject)}\n"
    )
    images = subject.batch_size * subject.steps
    usual = next(iter(SETTINGS))
    goals = [
        turns.Goal(usual, setting, 0.95) for setting in SETTINGS if setting != usual
    ]
    return turns.report("Our step", seconds, images, "images", goals)


def has_torch():
    """Returns whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


def main(_):
    """Measures and prints."""
    from tools.benchmarks import convolutions

    met = True
    for name in FLAGS.models:
        subject = measured_models.SUBJECTS[name]
        if FLAGS.settings:
            met &= compare_settings(name, subject, FLAGS.rounds)
        else:
            met &= compare(name, subject, FLAGS.rounds, convolutions.LARGE)
    if not has_torch() and not FLAGS.settings:
        print("PyTorch is not installed, and is left out.\n")
    return parts.exit_code(met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    names = list(measured_models.SUBJECTS)
    flags.DEFINE_integer("rounds", 9, "Rounds.", 1)
    flags.DEFINE_multi_enum("models", names, names, "Which models.")
    flags.DEFINE_bool("settings", False, "Compare settings of our step instead.")


if __name__ == "__main__":
    define()
    command.run(main)
