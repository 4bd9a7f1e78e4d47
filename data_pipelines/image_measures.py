"""What can be measured of one image without knowing what it shows, by cleanvision.

Pixels come by the one road (`formats.decode`), so what is measured is what a model will
see: turned as EXIF says, the first frame, transparency over white, 16 bits scaled to 8.
cleanvision's own reading takes palette numbers and 16-bit values for brightness, fails
on grey with alpha, and ends at the first file that it cannot read.
"""

import collections
import concurrent.futures
import dataclasses
import hashlib
import math
import os

import numpy as np
import pandas as pd
import tqdm

from data_pipelines import errors

JUDGED = ("dark", "light", "blurry", "low_information", "odd_size", "odd_aspect_ratio")
"""Kinds of issue that cleanvision judges by one image's measures."""

# enough for percentiles of brightness, which cost the most on photographs
_MOST_PIXELS = 2**18


@dataclasses.dataclass(frozen=True)
class Measures:
    """Measures of N images.

    Args:
        values: `pandas.DataFrame` of N rows and cleanvision's columns of raw scores.
        pixels: str [N]; equal where all pixels are equal.
        look: str [N]; cleanvision's perceptual hash (`imagehash.phash`, 64 bits).
    """

    values: pd.DataFrame
    pixels: np.ndarray
    look: np.ndarray


def require():
    """Returns cleanvision's `issue_managers`.

    Raises:
        errors.MissingExtraError: cleanvision is not installed.
    """
    try:
        from cleanvision import issue_managers
    except ImportError as error:
        raise errors.MissingExtraError("a table of image quality", "quality") from error
    return issue_managers


def _measure_one(pixels):
    """Measures uint8 [h, w, 3]; returns (dict of raw scores, pixel hash, look)."""
    from cleanvision.issue_managers import duplicate_issue_manager, image_property
    from PIL import Image

    sum_of_all = hashlib.sha256(f"{pixels.shape}".encode())
    sum_of_all.update(pixels.tobytes())
    if (pixels[..., :1] == pixels[..., 1:]).all():
        pixels = np.ascontiguousarray(pixels[..., 0])
    image = Image.fromarray(pixels)
    step = math.ceil(math.sqrt(image.width * image.height / _MOST_PIXELS))
    sample = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    found = image_property.BrightnessProperty("dark").calculate(sample)
    for measured in (
        image_property.BlurrinessProperty(),
        image_property.EntropyProperty(),
        image_property.AspectRatioProperty(),
        image_property.SizeProperty(),
    ):
        found |= measured.calculate(image)
    look = duplicate_issue_manager.get_hash(
        image, {"hash_type": "phash", "hash_size": 8}
    )
    return found, sum_of_all.hexdigest(), look


def measure(table, max_pixels, progress=False):
    """Measures every image of a label table, one decoding each.

    Args:
        table: `labels.LabelTable` of N readable images (`quality.scan` finds others).
        max_pixels: larger images are refused from their header.
        progress: whether to show a bar on the standard error stream.

    Returns:
        `Measures` of N images.

    Raises:
        errors.MissingExtraError: cleanvision is not installed.
        tf.errors.InvalidArgumentError, tf.errors.NotFoundError: an image is unreadable.
    """
    require()
    import tensorflow as tf

    from data_pipelines import formats

    workers = os.cpu_count() or 1

    def decode(draw):
        pixels = formats.decode(draw["data"], max_pixels)
        return tf.cast(tf.round(pixels), tf.uint8)

    draws = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    decoded = table.storage.read(draws, table.locations).map(
        decode, num_parallel_calls=workers
    )
    found = []
    waiting = collections.deque()
    with (
        concurrent.futures.ThreadPoolExecutor(workers) as pool,
        tqdm.tqdm(total=len(table), desc="measuring quality", unit="image",
                  disable=not progress) as bar,
    ):  # fmt: skip
        for pixels in decoded.as_numpy_iterator():
            # no more images in memory than there are hands
            if len(waiting) > 2 * workers:
                found.append(waiting.popleft().result())
                bar.update()
            waiting.append(pool.submit(_measure_one, pixels))
        for future in waiting:
            found.append(future.result())
            bar.update()
    values, pixels, look = zip(*found, strict=True) if found else ((), (), ())
    return Measures(pd.DataFrame(list(values)), np.array(pixels), np.array(look))


def judge(measures, kinds=JUDGED, thresholds=None):
    """Lets cleanvision say which images have an issue.

    Args:
        measures: `Measures` of N images.
        kinds: some of `JUDGED`.
        thresholds: {kind: score below which an image has the issue}; cleanvision's own
            where a kind is not in it.

    Returns:
        {kind: (bool [N]: whether it has the issue, float64 [N]: score, lower is worse,
        in 0..1)}.

    Raises:
        errors.SettingError: a threshold of a kind that has none.
    """
    thresholds = dict(thresholds or {})
    unknown = sorted(set(thresholds) - set(JUDGED))
    if unknown:
        raise errors.SettingError(
            f"There is no threshold of this kind. Expected: one of {', '.join(JUDGED)}."
            f" Received: {unknown[0]}."
        )
    if not len(measures.values):
        return {kind: (np.zeros(0, bool), np.zeros(0)) for kind in kinds}
    managers = require()
    manager = managers.IssueManagerFactory.from_str("image_property")()
    manager.issues = pd.DataFrame(index=measures.values.index)
    manager.update_params({kind: {"threshold": t} for kind, t in thresholds.items()})
    manager.update_issues(measures.values, list(kinds))
    return {
        kind: (
            manager.issues[f"is_{kind}_issue"].to_numpy(bool),
            manager.issues[f"{kind}_score"].to_numpy(np.float64),
        )
        for kind in kinds
    }
