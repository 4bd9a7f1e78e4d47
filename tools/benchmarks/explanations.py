"""Times our maps beside tf-keras-vis', and occlusion beside its bare forwards.

    python -m tools.benchmarks.explanations
    python -m tools.benchmarks.explanations --rounds=7 --side=96

Keras' DenseNet121 of random weights at 64 pixels, A B A B ... in one run: Grad-CAM and
saliency of a batch of images by tf-keras-vis (A) and by ours (B), and the occlusion of
some images (B) beside as many forwards of images that lie ready (A), at the batch size
of --batch_sizes at which those are fastest. Prints images a second, medians with the
lowest and the highest, and ratios. Then the default model explains 200 errors once, of
two labels each, by Grad-CAM, saliency and occlusion, tracing and pictures included.

Ends with exit code 1 when Grad-CAM is less than 8 or saliency less than 3 times as fast
as tf-keras-vis, occlusion takes more than 1.15 times as long as its forwards, or 200
errors take more than 60 s.
"""

import statistics
import time

from absl import flags

from tools import command

FLAGS = flags.FLAGS

GOALS = {"Grad-CAM": 8.0, "saliency": 3.0}
"""Least ratio of our images a second to those of tf-keras-vis."""
MOST_OCCLUSION = 1.15
"""Greatest ratio of the seconds of occlusion to those of its forwards."""
LABELS = 20
ERRORS, MOST_SECONDS = 200, 60.0


def make_model(side):
    """Returns (DenseNet121 to logits, name of its final feature map)."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.applications.DenseNet121(
        weights=None,
        input_shape=(side, side, 3),
        classes=LABELS,
        classifier_activation=None,
    )
    return model, "relu"


def ways(model, layer, images, label_index):
    """Returns {method: (tf-keras-vis', ours)}, functions that explain all images."""
    import tensorflow as tf
    from tf_keras_vis import gradcam
    from tf_keras_vis import saliency as vis_saliency

    from inclusive_tf.explain import explainable, grad_cam, saliency

    count = len(images)
    # the wrapper spares tf-keras-vis a warning a call
    wrapped = explainable.explainable(model)
    cam, sensor = gradcam.Gradcam(wrapped), vis_saliency.Saliency(wrapped)
    our_cam = grad_cam.GradCam(model, layer, count)
    our_sensor = saliency.Saliency(model, count)

    def score(logits):
        return tf.gather(logits, label_index, batch_dims=1)

    return {
        "Grad-CAM": (
            lambda: cam(
                score,
                images,
                penultimate_layer=layer,
                seek_penultimate_conv_layer=False,
                normalize_cam=False,
            ),
            lambda: our_cam(images, label_index),
        ),
        "saliency": (
            lambda: sensor(score, images, normalize_map=False),
            lambda: our_sensor(images, label_index),
        ),
    }


def bare_forwards(model, forwards, batch_size, side):
    """Returns a function that runs so many compiled forwards of one ready batch."""
    import tensorflow as tf

    from inclusive_tf.explain import explainable

    wrapped = explainable.explainable(model)
    batch = tf.random.stateless_uniform((batch_size, side, side, 3), (0, 0))
    forward = tf.function(lambda pixels: wrapped([pixels], training=False))

    def run():
        for _ in range(-(-forwards // batch_size)):
            forward(batch).numpy()

    return run


def seconds_of(function):
    """Returns how long one call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def measure(functions, rounds):
    """Calls functions in turn, after one call each that is not counted.

    Args:
        functions: {name: function}.
        rounds: how often.

    Returns:
        {name: list of seconds}.
    """
    found = {name: [] for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            taken = seconds_of(function)
            if turn:
                found[name].append(taken)
    return found


def compare_maps(model, layer, images, rounds):
    """Measures both ways of each method; returns {method: (A's, B's seconds)}."""
    import numpy as np

    label_index = np.arange(len(images)) % LABELS
    found = {}
    for method, pair in ways(model, layer, images, label_index).items():
        taken = measure(dict(zip("ab", pair, strict=True)), rounds)
        found[method] = (taken["a"], taken["b"])
    return found


def compare_occlusion(model, images, patch, batch_sizes, rounds):
    """Measures occlusion at the batch size that is best for its forwards.

    Returns:
        (batch size, seconds of the forwards, seconds of occlusion).
    """
    from inclusive_tf.explain import occlusion

    side = images.shape[1]
    places = len(range(0, side - patch, patch // 2)) + 1
    forwards = len(images) * (places**2 + 1)
    bare = {
        size: bare_forwards(model, forwards, size, side)
        for size in batch_sizes
        if size <= forwards
    }
    taken = measure(bare, 1)
    # rounded up to whole batches, and so is occlusion
    best = min(taken, key=lambda size: statistics.median(taken[size]))
    engine = occlusion.Occlusion(model, patch, patch // 2, batch_size=best)
    found = measure({"a": bare[best], "b": lambda: engine.falls(images)}, rounds)
    return best, found["a"], found["b"]


def explain_errors(count):
    """Returns the seconds that the default model takes to explain so many errors."""
    import numpy as np

    from inclusive_tf import models
    from inclusive_tf.explain import cases, errors_to_explain, maps, methods

    config = models.ModelConfig(num_classes=LABELS)
    model, layer = models.build(config)
    shape = (count, config.height, config.width, config.channels)
    images = np.random.default_rng(0).random(shape, np.float32)
    asked = [
        errors_to_explain.ErrorCase(
            row, str(row), 0.0, (), (), row % LABELS, (row + 1) % LABELS
        )
        for row in range(count)
    ]

    def run():
        rows = cases.explain_cases(model, layer, images, asked, cases.ExplainConfig())
        for row in rows:
            for found in row["maps"].values():
                for method in methods.DEFAULT:
                    signed = methods.METHODS[method].signed
                    maps.overlay(row["image"], found[method], signed)

    return seconds_of(run)


def main(_):
    """Measures, prints, and says whether the goals are met."""
    import numpy as np

    model, layer = make_model(FLAGS.side)
    shape = (FLAGS.images, FLAGS.side, FLAGS.side, 3)
    images = np.random.default_rng(0).random(shape, np.float32)
    met = True
    for method, (theirs, ours) in compare_maps(
        model, layer, images, FLAGS.rounds
    ).items():
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"{method}, images/s, median of {FLAGS.rounds} [range]")
        _show("tf-keras-vis", len(images), theirs)
        _show("ours", len(images), ours)
        print(f"  ratio {ratio:.1f}, at least {GOALS[method]:g}", flush=True)
        met = met and ratio >= GOALS[method]
    best, bare, occluded = compare_occlusion(
        model,
        images[: FLAGS.occluded],
        FLAGS.side // 4,
        list(map(int, FLAGS.batch_sizes)),
        FLAGS.rounds,
    )
    ratio = statistics.median(occluded) / statistics.median(bare)
    print(f"occlusion, images/s, batches of {best} [range]")
    _show("its forwards", FLAGS.occluded, bare)
    _show("occlusion", FLAGS.occluded, occluded)
    print(f"  ratio of seconds {ratio:.2f}, at most {MOST_OCCLUSION:g}")
    met = met and ratio <= MOST_OCCLUSION
    taken = explain_errors(ERRORS)
    print(f"{ERRORS} errors explained in {taken:.1f} s, at most {MOST_SECONDS:g}")
    return 0 if met and taken <= MOST_SECONDS else 1


def _show(name, count, seconds):
    print(
        f"  {name:<14}{count / statistics.median(seconds):>8.1f} "
        f"[{count / max(seconds):.1f}, {count / min(seconds):.1f}]"
    )


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("rounds", 5, "Rounds.", 1)
    flags.DEFINE_integer("side", 64, "Side of the images in pixels.", 32)
    flags.DEFINE_integer("images", 16, "Images a batch.", 1)
    flags.DEFINE_integer("occluded", 4, "Images to occlude.", 1)
    flags.DEFINE_list("batch_sizes", ["32", "64", "128"], "Batches of forwards to try.")


if __name__ == "__main__":
    define()
    command.run(main)
