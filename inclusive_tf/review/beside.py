"""What is shown beside an image: maps of `tools.explain`, and its nearest neighbours.

Maps stay on the disk until they are asked for.
"""

import pathlib

import numpy as np

from data_pipelines import errors, neighbours, strict_csv
from inclusive_tf import predictions


class Maps:
    """The maps in folders that `inclusive_tf.explain.gallery` wrote.

    Args:
        folders: paths.

    Raises:
        errors.DataError: one of them is no such folder.
    """

    def __init__(self, folders=()):
        self._found = {}
        for folder in map(pathlib.Path, folders):
            # draws, so it is loaded only where there is something to read
            from inclusive_tf.explain import gallery

            with gallery.reading(folder) as stored:
                for case in stored["cases"]:
                    (image,) = strict_csv.printable([case["id"]]).tolist()
                    self._found.setdefault(image, []).extend(_of_case(folder, case))

    def of(self, image):
        """Returns a list of {"label", "role", "method", "degenerate", "path"}."""
        return self._found.get(str(image), [])


def _of_case(folder, case):
    return [
        {
            "label": str(panel["label"]),
            "role": str(panel["role"]),
            "method": str(one["method"]),
            "degenerate": bool(one["degenerate"]),
            # the name comes from a file that somebody may have changed
            "path": folder / pathlib.PurePath(one["png"]).name,
        }
        for panel in case["panels"]
        for one in panel["maps"]
    ]


class Neighbours:
    """The images that a model finds most like one.

    Args:
        now: `replay.Replay` of the data.
        folders: of predictions of one model, with the features.
        count: neighbours of an image.

    Raises:
        errors.DataError: not a predictions folder, not of one model, of other data, or
            without features.
    """

    def __init__(self, now, folders, count):
        self._count = count
        loaded = [predictions.load(folder) for folder in folders]
        rows, features = [], []
        for folder, one in zip(folders, loaded, strict=True):
            predictions.require_same_model(
                loaded[0], one, "the predictions are not of one model"
            )
            if not one.features.shape[1]:
                raise errors.DataError(
                    "the predictions have no features to find neighbours by",
                    expected="predictions of one network, not of an ensemble",
                    file=folder,
                )
            of_data = now.rows(strict_csv.printable(one.ids))
            known = np.flatnonzero(of_data >= 0)
            if not len(known):
                raise errors.DataError(
                    "no predicted image is in the data",
                    received=one.ids[0],
                    file=folder,
                )
            rows.append(of_data[known])
            features.append(one.features[known])
        self._rows, first = np.unique(np.concatenate(rows), return_index=True)
        self._features = np.concatenate(features)[first]
        self._place = {row: place for place, row in enumerate(self._rows.tolist())}
        self._base = neighbours.Base(self._features)

    def of(self, row):
        """Returns [(row of the table, distance)], nearest first; empty if not known."""
        place = self._place.get(row)
        if place is None:
            return []
        index, distance = self._base.nearest(
            self._features[[place]], self._count, np.array([place])
        )
        there = index[0] >= 0
        return list(
            zip(
                self._rows[index[0][there]].tolist(),
                distance[0][there].tolist(),
                strict=True,
            )
        )
