"""Balances two classes with TensorFlow's own means, as its guides do.

Each way gives an endless stream of batches (float32 [B, side, side, 3] in 0..1, int32
[B] class). Images are decoded by the bare operations: no check of form or size, no
orientation.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Images:
    """What is made of each image.

    Args:
        side: pixels of height and width.
        batch_size: images a batch.
    """

    side: int = 224
    batch_size: int = 32

    def pixels(self, data):
        """Decodes a JPEG (string scalar) to float32 [side, side, 3] in 0..255."""
        import tensorflow as tf

        image = tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE")
        return tf.image.resize(image, [self.side, self.side], antialias=True)

    def decoded(self, records):
        """Maps (bytes, class) to (pixels in 0..1, class)."""
        return _mapped(records, lambda data, label: (self.pixels(data) / 255.0, label))

    def batches(self, images):
        """Batches (pixels, class)."""
        import tensorflow as tf

        return images.batch(self.batch_size, drop_remainder=True).prefetch(
            tf.data.AUTOTUNE
        )


def files(paths, classes):
    """Returns the endless (bytes, class) of files, in order."""
    import tensorflow as tf

    named = tf.data.Dataset.from_tensor_slices((paths, classes.astype("int32")))
    return _read(named.repeat())


def tfrecords(paths):
    """Returns the endless (bytes, class) of TFRecords with features image and label."""
    import tensorflow as tf

    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def parse(record):
        found = tf.io.parse_single_example(record, features)
        return found["image"], tf.cast(found["label"], tf.int32)

    return _mapped(tf.data.TFRecordDataset(paths).repeat(), parse)


def rejected_after(records, shares, images):
    """Decodes, then rejects; `shares` are those of the classes."""
    return images.batches(_rejected(images.decoded(records), shares))


def rejected_before(records, shares, images):
    """Rejects undecoded records, then decodes."""
    return images.batches(images.decoded(_rejected(records, shares)))


def sampled(paths, classes, images):
    """Draws from a list of files a class, as often from each."""
    import numpy as np
    import tensorflow as tf

    paths, classes = np.asarray(paths), classes.astype(np.int32)
    streams = []
    for label in np.unique(classes):
        own = classes == label
        stream = tf.data.Dataset.from_tensor_slices((paths[own], classes[own]))
        streams.append(stream.shuffle(int(own.sum()), seed=0).repeat())
    weights = [1 / len(streams)] * len(streams)
    drawn = tf.data.Dataset.sample_from_datasets(streams, weights, seed=0)
    return images.batches(images.decoded(_read(drawn)))


def _rejected(dataset, shares):
    even = [1 / len(shares)] * len(shares)
    kept = dataset.rejection_resample(
        lambda _, label: label, even, initial_dist=shares, seed=0
    )
    return kept.map(lambda _, element: element)


def _read(named):
    import tensorflow as tf

    return _mapped(named, lambda path, label: (tf.io.read_file(path), label))


def _mapped(dataset, function):
    import tensorflow as tf

    return dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE)
