"""Where the bytes of an image lie: in a file of its own, or in a prepared shard.

A storage is a small frozen object that a label table carries. By `read` it turns a
tf.data stream of draws into one that has the bytes beside each draw, in graph; by
`records` it gives the bytes of each location in order; and by `faults` it says which of
its images cannot be decoded.
"""

import dataclasses

import numpy as np

from data_pipelines import errors


def in_order(storage, locations):
    """Returns what `records` gives, of a storage whose `read` has random access."""
    import tensorflow as tf

    rows = tf.data.Dataset.range(len(locations)).map(lambda row: {"example": row})
    return storage.read(rows, locations).map(lambda element: element["data"])


def one(storage, location):
    """Returns the bytes of one image; of a file without loading TensorFlow.

    Args:
        storage: of a label table.
        location: str, what that storage reads.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(storage, Files):
        with open(location, "rb") as file:
            return file.read()
    return next(storage.records(np.array([location])).as_numpy_iterator())


@dataclasses.dataclass(frozen=True)
class Files:
    """Each location is the path of an image file."""

    def read(self, draws, locations):
        """Adds the bytes of each draw's image.

        Args:
            draws: `tf.data.Dataset` of {"example": int64 scalar, ...}.
            locations: str [N], of the label table.

        Returns:
            `tf.data.Dataset` of the same elements with "data", a string scalar.
        """
        import os

        import tensorflow as tf

        # a path can hold bytes that are no UTF-8
        paths = tf.constant(
            [os.fsencode(path) for path in locations.tolist()], tf.string
        )
        return draws.map(
            lambda draw: (
                draw | {"data": tf.io.read_file(tf.gather(paths, draw["example"]))}
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def records(self, locations):
        """Returns a `tf.data.Dataset` of the bytes of each location, in order."""
        return in_order(self, locations)

    def faults(self, locations, image_config, progress=False):
        """Returns a list of `quality.Fault`: the images that cannot be decoded."""
        from data_pipelines import quality

        return quality.scan(locations, image_config, progress)


FILES = Files()

_READ_AT_ONCE = 2**24
_MOST_AT_ONCE = 256
_IMAGE = "image"


@dataclasses.dataclass(frozen=True)
class Records:
    """Each location is the number of a record in ArrayRecord shards, as text.

    A record is a `tf.train.Example` whose feature "image" is the encoded image, as
    TFDS writes it. Records are counted through all shards.

    Args:
        paths: the shards, in order.
        lengths: records of each shard.
        bytes: of all shards together; decides how many records are read at once.
    """

    paths: tuple
    lengths: tuple
    bytes: int

    def read(self, draws, locations):
        """Adds the bytes of each draw's image, read by random access.

        Args:
            draws: `tf.data.Dataset` of {"example": int64 scalar, ...}.
            locations: str [N], of the label table.

        Returns:
            `tf.data.Dataset` of the same elements with "data", a string scalar.

        Raises:
            errors.MissingExtraError: array_record is not installed.
            errors.DataError: a location is no record's number.
        """
        import tensorflow as tf

        numbers = tf.constant(self._numbers(locations))
        source = self._source()

        def fetch(chosen):
            return np.array(source.__getitems__(chosen.tolist()), dtype=object)

        def read_batch(batch):
            # one call of Python for many records
            records = tf.numpy_function(
                fetch, [tf.gather(numbers, batch["example"])], tf.string, stateful=False
            )
            records.set_shape([None])
            feature = {_IMAGE: tf.io.FixedLenFeature([], tf.string)}
            return batch | {"data": tf.io.parse_example(records, feature)[_IMAGE]}

        at_once = int(np.clip(_READ_AT_ONCE / self._mean_bytes(), 1, _MOST_AT_ONCE))
        return (
            draws.batch(at_once)
            .map(read_batch, num_parallel_calls=tf.data.AUTOTUNE)
            .unbatch()
        )

    def records(self, locations):
        """Returns a `tf.data.Dataset` of the bytes of each location, in order."""
        return in_order(self, locations)

    def faults(self, locations, image_config, progress=False):
        """Returns no `quality.Fault`: each image was decoded when it was prepared."""
        return []

    def _mean_bytes(self):
        return max(1.0, self.bytes / max(1, sum(self.lengths)))

    def _numbers(self, locations):
        try:
            numbers = np.asarray(locations).astype(np.int64)
        except ValueError as error:
            raise errors.DataError(
                "a location is not the number of a record", received=str(error)
            ) from error
        total = sum(self.lengths)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < total:
            raise errors.DataError(
                "a location is not the number of a record",
                expected=f"0 to {total - 1}",
                received=f"{numbers.min()} to {numbers.max()}",
            )
        return numbers

    def _source(self):
        try:
            from array_record.python import array_record_data_source
        except ImportError as error:
            raise errors.MissingExtraError("a prepared data set", "tfds") from error
        # told their lengths, it opens a shard when it is first read from
        return array_record_data_source.ArrayRecordDataSource(
            [
                f"{path}[0:{length}]"
                for path, length in zip(self.paths, self.lengths, strict=True)
            ]
        )
