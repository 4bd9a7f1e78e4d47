"""Bootstrap over images: intervals, paired differences, images nested in seeds.

A resample of N images with replacement is a vector of N counts that sum to N. A figure
that is a ratio of sums over images is then a ratio of weighted sums, so a chunk of
resamples is one matrix product. Percentile intervals after Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 13.
"""

import numpy as np

CHUNK_CELLS = 1 << 22
"""Weights held at a time (float64): 32 MB."""

LEVEL = 0.95
"""Share of the resamples that an interval holds."""


def weights(num_images, resamples, seed=0):
    """Yields resamples in chunks: float64 [r, N] of counts, each row summing to N.

    The draws depend on the seed alone, not on the chunks.
    """
    generator = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    step = max(1, CHUNK_CELLS // max(1, num_images))
    for first in range(0, resamples, step):
        chunk = np.empty((min(step, resamples - first), num_images))
        for row in chunk:
            # one binomial a cell, as numpy's multinomial draws, takes ten times longer
            drawn = generator.integers(0, num_images, num_images)
            row[:] = np.bincount(drawn, minlength=num_images)
        yield chunk


def distribution(statistics, num_images, resamples=1000, seed=0, same_images=True):
    """Resamples seeds, then images, and computes figures of each resample.

    A resample draws as many seeds as there are, with replacement, and a figure is its
    mean over the drawn seeds. With one seed this is the plain bootstrap over images.
    Runs of several seeds are judged on the same images, so by default the seeds drawn
    in a resample share one draw of images: drawing images anew for each seed would
    average out the chance of the images, which is common to all seeds, and give
    intervals that are too narrow.

    Args:
        statistics: a list, one a seed, of functions from weights float64 [r, N] to
            {name: float64 [r, ...]}; NaN where a figure is not available.
        num_images: N.
        resamples: how many; 0 gives empty arrays.
        seed: of the resampling.
        same_images: whether the seeds of a resample share their images.

    Returns:
        ({name: float [...]} of the data as they are, {name: float [resamples, ...]}).
    """
    point = _mean([statistic(np.ones((1, num_images))) for statistic in statistics])
    point = {name: values[0] for name, values in point.items()}
    drawn_seeds = np.random.default_rng(np.random.SeedSequence([seed, 1])).integers(
        0, len(statistics), (resamples, len(statistics))
    )
    streams = [weights(num_images, resamples, seed)]
    if not same_images:
        streams += [
            weights(num_images, resamples, (seed + 1) * 1_000_003 + slot)
            for slot in range(1, len(statistics))
        ]
    chunks, first = [], 0
    for images in zip(*streams, strict=True):
        drawn = drawn_seeds[first : first + len(images[0])]
        chunks.append(_resample(statistics, images, drawn))
        first += len(images[0])
    if not chunks:
        return point, {name: np.empty((0, *np.shape(v))) for name, v in point.items()}
    return point, {name: np.concatenate([c[name] for c in chunks]) for name in point}


def _resample(statistics, images, drawn_seeds):
    """Figures of one chunk: the mean over slots of the figure of the seed drawn."""
    by_draw = [[statistic(draw) for statistic in statistics] for draw in images]
    slots = []
    for slot in range(len(statistics)):
        of_seed = by_draw[slot % len(by_draw)]
        slots.append(
            {
                name: np.stack([figures[name] for figures in of_seed])[
                    drawn_seeds[:, slot], np.arange(len(drawn_seeds))
                ]
                for name in of_seed[0]
            }
        )
    return _mean(slots)


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


def interval(value, low, high, n, key="value"):
    """Returns {key, "low", "high", "n"} for JSON; None where not available."""
    value, low, high = (None if np.isnan(x) else float(x) for x in (value, low, high))
    if value is None:
        low = high = None
    return {key: value, "low": low, "high": high, "n": int(n)}


def mean_interval(values, resamples=1000, seed=0, same_images=True):
    """Interval of a mean over images.

    Args:
        values: float [N], or a list of such arrays, one a seed, of the same images. A
            paired difference is the mean of the differences.
        resamples: how many.
        seed: of the resampling.
        same_images: as in `distribution`.

    Returns:
        {"value", "low", "high", "n"}.
    """
    by_seed = values if isinstance(values, list) else [values]
    by_seed = [np.asarray(one, np.float64) for one in by_seed]
    statistics = [
        lambda images, one=one: {"mean": images @ one / images.sum(axis=1)}
        for one in by_seed
    ]
    size = len(by_seed[0])
    point, resampled = distribution(statistics, size, resamples, seed, same_images)
    return interval(point["mean"], *interval_ends(resampled["mean"]), size)
