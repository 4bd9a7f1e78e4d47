"""Exact nearest neighbours by Euclidean distance, chunk by chunk.

Distances to all of the base come from matrix products in float32. What rounding leaves
open is measured again in float64, so that the answer is that of exact arithmetic on
the given numbers: neighbours, their order, and distance 0 for equal rows.
"""

import numpy as np

from data_pipelines import errors

_CHUNK_BYTES = 2**26
_ROUNDOFF = 2.0**-24
_NONE = -1
_SPARE = 8
# the square of twice as much, summed over a row, is still a float32
_LARGEST = 2.0**56


def nearest(queries, base, k, exclude_self=False):
    """Finds the k rows of `base` that are nearest to each query.

    Of rows at the same distance the one of the lowest index comes first. Time is that
    of one product of [Q, D] by [D, N], memory a fixed amount beyond the arguments.

    Args:
        queries: float32 [Q, D], of numbers within 2^56.
        base: float32 [N, D], likewise.
        k: neighbours a query, at least 1.
        exclude_self: whether row i of `base` is query i itself and no neighbour of it;
            other rows that equal it still are.

    Returns:
        (index int64 [Q, k], distance float32 [Q, k]), nearest first; index -1 and an
        infinite distance where the base has too few rows.

    Raises:
        errors.DataError: shapes do not fit, or a number is too large or none.
        errors.SettingError: k is below 1.
    """
    queries, base = _checked(queries, base, k, exclude_self)
    own = np.arange(len(queries)) if exclude_self else None
    return Base(base).nearest(queries, k, own)


class Base:
    """Rows that are prepared once to be searched many times.

    Args:
        rows: float32 [N, D], of numbers within 2^56.

    Raises:
        errors.DataError: it is no matrix, or a number is too large or none.
    """

    def __init__(self, rows):
        rows, _ = _checked(rows, rows, 1, False)
        self._width, self._count = rows.shape[1], len(rows)
        if self._count:
            # equal rows, such as blank images, would all have to be measured again
            self._groups = _Groups(rows)
            self._search = _Search(self._groups.rows)

    def nearest(self, queries, k, own=None):
        """Finds the k rows that are nearest to each query, as `nearest` does.

        Args:
            queries: float32 [Q, D], of numbers within 2^56.
            k: neighbours a query, at least 1.
            own: int64 [Q], the row that each query is itself and that is no neighbour
                of it; None: no query is one of the rows.

        Returns:
            (index int64 [Q, k], distance float32 [Q, k]), nearest first; index -1 and
            an infinite distance where there are too few rows.

        Raises:
            errors.DataError: shapes do not fit, or a number is too large or none.
            errors.SettingError: k is below 1.
        """
        empty = np.empty((0, self._width), np.float32)
        queries, _ = _checked(queries, empty, k, False)
        wanted = k + (own is not None)
        index = np.full((len(queries), k), _NONE, np.int64)
        distance = np.full((len(queries), k), np.inf, np.float32)
        if not self._count:
            return index, distance
        groups, search = self._groups, self._search
        step = max(1, _CHUNK_BYTES // (4 * len(groups.rows)))
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            row, group, squared = search.candidates(queries[part], wanted)
            entry, member = groups.expand(group, wanted)
            row, squared = row[entry], squared[entry]
            if own is not None:
                other = member != own[part][row]
                row, member, squared = row[other], member[other], squared[other]
            row, rank, member, squared = _first(row, member, squared, k)
            index[row + start, rank] = member
            distance[row + start, rank] = np.sqrt(squared)
        return index, distance


def _checked(queries, base, k, exclude_self):
    if k < 1:
        raise errors.SettingError(
            f"Too few neighbours. Expected: at least 1. Received: {k}."
        )
    arrays = [np.ascontiguousarray(values, np.float32) for values in (queries, base)]
    shapes = [array.shape for array in arrays]
    fits = all(len(shape) == 2 for shape in shapes) and shapes[0][1] == shapes[1][1]
    if not fits or (exclude_self and shapes[0] != shapes[1]):
        raise errors.DataError(
            "features for a search of neighbours do not fit",
            expected="two matrices of the same width"
            + (" and height" if exclude_self else ""),
            received=f"shapes {shapes[0]} and {shapes[1]}",
        )
    for array in arrays:
        # without a matrix of booleans; a comparison with nan is false
        if array.size and not -_LARGEST <= array.min() <= array.max() <= _LARGEST:
            raise errors.DataError(
                "features for a search of neighbours cannot be compared",
                expected="finite numbers of less than 7e16",
                received=f"{array.min():g} to {array.max():g}",
            )
    return arrays


class _Groups:
    """Rows that are equal to the bit, each kind once and in order of appearance."""

    def __init__(self, base):
        # adding 0 turns -0 into 0
        packed = np.ascontiguousarray(base + np.float32(0))
        packed = packed.view(np.dtype((np.void, 4 * base.shape[1]))).ravel()
        _, first, kind = np.unique(packed, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        kind = place[kind]
        self.rows = base[first[order]] if len(first) < len(base) else base
        self._members = np.argsort(kind, kind="stable")
        self._sizes = np.bincount(kind)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def expand(self, group, most):
        """Returns (entry, member): for each entry of `group` its first `most` rows."""
        sizes = np.minimum(self._sizes[group], most)
        entry = np.repeat(np.arange(len(group)), sizes)
        rank = np.arange(len(entry)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return entry, self._members[self._starts[group][entry] + rank]


class _Search:
    """The rows that can be among the k nearest, measured exactly."""

    def __init__(self, rows):
        self._rows = rows
        # rounding grows with the distance to the origin, so that is put in the middle
        self._centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._centred = (rows - self._centre).T
        self._norms = np.square(self._centred, dtype=np.float64).sum(axis=0)
        # |error of q.q + b.b - 2 q.b| <= unsure * (q.q + b.b): Higham 2002, section 3.1
        self._unsure = _ROUNDOFF * (len(rows[0]) + 16)

    def candidates(self, queries, k):
        """Returns (row, position, squared float64) of pairs.

        Each row has k or more, or all that there are.
        """
        k = min(k, len(self._rows))
        centred = queries - self._centre
        query_norms = np.square(centred, dtype=np.float64).sum(axis=1)[:, None]
        # the least that the squared distance can be, without the query's own norm
        least = (-2 * centred) @ self._centred
        least += ((1 - self._unsure) * self._norms).astype(np.float32)
        row, position = self._possible(least, query_norms, k)
        return row, position, self._squared(queries, row, position)

    def _possible(self, least, query_norms, k):
        """Returns (row, position) of all that rounding does not rule out."""
        width = min(k + _SPARE, least.shape[1])
        kept = np.argpartition(least, width - 1, axis=1)[:, :width]
        values = np.take_along_axis(least, kept, axis=1)
        order = np.argsort(values, axis=1)
        kept = np.take_along_axis(kept, order, axis=1)
        values = np.take_along_axis(values, order, axis=1)
        most = values[:, :k].astype(np.float64)
        most += 2 * self._unsure * (self._norms[kept[:, :k]] + query_norms)
        # one more rounding on the way back to float32
        limit = np.nextafter(most.max(axis=1).astype(np.float32), np.float32("inf"))
        possible = values <= limit[:, None]
        row, place = np.nonzero(possible)
        position = kept[row, place]
        if width < least.shape[1]:
            # where even the last of the kept is possible, others may be as well
            open_rows = np.flatnonzero(possible[:, -1])
            more, found = np.nonzero(least[open_rows] <= limit[open_rows, None])
            closed = ~possible[row, -1]
            row = np.concatenate([row[closed], open_rows[more]])
            position = np.concatenate([position[closed], found])
        return row, position

    def _squared(self, queries, row, position):
        squared = np.empty(len(row))
        step = max(1, _CHUNK_BYTES // (16 * max(1, queries.shape[1])))
        for start in range(0, len(row), step):
            part = slice(start, start + step)
            difference = queries[row[part]].astype(np.float64)
            difference -= self._rows[position[part]]
            squared[part] = np.einsum("ij,ij->i", difference, difference)
        return squared


def _first(row, member, squared, k):
    """Returns (row, rank, member, squared) of the first k of each row, in order."""
    order = np.lexsort((member, squared, row))
    row, member, squared = row[order], member[order], squared[order]
    sizes = np.bincount(row)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    keep = rank < k
    return row[keep], rank[keep], member[keep], squared[keep]
