"""Times a report of errors beside the encoding of its pictures as PNG alone.

    python -m tools.benchmarks.report
    python -m tools.benchmarks.report --errors=100 --rounds=7

From so many errors, each an image with maps of two labels by the default methods and
two training images beside it, to the page of `tools.explain`: scaling, colouring,
laying over and PNG (`explain.gallery`), then the page, which makes small JPEGs of these
(`report.errors_page`). In turn with it, the same pictures, as large as they are shown,
their pixels lying ready, are encoded as PNG by Pillow.

Prints tables in Markdown. Ends with exit code 3 where the report takes more than twice
as long as the PNGs alone.
"""

import io
import pathlib
import statistics
import tempfile
import time

from absl import flags

from tools import command, parts
from tools.benchmarks import tables, turns

FLAGS = flags.FLAGS

MOST_RATIO = 2.0
OURS, PNG = "report", "PNG alone"
LABELS = 15
FACTS = {"row": "as trained", "split": "test", "given_from": 0.5}


def _smooth(generator, rough, size):
    """float32 [H, W] of 0..1, bicubic between random values of size `rough`."""
    import numpy as np
    from PIL import Image

    values = generator.random(rough, np.float32)
    width_and_height = size[::-1]
    drawn = Image.fromarray(values).resize(width_and_height, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(drawn), 0, 1)


def make(count, height, width, channels):
    """Explained errors, as `explain.cases.explain_cases` returns them.

    Returns:
        (rows, `predictions.Predictions`, training images float32 [N, H, W, C]).
    """
    import numpy as np

    from data_pipelines import labels
    from inclusive_tf import predictions
    from inclusive_tf.explain import errors_to_explain, methods

    generator = np.random.default_rng(0)
    size = (height, width)
    rough = (max(2, height // 3), max(2, width // 3))

    def image():
        planes = [_smooth(generator, rough, size) for _ in range(channels)]
        grain = generator.normal(0, 0.02, (*size, channels))
        return np.clip(np.stack(planes, axis=-1) + grain, 0, 1).astype(np.float32)

    def of_label(label):
        found = {"label": label}
        for name in methods.DEFAULT:
            values = _smooth(generator, (4, 7), size)
            found[name] = 2 * values - 1 if methods.METHODS[name].signed else values
        return found

    rows = []
    for row in range(count):
        wrong, missed = row % LABELS, (row + 1) % LABELS
        case = errors_to_explain.ErrorCase(
            row, str(row), 1.0, (missed,), (wrong,), wrong, missed
        )
        maps = {"wrong": of_label(wrong), "missed": of_label(missed)}
        rows.append({"case": case, "image": image(), "maps": maps})
    predicted = predictions.Predictions(
        ids=np.arange(count).astype(str),
        logits=generator.normal(size=(count, LABELS)).astype(np.float32),
        features=np.zeros((count, 1), np.float32),
        truth=labels.SparseLabels.from_lists(
            [[(row + 1) % LABELS] for row in range(count)], LABELS
        ),
        unlisted_is_absent=True,
        group=np.zeros(count, np.int32),
        group_names=("north",),
        training_counts=np.arange(LABELS) + 1,
        vocabulary=labels.Vocabulary(tuple(f"l{label}" for label in range(LABELS))),
        source={},
    )
    return rows, predicted, np.stack([image() for _ in range(count)])


def describe(rows, predicted, training):
    """Returns the cases of a page, each with two training images beside it."""
    from inclusive_tf.explain import gallery

    described = gallery.describe(rows, ["loss"] * len(rows), predicted, "test")
    for number, case in enumerate(described):
        for step, role in enumerate(("wrong", "missed")):
            other = (number + step) % len(training)
            gallery.add_example(case, role, str(other), training[other], ["l0"], 1.0)
    return described


def pictures(described):
    """Yields the PNG bytes of all that is shown."""
    for case in described:
        yield case["image_png"]
        for panel in case["panels"]:
            for one in panel["maps"]:
                yield one["png"]
            for one in panel["examples"]:
                yield one["image_png"]


def decoded(described):
    """Returns the pictures as Pillow images whose pixels lie ready."""
    from PIL import Image

    found = []
    for data in pictures(described):
        with Image.open(io.BytesIO(data)) as image:
            found.append(image.copy())
    return found


def encode(images):
    """Encodes as PNG; returns the bytes of all."""
    size = 0
    for image in images:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        size += buffer.tell()
    return size


def write(described, folder):
    """Writes the folder's page; returns its bytes."""
    from inclusive_tf.report import errors_page

    return errors_page.write(described, FACTS, [], pathlib.Path(folder) / "errors.html")


def measure(made, folder, rounds):
    """Takes both ways in turn.

    Args:
        made: what `make` returned.
        folder: for the page.
        rounds: how often.

    Returns:
        ({way: [seconds]}, [seconds of the pictures in each report], bytes of the
        pictures, of the page).
    """
    drawing, pages = [], []
    # imports are no part of the work
    rows, predicted, training = made
    write(describe(rows[:2], predicted, training), folder)
    ready = decoded(describe(*made))

    def report():
        began = time.perf_counter()
        described = describe(*made)
        drawing.append(time.perf_counter() - began)
        pages.append(write(described, folder))

    ways = {OURS: report, PNG: lambda: encode(ready)}
    seconds = turns.take(ways, rounds, warm_up=0)
    return seconds, drawing, encode(ready), pages[0]


def main(_):
    """Measures, prints, and says whether the goal is met."""
    from inclusive_tf import models

    config = models.ModelConfig(num_classes=LABELS)
    made = make(FLAGS.errors, config.height, config.width, config.channels)
    with tempfile.TemporaryDirectory() as folder:
        seconds, drawing, of_pictures, of_page = measure(made, folder, FLAGS.rounds)
    goal = turns.Goal(OURS, PNG, MOST_RATIO, "time")
    title = f"A report of {FLAGS.errors} errors"
    is_met = turns.report(title, seconds, FLAGS.errors, "errors", [goal])
    share = statistics.median(drawing) / statistics.median(seconds[OURS])
    tables.report(
        "In the report",
        [
            tables.Figure("share of the time that makes pictures", share, "{:.0%}"),
            tables.Figure("its pictures as PNG", of_pictures / 1e6, "{:.1f} MB"),
            tables.Figure("its page", of_page / 1e6, "{:.1f} MB"),
        ],
    )
    return parts.exit_code(is_met)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_integer("errors", 500, "Errors of the report.", 1, 500)
    flags.DEFINE_integer("rounds", 3, "Rounds.", 1)


if __name__ == "__main__":
    define()
    command.run(main)
