"""Times our maps beside tf-keras-vis', and occlusion beside its bare forwards.

    python -m tools.benchmarks.explanations
    python -m tools.benchmarks.explanations --rounds=7 --side=96

Keras' DenseNet121 of random weights at 64 pixels, A B A B ... in one run: Grad-CAM and
saliency of a batch of images by tf-keras-vis and by ours, beside the limit: one
compiled forward for Grad-CAM, which goes back to the last feature map only, a forward
and backward for saliency; and the occlusion of some images beside as many forwards of
images that lie ready, at the batch size of --batch_sizes at which those are fastest.
Then the default model explains 200 errors once, of two labels each, by Grad-CAM,
saliency and occlusion, tracing and pictures included.

With --xplique_python=PATH, an interpreter of an environment that has xplique (which
needs another TensorFlow), a process of that one waits beside ours and takes its turns.

Prints tables in Markdown. Ends with exit code 3 when Grad-CAM is less than 8 or
saliency less than 3 times as fast as tf-keras-vis, occlusion takes more than 1.15 times
as long as its forwards, or 200 errors take more than 60 s.
"""

import contextlib
import functools
import statistics
import subprocess
import time

from absl import flags

from tools import calling, command, parts
from tools.benchmarks import elsewhere, tables, turns

FLAGS = flags.FLAGS

GOALS = {"Grad-CAM": 8.0, "saliency": 3.0}
"""Least ratio of our images a second to those of tf-keras-vis."""
MOST_OCCLUSION = 1.15
"""Greatest ratio of the seconds of occlusion to those of its forwards."""
LABELS = 20
OCCLUSION, FORWARDS = "occlusion", "its forwards alone"
OURS, THEIRS, FORWARD, BARE, XPLIQUE = (
    "ours",
    "tf-keras-vis",
    "a forward alone",
    "a forward and backward alone",
    "xplique",
)
XPLIQUE_NOTE = (
    "xplique was left out. It needs an environment of its own: `python -m venv E && "
    "E/bin/pip install xplique` (7 GB, with CUDA), then "
    "`--xplique_python=E/bin/python`."
)
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
    """Returns {method: {way: function that explains all images}}."""
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

    @tf.function
    def there_and_back(pixels):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            total = tf.reduce_sum(score(wrapped([pixels], training=False)))
        return tape.gradient(total, pixels)

    @tf.function
    def there(pixels):
        return wrapped([pixels], training=False)

    return {
        "Grad-CAM": {
            THEIRS: lambda: cam(
                score,
                images,
                penultimate_layer=layer,
                seek_penultimate_conv_layer=False,
                normalize_cam=False,
            ),
            OURS: lambda: our_cam(images, label_index),
            FORWARD: lambda: there(tf.constant(images)).numpy(),
        },
        "saliency": {
            THEIRS: lambda: sensor(score, images, normalize_map=False),
            OURS: lambda: our_sensor(images, label_index),
            BARE: lambda: there_and_back(tf.constant(images)).numpy(),
        },
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


@contextlib.contextmanager
def xplique(python, side, images, occluded):
    """Starts a process of another interpreter; see `xplique_maps`.

    Args:
        python: path of the interpreter; empty: none.
        side: of the images in pixels.
        images: a batch.
        occluded: images to occlude.

    Yields:
        {method: {way: function that lets it explain and returns its seconds}}; without
        ways where there is no interpreter.
    """
    methods = (*GOALS, OCCLUSION)
    if not python:
        yield {method: {} for method in methods}
        return
    command_line = [python, "-m", "tools.benchmarks.xplique_maps"]
    with subprocess.Popen(
        [*command_line, *map(str, (side, images, occluded))],
        cwd=calling.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    ) as process:  # fmt: skip

        def explain(method):
            problem = f"xplique failed at {method}: see above"
            return elsewhere.ask(process, method, problem)

        yield {
            method: {XPLIQUE: functools.partial(explain, method)} for method in methods
        }
        process.stdin.close()


def compare_maps(model, layer, images, rounds, peers=None):
    """Measures the ways of each method; returns {method: `turns.take`}.

    Args:
        model: to logits.
        layer: name of its final feature map.
        images: float32 [N, H, W, C].
        rounds: how often.
        peers: what `xplique` yields; None: no such.
    """
    import numpy as np

    label_index = np.arange(len(images)) % LABELS
    return {
        method: turns.take(own | (peers or {}).get(method, {}), rounds)
        for method, own in ways(model, layer, images, label_index).items()
    }


def compare_occlusion(model, images, patch, batch_sizes, rounds, peers=None):
    """Measures occlusion at the batch size that is best for its forwards.

    Returns:
        (batch size, `turns.take` of the forwards, of occlusion and of `peers`).
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
    taken = turns.take(bare, 1)
    # rounded up to whole batches, and so is occlusion
    best = min(taken, key=lambda size: statistics.median(taken[size]))
    engine = occlusion.Occlusion(model, patch, patch // 2, batch_size=best)
    own = {FORWARDS: bare[best], OURS: lambda: engine.falls(images)}
    return best, turns.take(own | (peers or {}).get(OCCLUSION, {}), rounds)


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

    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main(_):
    """Measures, prints, and says whether the goals are met."""
    import numpy as np

    model, layer = make_model(FLAGS.side)
    shape = (FLAGS.images, FLAGS.side, FLAGS.side, 3)
    images = np.random.default_rng(0).random(shape, np.float32)
    met = True
    with xplique(
        FLAGS.xplique_python, FLAGS.side, FLAGS.images, FLAGS.occluded
    ) as peers:
        for method, taken in compare_maps(
            model, layer, images, FLAGS.rounds, peers
        ).items():
            goals = [turns.Goal(OURS, THEIRS, GOALS[method])]
            met &= turns.report(method, taken, len(images), "images", goals)
        sizes = list(map(int, FLAGS.batch_sizes))
        few, patch = images[: FLAGS.occluded], FLAGS.side // 4
        best, taken = compare_occlusion(model, few, patch, sizes, FLAGS.rounds, peers)
    goal = turns.Goal(OURS, FORWARDS, MOST_OCCLUSION, "time")
    title = f"{OCCLUSION}, batches of {best}"
    met &= turns.report(title, taken, len(few), "images", [goal])
    if not FLAGS.xplique_python:
        print(f"{XPLIQUE_NOTE}\n")
    seconds = explain_errors(ERRORS)
    figure = tables.Figure(
        f"{ERRORS} errors explained", seconds, "{:.1f} s", most=MOST_SECONDS
    )
    return parts.exit_code(tables.report("The default model", [figure]) & met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("rounds", 5, "Rounds.", 1)
    flags.DEFINE_integer("side", 64, "Side of the images in pixels.", 32)
    flags.DEFINE_integer("images", 16, "Images a batch.", 1)
    flags.DEFINE_integer("occluded", 4, "Images to occlude.", 1)
    flags.DEFINE_string(
        "xplique_python", "", "Interpreter that has xplique; empty: it is left out."
    )
    flags.DEFINE_list("batch_sizes", ["32", "64", "128"], "Batches of forwards to try.")


if __name__ == "__main__":
    define()
    command.run(main)
