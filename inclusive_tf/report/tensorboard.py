"""The same run for TensorBoard: scalars, hyper-parameters, exposure and error maps."""

import contextlib
import io
import pathlib
import re

from PIL import Image

from data_pipelines import atomic, errors, oneline
from inclusive_tf.report import findings, headline, plots, svg, wording

FOLDER = "report"
_GAP = 8
_QUALITY = 85
"""Of JPEG: as PNG, 500 errors take 70 MB and most of the time."""
_SIMPLE = (bool, int, float, str)


def write(results, cases, log_dir):
    """Writes `log_dir`/report, whole or not at all; an older one is replaced.

    Each row of the results is a run of its own, so that scalars lie over each other and
    the HParams tab shows rows by measures. Names are escaped, since TensorBoard reads
    texts and descriptions as Markdown.

    Args:
        results: the results JSON of a demo, as a dict.
        cases: errors with maps, as `page.render` takes them.
        log_dir: folder that TensorBoard watches.

    Raises:
        errors.DataError: there is nothing to tell.
        errors.StoppedError: the disk is full.
    """
    import tensorflow as tf

    findings.check(results)
    with atomic.folder(pathlib.Path(log_dir) / FOLDER) as temporary:
        for number, row in enumerate(results["rows"]):
            folder = temporary / run_name(number, row["name"])
            with _writing(tf, folder):
                _scalars(tf, results, row)
                _hyper_parameters(results, row)
        with _writing(tf, temporary):
            _texts(tf, results)
            _exposure(tf, results)
            for number, case in enumerate(cases, start=1):
                _error(tf, number, case)


def write_errors(cases, log_dir):
    """Writes errors with their maps to a folder, whole or not at all.

    Args:
        cases: as `page.render` takes them.
        log_dir: the folder, an older one of which is replaced.
    """
    import tensorflow as tf

    with atomic.folder(log_dir) as temporary, _writing(tf, temporary):
        for number, case in enumerate(cases, start=1):
            _error(tf, number, case)


def run_name(number, name):
    """Returns a folder name for a row: its number and what is safe of its name."""
    safe = re.sub(r"[^0-9A-Za-z]+", "-", oneline.clean(name))[:60].strip("-")
    return f"{number}-{safe}" if safe else str(number)


@contextlib.contextmanager
def _writing(tf, folder):
    """A context in which summaries go to `folder`, at step 0.

    Raises:
        errors.StoppedError: they are not whole in the end.
    """
    writer = tf.summary.create_file_writer(str(folder))
    try:
        with writer.as_default(step=0):
            yield
    finally:
        writer.close()
    # on a full disk TensorFlow leaves half an event behind, and says nothing
    events = [str(path) for path in sorted(pathlib.Path(folder).glob("events.*"))]
    try:
        for _ in tf.data.TFRecordDataset(events):
            pass
    except tf.errors.DataLossError as error:
        raise errors.StoppedError(
            f"{folder}: its events are not whole once written. Expected: space on the "
            f"disk, and files that may be as large. Received: {error.message}."
        ) from error


def _scalars(tf, results, row):
    """Writes every measure of the row with the ends of its interval, and its n."""
    for split in findings.splits(results):
        for measure in findings.MEASURES:
            interval = findings.interval(row, split, measure) or {}
            for key in ("value", "low", "high", "n"):
                value = wording.finite(interval.get(key))
                if value is not None:
                    tf.summary.scalar(f"{split}/{measure}/{key}", value)


def hyper_parameters(results, row):
    """Returns {name: value} of a row: its parts, the seed, its run and its flags.

    The parts of all rows become switches, on where this row has them; the constant
    answer has no part and no run.
    """
    parts = row.get("parts", [])
    every = [part for one in findings.models(results) for part in one["parts"]]
    name = row.get("run", row["kind"])
    run = (results.get("runs") or {}).get(name) or {}
    facts = {**(results.get("flags") or {}), **(run.get("flags") or {})}
    facts |= {key: run[key] for key in ("steps", "seconds") if key in run}
    facts |= {"seed": results.get("seed"), "run": name}
    switches = {f"has {part}": part in parts for part in dict.fromkeys(every)}
    return {
        wording.markdown(name): _hyper_parameter(value)
        for name, value in {**switches, **facts}.items()
        if value is not None
    }


def _hyper_parameter(value):
    if isinstance(value, _SIMPLE) and not isinstance(value, str):
        return value
    return wording.markdown(value)


def _hyper_parameters(results, row):
    # imports TensorFlow, and reads Keras only when its callback is used
    from tensorboard.plugins.hparams import api

    api.hparams(hyper_parameters(results, row), trial_id=oneline.short(row["name"]))


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _texts(tf, results):
    facts = {"seed": results.get("seed"), **(results.get("flags") or {})}
    for name, run in (results.get("runs") or {}).items():
        facts |= {f"{name}: {key}": value for key, value in run.items()}
    rows = [[wording.markdown(key), wording.markdown(facts[key])] for key in facts]
    tf.summary.text("run", _table(["what", "value"], rows))
    said = [headline.sentence(results), headline.resampling_sentence(results)]
    notes = (results.get("data") or {}).get("notes") or []
    tf.summary.text("headline", wording.markdown(" ".join(said), 1000))
    if notes:
        said = [f"- {wording.markdown(note, 1000)}" for note in notes]
        tf.summary.text("data", "\n".join(said))


def _exposure(tf, results):
    if not (results.get("exposure") or {}).get("rows"):
        return
    with svg.style():
        pixels = svg.to_pixels(plots.exposure_figure(results["exposure"], narrow=False))
    tf.summary.image("exposure", pixels[None])


def strip(case):
    """Returns an image in RGB: the picture, then a row of maps for every panel."""
    pictures = [[case["image_png"]]]
    pictures += [[one["png"] for one in panel["maps"]] for panel in case["panels"]]
    rows = [
        [Image.open(io.BytesIO(data)).convert("RGB") for data in row]
        for row in pictures
    ]
    width = max(sum(one.width + _GAP for one in row) for row in rows) - _GAP
    height = sum(max(one.height for one in row) + _GAP for row in rows) - _GAP
    sheet = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for one in row:
            sheet.paste(one, (left, top))
            left += one.width + _GAP
        top += max(one.height for one in row) + _GAP
    return sheet


def _error(tf, number, case):
    said = [
        ("image", case["id"]),
        ("why", case["why"]),
        ("group", case["group"]),
        ("true", ", ".join(case["truth"]) or "no label"),
        ("given", ", ".join(case["decided"]) or "no label"),
    ]
    for panel in case["panels"]:
        methods = ", ".join(
            one["method"] + (" (flat)" if one["degenerate"] else "")
            for one in panel["maps"]
        )
        said.append((panel["role"], f"{panel['label']}: {methods}"))
    rows = [[wording.markdown(what), wording.markdown(text)] for what, text in said]
    _image(tf, f"errors/{number:03d}", strip(case), _table(["what", ""], rows))


def _image(tf, tag, image, description):
    """Writes an image as JPEG; `tf.summary.image` knows PNG alone."""
    from tensorboard.plugins.image import metadata

    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    tf.summary.write(
        tag,
        tf.constant([str(image.width), str(image.height), buffer.getvalue()]),
        metadata=metadata.create_summary_metadata("", description),
    )
