"""Which of a set of points others make redundant; geometry only, no labels.

Points are rows of float32 [N, D] and distances Euclidean.
"""

import heapq

import numpy as np

from data_pipelines import neighbours

_AHEAD = 512
_LISTED = 16
_FEW = 4
_ROWS = 2**16
_NEAR_MISS_NEIGHBOURS = 3


def farthest_first(points, fixed, count, first):
    """Chooses centres greedily: each next one is farthest from all before it.

    Gonzalez 1985 (the largest distance to a centre is at most twice the best possible);
    as a core-set for training, with the points that are kept anyway as first centres,
    Sener and Savarese 2018, arXiv 1708.00489, algorithm 1. Time is that of a product of
    [N, D] by [D, count].

    Args:
        points: float32 [N, D] to choose from.
        fixed: float32 [M, D], centres from the start; M may be 0.
        count: centres to choose, at most N.
        first: row of `points` to begin with where M is 0.

    Returns:
        (chosen int64 [count] in order of choice, distance float32 [N] of each point to
        the nearest centre, 0 for the chosen; rounded in the 6th digit of the points).
    """
    points, fixed = points - points.mean(axis=0), fixed - points.mean(axis=0)
    norms = np.square(points).sum(axis=1)
    _, distance = neighbours.nearest(points, fixed, 1)
    least = np.square(distance[:, 0])
    chosen = []
    if count and not len(fixed):
        chosen.append(first)
        least = np.minimum(least, _squared(points, norms, [first]).min(axis=1))
        least[first] = -1
    while len(chosen) < count:
        picked = _pick(points, norms, least, count - len(chosen))
        for start in range(0, len(points), _ROWS):
            part = slice(start, start + _ROWS)
            found = _squared(points, norms, picked, part).min(axis=1)
            least[part] = np.minimum(least[part], found)
        least[picked] = -1
        chosen += picked
    return np.array(chosen, np.int64), np.sqrt(np.maximum(least, 0))


def _pick(points, norms, least, most):
    """The next centres, as many as the far points alone decide; one at the least.

    A point's distance to the nearest centre only falls: while the farthest of some
    points is not nearer than all others were, these need not be measured again.
    """
    if len(least) <= _AHEAD:
        ahead, bound = np.arange(len(least)), -np.inf
    else:
        ahead = np.argpartition(least, -_AHEAD - 1)
        bound = least[ahead[-_AHEAD - 1]]
        ahead = np.sort(ahead[-_AHEAD:])
    between = _squared(points[ahead], norms[ahead], np.arange(len(ahead)))
    left, picked = least[ahead], []
    while len(picked) < most:
        best = int(left.argmax())
        if picked and left[best] < bound:
            break
        picked.append(int(ahead[best]))
        left = np.minimum(left, between[best])
        left[best] = -1
        # what is chosen already stays out, also after a rounding below 0
        if left.max() < 0:
            break
    return picked


def _squared(points, norms, others, part=slice(None)):
    """Squared distances float32 [rows of part, others], at least 0."""
    squared = points[part] @ (-2 * points[others].T)
    squared += norms[part, None]
    squared += norms[others]
    return np.maximum(squared, 0, out=squared)


def closest_pairs(points, may_go, worse):
    """Takes the closest pair apart, again and again, by letting one of the two go.

    Exact: each point knows some of its neighbours in order, and is searched for again
    when all of these have gone. Time is that of a few products of [N, D] by [D, N].

    Args:
        points: float32 [N, D].
        may_go: called with a row; whether it may go now. A row that may not once may
            never later.
        worse: called with the two rows of a pair that both may go; returns the one.

    Yields:
        rows that go, in order; the caller's `may_go` then speaks of what is left.
    """
    near = _Listed(points)
    # a key is at most the distance to the nearest that is still there
    queue = list(
        zip(near.least(np.arange(len(points))), range(len(points)), strict=True)
    )
    heapq.heapify(queue)
    while queue:
        key, row = heapq.heappop(queue)
        if not near.there[row] or not may_go(row):
            continue
        other = near.advance(row)
        if other is None:
            continue
        distance = near.least(row)
        if distance > key:
            heapq.heappush(queue, (distance, row))
            continue
        gone = worse(row, other) if may_go(other) else row
        near.there[gone] = False
        yield gone
        if gone != row:
            heapq.heappush(queue, (distance, row))


class _Listed:
    """Every point's nearest neighbours that are still there, searched when needed."""

    def __init__(self, points):
        self._points = points
        self.there = np.ones(len(points), bool)
        self._index = np.empty((len(points), _LISTED), np.int64)
        self._distance = np.empty((len(points), _LISTED), np.float32)
        self._place = np.zeros(len(points), np.int64)
        self._search(np.arange(len(points)))

    def least(self, row):
        """Returns the distance to the neighbour that each row's list stands at."""
        return self._distance[row, self._place[row]].tolist()

    def advance(self, row):
        """Returns the nearest point that is still there; None when there is none."""
        while True:
            other = int(self._index[row, self._place[row]])
            if other < 0:
                return None
            if self.there[other]:
                return other
            self._place[row] += 1
            if self._place[row] == _LISTED:
                self._place[row] -= 1
                self._search(self._ending())

    def _ending(self):
        """The points whose lists hold few or none that are still there."""
        # searching for many at once costs little more than for one
        listed = self.there[self._index] & (self._index >= 0)
        few = np.count_nonzero(listed, axis=1) <= _FEW
        return np.flatnonzero(few & self.there)

    def _search(self, rows):
        left = np.flatnonzero(self.there)
        # each finds itself as well, unless so many equal it: one more, and one out
        found, far = neighbours.nearest(
            self._points[rows], self._points[left], _LISTED + 1
        )
        found = np.where(found < 0, -1, left[found])
        own = found == rows[:, None]
        own[~own.any(axis=1), -1] = True
        self._index[rows] = found[~own].reshape(-1, _LISTED)
        self._distance[rows] = far[~own].reshape(-1, _LISTED)
        self._place[rows] = 0


def tomek_links(points):
    """Returns (pairs int64 [L, 2], distance float32 [L]) of mutual nearest neighbours.

    Tomek 1976, Two modifications of CNN; such a pair is a link where the two differ in
    class, which is the caller's to see. No point is in two pairs.
    """
    index, distance = neighbours.nearest(points, points, 1, exclude_self=True)
    index, rows = index[:, 0], np.arange(len(points))
    mutual = (index > rows) & (index[index] == rows)
    return np.stack([rows[mutual], index[mutual]], axis=1), distance[mutual, 0]


def near_miss(points, rare, version):
    """Orders points by NearMiss, first those that are to go first.

    Zhang and Mani 2003, kNN approach to unbalanced data distributions: kept are those
    whose mean distance is least to the three nearest (version 1) or the three farthest
    (version 2) rare points; or (version 3) those among the three nearest of any rare
    point, of them the ones farthest from their three nearest rare points.

    Args:
        points: float32 [N, D].
        rare: float32 [M, D], M at least 1.
        version: 1, 2 or 3.

    Returns:
        int64 [N], rows of `points`.
    """
    most = min(_NEAR_MISS_NEIGHBOURS, len(rare))
    if version == 2:
        return np.argsort(-_mean_farthest(points, rare, most), kind="stable")
    _, distance = neighbours.nearest(points, rare, most)
    mean = distance.mean(axis=1, dtype=np.float64)
    if version == 1:
        return np.argsort(-mean, kind="stable")
    index, _ = neighbours.nearest(rare, points, min(len(points), _NEAR_MISS_NEIGHBOURS))
    near = np.zeros(len(points), bool)
    near[index] = True
    # those far from all rare points first, the farthest of them before
    return np.lexsort((np.where(near, mean, -mean), near))


def _mean_farthest(points, rare, most):
    means = np.empty(len(points))
    centre = rare.mean(axis=0)
    points, rare = points - centre, rare - centre
    norms = np.square(rare).sum(axis=1)
    step = max(1, 2**24 // len(rare))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        squared = part @ (-2 * rare.T) + norms + np.square(part).sum(axis=1)[:, None]
        farthest = np.partition(squared, -most, axis=1)[:, -most:]
        means[start : start + step] = np.sqrt(np.maximum(farthest, 0)).mean(axis=1)
    return means
