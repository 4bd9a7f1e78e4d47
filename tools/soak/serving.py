"""Serves an exported model to many callers at once and watches answers and memory.

    python -m tools.soak.serving
    python -m tools.soak.serving --requests=500 --callers=8

Exports a small model of random weights, loads it as a stranger would, and sends
requests of 1 to 8 images from --callers threads: JPEG, PNG, GIF, BMP and WebP of many
sizes, and in every fifth request one file that is no image, truncated, empty or a bomb.
Each good request has to give the logits of the model called directly, each bad one an
error of its own, and no batch size a new trace. Resident memory after a tenth of the
requests is compared with that at the end. Exit code 1 where any of that fails.
"""

import concurrent.futures
import io
import pathlib
import struct
import tempfile
import time

from absl import flags

from tools import command

FLAGS = flags.FLAGS

MOST_GROWTH = 0.05
MOST_IMAGES = 8
BAD_EVERY = 5
TOLERANCE = 1e-4


def pictures(count, seed=0):
    """Returns a list of bytes: image files of several forms and sizes."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        form = ("JPEG", "PNG", "GIF", "BMP", "WEBP")[number % 5]
        pixels = random.integers(0, 256, (*random.integers(8, 300, 2), 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, form)
        found.append(file.getvalue())
    return found


def malformed(good):
    """Returns a list of bytes: what is no image, one of which claims to be huge."""
    png = next(one for one in good if one.startswith(b"\x89PNG"))
    bomb = png[:16] + struct.pack(">II", 60_000, 60_000) + png[24:]
    cut = [one[: len(one) // 2] for one in good[:5]]
    return [b"", b"<html></html>", bytes(1000), bomb, *cut]


def resident():
    """Returns the resident memory of this process, in MiB."""
    for line in pathlib.Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def export(folder):
    """Exports a small model.

    Returns:
        a function from a list of bytes to float32 [B, C]: the model's own logits.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    from data_pipelines import images, labels
    from inclusive_tf import export as savedmodel
    from inclusive_tf import models

    keras.utils.set_random_seed(0)
    config = images.ImageConfig(32, 32, 3)
    shape = {"num_classes": 20, "height": 32, "width": 32, "channels": 3}
    colours = {"mean": (0.5, 0.5, 0.5), "deviation": (0.25, 0.25, 0.25)}
    model, _ = models.build(models.ModelConfig(**shape, **colours))
    names = labels.Vocabulary([f"/m/{number}" for number in range(20)])
    savedmodel.export(model, config, names, 0.0, folder)

    def logits(files):
        pixels = np.stack([images.decode(tf.constant(one), config) for one in files])
        return np.asarray(model(pixels, training=False))

    return logits


def measure(folder, logits, requests, callers, seed=0):
    """Sends the requests.

    Args:
        folder: of the export.
        logits: as `export` returns.
        requests: how many.
        callers: how many threads.
        seed: of what each request holds.

    Returns:
        a dict: requests, images, wrong answers, errors, missing errors, traces before
        and after, MiB after warm-up, at the end and at most, images and requests a
        second.
    """
    import numpy as np
    import tensorflow as tf

    good = pictures(40, seed)
    bad = malformed(good)
    expected = np.asarray(logits(good))
    loaded = tf.saved_model.load(str(folder))
    served = loaded.serving_default
    served(tf.constant(good[:1]))
    traces = len(served.concrete_functions)

    def ask(number):
        random = np.random.default_rng((seed, number))
        chosen = random.integers(0, len(good), random.integers(1, MOST_IMAGES + 1))
        files = [good[one] for one in chosen]
        is_bad = number % BAD_EVERY == 0
        if is_bad:
            files[random.integers(len(files))] = bad[number // BAD_EVERY % len(bad)]
        try:
            answer = served(tf.constant(files))
        except tf.errors.InvalidArgumentError:
            return "refused" if is_bad else "wrong"
        if is_bad:
            return "missed"
        close = np.allclose(answer["logits"], expected[chosen], atol=TOLERANCE)
        return "right" if close else "wrong"

    counts = dict.fromkeys(("right", "wrong", "refused", "missed"), 0)
    memory, start = [], time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        for number, answer in enumerate(pool.map(ask, range(requests)), 1):
            counts[answer] += 1
            if number % max(1, requests // 100) == 0:
                memory.append(resident())
    seconds = time.monotonic() - start
    warm = memory[len(memory) // 10 :]
    return {
        **counts,
        "requests": requests,
        "callers": callers,
        "traces": (traces, len(served.concrete_functions)),
        "memory": (warm[0], warm[-1], max(warm)),
        "per_second": requests / seconds,
    }


def is_sound(found):
    """Says whether nothing failed and memory stayed flat."""
    first, last, _ = found["memory"]
    return (
        not found["wrong"]
        and not found["missed"]
        and found["traces"][0] == found["traces"][1]
        and last <= first * (1 + MOST_GROWTH)
    )


def text(found):
    """Returns the figures as a Markdown list."""
    first, last, most = found["memory"]
    return f"""\
- {found["requests"]:,} requests of 1 to {MOST_IMAGES} images by {found["callers"]} \
threads, {found["per_second"]:.0f} a second
- good requests: {found["right"]:,} right, {found["wrong"]} wrong
- requests with a malformed image: {found["refused"]:,} refused by an error of their \
own, {found["missed"]} not refused
- traces of the served function: {found["traces"][0]} before, {found["traces"][1]} after
- resident memory: {first:.0f} MiB after the first tenth, {last:.0f} at the end \
({last / first - 1:+.1%}), {most:.0f} at most"""


def define():
    """Defines the flags."""
    flags.DEFINE_integer("requests", 10_000, "How many requests.", 10)
    flags.DEFINE_integer("callers", 64, "How many threads ask at once.", 1)


def main(_):
    """Exports, measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        logits = export(pathlib.Path(folder) / "export")
        found = measure(
            pathlib.Path(folder) / "export", logits, FLAGS.requests, FLAGS.callers
        )
    print(text(found))
    return 0 if is_sound(found) else 1


if __name__ == "__main__":
    define()
    command.run(main)
