"""The storage of a TFDS set as it comes: TFRecords in order, ArrayRecords at random.

What is read are the bytes of images as they were stored (PNG or JPEG).
"""

import dataclasses
import functools

import numpy as np

from data_pipelines import errors, storage, tfds_sets

_READ_AT_ONCE = 2**24


@functools.lru_cache(maxsize=8)
def _opened(name, data_dir):
    return tfds_sets.open_set(name, data_dir)


@dataclasses.dataclass(frozen=True)
class TfdsRecords:
    """Each location is `k:p`, the p-th example of the k-th split, both from 0.

    Args:
        name: `set/config:version`.
        data_dir: folder of TFDS sets; empty means TFDS' own.
        splits: TFDS' names of the splits.
        image: path of the image's feature.
    """

    name: str
    data_dir: str
    splits: tuple
    image: str = "image"

    def _builder(self):
        return _opened(self.name, self.data_dir)

    def read(self, draws, locations):
        """Adds the bytes of each draw's image, read by random access.

        Args:
            draws: `tf.data.Dataset` of {"example": int64 scalar, ...}.
            locations: str [N], of the label table.

        Returns:
            `tf.data.Dataset` of the same elements with "data", a string scalar.

        Raises:
            errors.SettingError: the set's files are TFRecords.
        """
        import tensorflow as tf

        builder = self._builder()
        if not tfds_sets.has_random_access(builder):
            raise errors.SettingError(
                f"The TFDS set {self.name} has no random access. Expected: "
                "--carrier=streaming, or a set made of it by tools.prepare. Received: "
                f"files of format {builder.info.file_format.value}."
            )
        split, position = (tf.constant(part) for part in _places(locations))
        sources = [
            builder.as_data_source(split=name).data_source for name in self.splits
        ]

        def fetch(splits, positions):
            records = np.empty(len(splits), dtype=object)
            for number in np.unique(splits):
                of_split = splits == number
                records[of_split] = tfds_sets.raw(sources[number], positions[of_split])
            return records

        def add_records(batch):
            rows = batch["example"]
            return batch | {
                "data": tfds_sets.fetched(
                    fetch, tf.gather(split, rows), tf.gather(position, rows)
                )
            }

        parse = tfds_sets.parser(builder, tfds_sets.decoding([self.image], self.image))
        size = builder.info.dataset_size / max(
            1, sum(info.num_examples for info in builder.info.splits.values())
        )
        at_once = int(np.clip(_READ_AT_ONCE / max(size, 1), 1, tfds_sets.MOST_AT_ONCE))
        return (
            draws.batch(at_once)
            .map(add_records, num_parallel_calls=tf.data.AUTOTUNE)
            .unbatch()
            .map(
                lambda draw: (
                    draw | {"data": tfds_sets.at(parse(draw["data"]), self.image)}
                ),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        )

    def records(self, locations):
        """Returns the bytes of each location's image, in the order given.

        Args:
            locations: str [N]. Of a set of TFRecords they must ascend within a split.

        Returns:
            `tf.data.Dataset` of N string scalars.

        Raises:
            errors.DataError: the order is one that a stream cannot have.
        """
        import tensorflow as tf

        builder = self._builder()
        if tfds_sets.has_random_access(builder):
            return storage.in_order(self, locations)
        if not len(locations):
            return tf.data.Dataset.from_tensor_slices(tf.constant([], tf.string))
        split, position = _places(locations)
        starts = np.flatnonzero(np.diff(split, prepend=-1))
        streams = []
        for start, end in zip(starts, [*starts[1:], len(split)], strict=True):
            if (np.diff(position[start:end]) <= 0).any():
                raise errors.DataError(
                    "a stream of TFRecords has an order of its own",
                    expected="examples in the order of the TFDS set",
                    received="another order",
                    file=self.name,
                )
            streams.append(
                self._stream(builder, self.splits[split[start]], position[start:end])
            )
        return functools.reduce(lambda one, other: one.concatenate(other), streams)

    def _stream(self, builder, split, positions):
        import tensorflow as tf

        wanted = np.zeros(positions[-1] + 1, bool)
        wanted[positions] = True
        found = tfds_sets.elements(builder, split, [self.image], self.image).take(
            len(wanted)
        )
        if not wanted.all():
            chosen = tf.constant(wanted)
            found = (
                found.enumerate()
                .filter(lambda row, _: tf.gather(chosen, row))
                .map(lambda _, element: element)
            )
        return found.map(lambda element: tfds_sets.at(element, self.image)).apply(
            tf.data.experimental.assert_cardinality(len(positions))
        )

    def faults(self, locations, config, progress=False):
        """Decodes every image once, and names those that fail, as `quality.scan` does.

        Args:
            locations: str [N].
            config: `images.ImageConfig`.
            progress: whether to show a bar on the standard error stream.

        Returns:
            list of `quality.Fault`, in order.
        """
        import tensorflow as tf
        import tqdm

        from data_pipelines import images, quality

        def decode(row, data):
            # without a pixel in the result, optimisers would decode nothing
            return row, images.decode(data, config)[0, 0, 0]

        rows = (
            self.records(locations)
            .enumerate()
            .map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
            .ignore_errors()
            .batch(tfds_sets.MOST_AT_ONCE)
        )
        read = np.zeros(len(locations), bool)
        with tqdm.tqdm(
            total=len(locations), desc="checking images", unit="image",
            disable=not progress,
        ) as bar:  # fmt: skip
            for batch, _ in rows.as_numpy_iterator():
                read[batch] = True
                bar.update(len(batch))
        return [
            quality.Fault(
                int(row), f"{self.name} {locations[row]}", "the image cannot be decoded"
            )
            for row in np.flatnonzero(~read)
        ]


def _places(locations):
    """Returns (int64 [N] split, int64 [N] position) of locations `k:p`."""
    if not len(locations):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    parts = np.char.partition(np.asarray(locations, dtype=str), ":")
    try:
        return parts[:, 0].astype(np.int64), parts[:, 2].astype(np.int64)
    except (ValueError, IndexError) as error:
        raise errors.DataError(
            "a location is none of a TFDS set", expected="split:position"
        ) from error
