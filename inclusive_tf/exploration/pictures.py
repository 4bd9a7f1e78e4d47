"""Images read for a page: their size and light measured, and small copies of them.

They take the one road that training takes (`data_pipelines.formats`), so what is
measured is what a model would see: EXIF turned, transparency over white, first frame.
"""

import dataclasses

import numpy as np
import tqdm

from data_pipelines import storage

_SMALL = 64
_FORMS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"RIFF": "WebP",
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image that was read.

    Args:
        width, height: pixels, as shown (EXIF turned).
        size: bytes of the file or record.
        form: "JPEG", "PNG", "GIF", "BMP" or "WebP".
        brightness: mean luma of ITU-R BT.601, 0..1.
        contrast: standard deviation of the luma over pixels, 0..0.5 (the RMS contrast
            of Peli 1990).
        thumbnail: bytes of a small copy.
        thumbnail_type: "image/png" or "image/jpeg".
    """

    width: int
    height: int
    size: int
    form: str
    brightness: float
    contrast: float
    thumbnail: bytes
    thumbnail_type: str


def _stream(table, side):
    """tf.data.Dataset of what is measured of each image of a table, in graph."""
    import tensorflow as tf

    from data_pipelines import formats, images

    luma = tf.constant([0.299, 0.587, 0.114]) / 255.0

    def measure(draw):
        image = formats.decode(draw["data"], images.ImageConfig.max_pixels)
        light = tf.reduce_sum(image * luma, axis=-1)
        found = {
            "example": draw["example"],
            "shape": tf.shape(image)[:2],
            "size": tf.strings.length(draw["data"]),
            "start": tf.strings.substr(draw["data"], 0, 4),
            "brightness": tf.reduce_mean(light),
            "contrast": tf.math.reduce_std(light),
        }
        return found | {"thumbnail": thumbnail(image)}

    def thumbnail(image):
        shape = tf.cast(tf.shape(image)[:2], tf.float32)
        scale = tf.minimum(1.0, side / tf.reduce_max(shape))
        size = tf.maximum(1, tf.cast(tf.round(shape * scale), tf.int32))
        small = tf.image.resize(image, size, antialias=True)
        small = tf.cast(tf.clip_by_value(tf.round(small), 0.0, 255.0), tf.uint8)
        return tf.cond(
            tf.reduce_max(tf.shape(image)[:2]) <= _SMALL,
            lambda: tf.io.encode_png(small),
            lambda: tf.io.encode_jpeg(small, quality=82),
        )

    draws = tf.data.Dataset.range(len(table)).map(lambda row: {"example": row})
    read = table.storage.read(draws, table.locations)
    measured = read.map(measure, num_parallel_calls=tf.data.AUTOTUNE)
    return measured.ignore_errors().prefetch(tf.data.AUTOTUNE)


def _picture(found):
    form = next(
        (name for start, name in _FORMS.items() if found["start"].startswith(start)),
        "other",
    )
    thumbnail = bytes(found["thumbnail"])
    return Picture(
        width=int(found["shape"][1]),
        height=int(found["shape"][0]),
        size=int(found["size"]),
        form=form,
        brightness=float(found["brightness"]),
        contrast=float(found["contrast"]),
        thumbnail=thumbnail,
        thumbnail_type="image/png" if thumbnail.startswith(b"\x89") else "image/jpeg",
    )


def read(table, examples, side, progress=False):
    """Reads images of a table and measures them.

    Args:
        table: `labels.LabelTable`.
        examples: int [k]; the rows to read.
        side: pixels of a thumbnail's longer side, at most.
        progress: whether to show a bar on the standard error stream.

    Returns:
        ({row: `Picture`}, {row: why it could not be read}), each row in one of them.
    """
    if not len(examples):
        return {}, {}
    part = table.take(np.asarray(examples, np.int64))
    pictures = {}
    with tqdm.tqdm(
        total=len(part), desc="reading images", unit="image", disable=not progress
    ) as bar:
        for found in _stream(part, side).as_numpy_iterator():
            pictures[int(examples[found["example"]])] = _picture(found)
            bar.update()
    missing = [int(row) for row in examples if int(row) not in pictures]
    return pictures, dict(zip(missing, _reasons(table, missing), strict=True))


def _reasons(table, rows):
    if not rows:
        return []
    reasons = ["it cannot be read"] * len(rows)
    if isinstance(table.storage, storage.Files):
        from data_pipelines import images, quality

        config = images.ImageConfig(height=1, width=1)
        for fault in quality.scan(table.locations[rows].tolist(), config):
            reasons[fault.row] = fault.reason
    return reasons
