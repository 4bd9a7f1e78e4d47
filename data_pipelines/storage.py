"""Where the bytes of an image lie: in a file of its own, or in a prepared shard.

A storage is a small frozen object that a label table carries. It turns a tf.data stream
of draws into one that has the bytes beside each draw, in graph, and knows whether its
images were all decoded once already (`checked`).
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Files:
    """Each location is the path of an image file."""

    checked = False

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
        paths = tf.constant([os.fsencode(path) for path in locations.tolist()])
        return draws.map(
            lambda draw: (
                draw | {"data": tf.io.read_file(tf.gather(paths, draw["example"]))}
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )


FILES = Files()
