"""Which image files cannot be read, found before training and named.

One bad image never stops a run and is never dropped in silence: it is named in
`quarantine.csv`, and a run with too many of them does not start.
"""

import dataclasses
import os
import re
import stat

import numpy as np
import tqdm

from data_pipelines import atomic, errors, strict_csv

_BATCH = 256
_HEAD_BYTES = 512
_NAMED = 5
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|svg|!--)", re.IGNORECASE)
_FORMS = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"RIFF": "WebP",
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """A file that does not become an image.

    Args:
        row: its place among the scanned paths, from 0.
        path: as given to `scan`.
        reason: why, for a person to read.
    """

    row: int
    path: str
    reason: str


def scan(paths, config, progress=False):
    """Decodes every image as training would, and names those that fail.

    Args:
        paths: str [N], the files.
        config: `images.ImageConfig`.
        progress: whether to show a bar on the standard error stream.

    Returns:
        list of `Fault`, in the order of `paths`; empty when all is well.
    """
    # here, so that tables can be read and written without TensorFlow
    import tensorflow as tf

    from data_pipelines import images

    paths = [str(path) for path in paths]
    if not paths:
        return []
    read = np.zeros(len(paths), bool)

    def read_and_decode(row, path):
        image = images.decode(tf.io.read_file(path), config)
        # without a pixel in the result, optimisers would decode nothing
        return row, image[0, 0, 0]

    rows = tf.data.Dataset.from_tensor_slices(
        (np.arange(len(paths)), [os.fsencode(path) for path in paths])
    ).map(read_and_decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
    rows = rows.ignore_errors().batch(_BATCH).prefetch(tf.data.AUTOTUNE)
    with tqdm.tqdm(
        total=len(paths), desc="checking images", unit="image", disable=not progress
    ) as bar:
        for batch, _ in rows.as_numpy_iterator():
            read[batch] = True
            bar.update(len(batch))
        faults = []
        for row in np.flatnonzero(~read).tolist():
            reason = _reason(paths[row], config)
            if reason is not None:
                faults.append(Fault(row, paths[row], reason))
            bar.update(1)
    return faults


class Scans:
    """What was found of the images of a data set, so that none is decoded twice."""

    def __init__(self):
        self._found = {}

    def faults(self, storage, locations, config, progress=False):
        """Returns what `storage.faults` does; only images not met before are decoded.

        Args:
            storage: of the data set, the same in all calls.
            locations: str [N].
            config: `images.ImageConfig`.
            progress: whether to show a bar on the standard error stream.
        """
        found = self._found.setdefault(config, {})
        places = list(map(str, locations))
        new = [place for place in dict.fromkeys(places) if place not in found]
        found.update(dict.fromkeys(new))
        for fault in storage.faults(np.array(new, str), config, progress):
            found[new[fault.row]] = fault
        return [
            dataclasses.replace(found[place], row=row)
            for row, place in enumerate(places)
            if found[place] is not None
        ]


def write_quarantine(path, faults, ids):
    """Writes quarantine.csv, a row a fault: id, path, reason.

    Args:
        path: the file to write.
        faults: list of `Fault`.
        ids: str [N], the ids of the scanned paths.
    """
    atomic.write_csv(
        path,
        ["id", "path", "reason"],
        [
            # a file name can hold bytes that are no text
            [strict_csv.for_people(strict_csv.printable_name(part)) for part in row]
            for row in (
                (str(ids[fault.row]), fault.path, fault.reason) for fault in faults
            )
        ],
    )


def apply(table, faults, max_bad_fraction):
    """Takes the faulty images out of a label table.

    Args:
        table: `labels.LabelTable` whose rows were scanned.
        faults: list of `Fault`.
        max_bad_fraction: largest tolerable share of faulty images in any split, 0..1;
            a single one is tolerated in each unless it is 0.

    Returns:
        `labels.LabelTable` of the readable images, in the same order.

    Raises:
        errors.DataError: more images are faulty, or none of a split is readable.
    """
    if not faults:
        return table
    for split, name in enumerate(table.split_names):
        its = [fault for fault in faults if table.split[fault.row] == split]
        size = np.count_nonzero(table.split == split)
        # one bad image never stops a run, however small, unless none is allowed
        allowed = max(1.0, max_bad_fraction * size) if max_bad_fraction else 0
        if len(its) > allowed:
            raise errors.DataError(
                f"too many images of split {name} cannot be read",
                expected=f"at most {max_bad_fraction:.2%} of {size}",
                received=f"{len(its)}, such as {_named(its)}",
            )
    readable = np.ones(len(table), bool)
    readable[[fault.row for fault in faults]] = False
    left = table.take(readable)
    before, after = table.split_counts(), left.split_counts()
    for split, count in before.items():
        if count and not after[split]:
            its = [
                fault
                for fault in faults
                if table.split_names[table.split[fault.row]] == split
            ]
            raise errors.DataError(
                f"no image of split {split} can be read",
                expected="at least one",
                received=f"{len(its)} faults, such as {_named(its)}",
            )
    return left


def _named(faults):
    return "; ".join(f"{fault.path} ({fault.reason})" for fault in faults[:_NAMED])


def _reason(path, config):
    """Says why one file is no image, or None when at second sight it is one."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return "not a file"
        if not status.st_size:
            return "the file is empty"
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    except ValueError as error:
        return f"not a path: {error}"
    if _MARKUP.match(data[:_HEAD_BYTES]):
        return "a web page or other markup, not an image"
    return _undecodable(data, config)


def _undecodable(data, config):
    import tensorflow as tf

    from data_pipelines import graphs, images

    try:
        images.decode(tf.constant(data), config)
    except tf.errors.InvalidArgumentError as error:
        said = graphs.said(error)
        if said is not None:
            return said
        for magic, form in _FORMS.items():
            if data.startswith(magic):
                return f"the {form} is damaged or truncated"
        return "damaged"
    except tf.errors.ResourceExhaustedError:
        return "memory does not suffice to decode the image"
    except tf.errors.OpError as error:
        return f"TensorFlow cannot decode it: {type(error).__name__}"
    return None
