"""Bootstrap over images: intervals, paired differences, images nested in seeds.

A resample of N images with replacement is a vector of N counts that sum to N. A figure
that is a ratio of sums over images is then a ratio of weighted sums, so a chunk of
resamples is one matrix product. Percentile intervals after Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 13; whole clusters after Davison and
Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
"""

import numpy as np

CHUNK_CELLS = 1 << 22
"""Weights held at a time (float64): 32 MB."""

LEVEL = 0.95
"""Share of the resamples that an interval holds."""

MIN = 10
"""An interval rests on at least so many images, or clusters where there are any.

Of fewer, resamples say too little about those that were not drawn: three images that
all score 1 would give an interval without width. The figure is then given alone.
"""


def weights(num_images, resamples, seed=0, clusters=None):
    """Yields resamples in chunks: float64 [r, N] of counts.

    Without clusters each row sums to N. With K clusters, K of them are drawn with
    replacement, each with all its images, so the sum varies where their sizes do. The
    draws depend on the seed alone, not on the chunks.

    Args:
        num_images: N.
        resamples: how many.
        seed: of the draws.
        clusters: int [N] or None; images of one value are drawn together.
    """
    cluster_of, size = None, num_images
    if clusters is not None:
        values, cluster_of = np.unique(np.asarray(clusters), return_inverse=True)
        size = len(values)
    generator = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    step = max(1, CHUNK_CELLS // max(1, num_images))
    for first in range(0, resamples, step):
        chunk = np.empty((min(step, resamples - first), num_images))
        for row in chunk:
            # one binomial a cell, as numpy's multinomial draws, takes ten times longer
            drawn = generator.integers(0, size, size)
            counts = np.bincount(drawn, minlength=size)
            row[:] = counts if cluster_of is None else counts[cluster_of]
        yield chunk


def distribution(statistics, num_images, resamples=1000, seed=0, clusters=None):
    """Resamples seeds, then images, and computes figures of each resample.

    A resample draws as many seeds as there are, with replacement, and a figure is its
    mean over the drawn seeds. With one seed this is the plain bootstrap over images.
    Runs of several seeds are judged on the same images, so the seeds drawn in a
    resample share one draw of images: drawing images anew for each seed would average
    out the chance of the images, which is common to all seeds, and give intervals that
    are too narrow.

    Args:
        statistics: a list, one a seed, of functions from weights float64 [r, N] to
            {name: float64 [r, ...]}; NaN where a figure is not available.
        num_images: N.
        resamples: how many; 0 gives empty arrays.
        seed: of the resampling.
        clusters: int [N] or None; images of one value are drawn together.

    Returns:
        ({name: float [...]} of the data as they are, {name: float [resamples, ...]}).
    """
    point = _mean([statistic(np.ones((1, num_images))) for statistic in statistics])
    point = {name: values[0] for name, values in point.items()}
    drawn_seeds = np.random.default_rng(np.random.SeedSequence([seed, 1])).integers(
        0, len(statistics), (resamples, len(statistics))
    )
    chunks, first = [], 0
    for images in weights(num_images, resamples, seed, clusters):
        drawn = drawn_seeds[first : first + len(images)]
        chunks.append(_resample(statistics, images, drawn))
        first += len(images)
    if not chunks:
        return point, {name: np.empty((0, *np.shape(v))) for name, v in point.items()}
    return point, {name: np.concatenate([c[name] for c in chunks]) for name in point}


def _resample(statistics, images, drawn_seeds):
    """Figures of one chunk: the mean over slots of the figure of the seed drawn."""
    by_seed = [statistic(images) for statistic in statistics]
    rows = np.arange(len(drawn_seeds))
    stacked = {
        name: np.stack([figures[name] for figures in by_seed]) for name in by_seed[0]
    }
    return _mean(
        [
            {name: values[drawn, rows] for name, values in stacked.items()}
            for drawn in drawn_seeds.T
        ]
    )


def _mean(figures):
    if len(figures) == 1:
        return figures[0]
    return {
        name: np.mean([one[name] for one in figures], axis=0) for name in figures[0]
    }


def interval_ends(resampled, level=LEVEL):
    """Percentile ends of resampled figures.

    Resamples in which a figure is not available (NaN), such as those that miss a small
    group, are left out; ends are NaN where all are.

    Args:
        resampled: float [resamples, ...].
        level: share of the resamples between the ends.

    Returns:
        (low, high), each float64 [...].
    """
    ordered = np.sort(np.asarray(resampled, np.float64), axis=0)  # NaN goes last
    available = np.sum(~np.isnan(ordered), axis=0)
    if not len(ordered):
        nothing = np.full(ordered.shape[1:], np.nan)
        return nothing, nothing
    ends = []
    for quantile in ((1 - level) / 2, (1 + level) / 2):
        position = quantile * np.maximum(available - 1, 0)
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(available - 1, 0))
        lower = np.take_along_axis(ordered, below[None], axis=0)[0]
        upper = np.take_along_axis(ordered, above[None], axis=0)[0]
        ends.append(lower + (position - below) * (upper - lower))
    return tuple(ends)


def interval(value, low, high, n, clusters=None, key="value"):
    """An interval as JSON has it.

    Args:
        value: a float; NaN where the figure is not available.
        low: a float or NaN.
        high: a float or NaN.
        n: images that the figure rests on.
        clusters: how many clusters these images form, or None for images that stand
            alone.
        key: "value", or "difference" in a comparison.

    Returns:
        {key, "low", "high", "n"}, and "clusters" where there are any. None stands
        where a figure is not available; the ends are None also when fewer than `MIN`
        images or clusters are too few for an interval.
    """
    value, low, high = (None if np.isnan(x) else float(x) for x in (value, low, high))
    if value is None or (n if clusters is None else clusters) < MIN:
        low = high = None
    found = {key: value, "low": low, "high": high, "n": int(n)}
    if clusters is not None:
        found["clusters"] = int(clusters)
    return found


def mean_interval(values, resamples=1000, seed=0):
    """Interval of a mean over images.

    Args:
        values: float [N]; a paired difference is the mean of the differences.
        resamples: how many.
        seed: of the resampling.

    Returns:
        As `interval`.
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        return interval(np.nan, np.nan, np.nan, 0)
    point, resampled = distribution(
        [lambda images: {"mean": images @ values / images.sum(axis=1)}],
        len(values),
        resamples,
        seed,
    )
    return interval(point["mean"], *interval_ends(resampled["mean"]), len(values))
