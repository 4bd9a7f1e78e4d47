"""One epoch's draws, a pure function of (rates, seed, epoch)."""

import dataclasses

import numpy as np

_PLAN_STREAM = 1
_ALTERNATIVE_STREAM = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """Draws of an epoch in order.

    Args:
        example: int64 [draws], rows of the label table.
        copy: int64 [draws]; 0 for an example's first draw in the epoch, then 1, 2, …
    """

    example: np.ndarray
    copy: np.ndarray

    def part(self, share):
        """Returns the `Plan` of one worker, in order.

        Args:
            share: `Share`.

        Raises:
            ValueError: the draws are no whole number of batches.
        """

        def own(values):
            batches = values.reshape(-1, share.batch_size)
            return batches[:, share.first : share.first + share.size].ravel()

        return Plan(own(self.example), own(self.copy))


@dataclasses.dataclass(frozen=True)
class Share:
    """What one of several workers makes of every batch: a part of it, in order.

    Args:
        batch_size: images of the whole batch.
        worker: index of the worker, from 0.
        workers: workers, which divide the batch evenly.
    """

    batch_size: int
    worker: int = 0
    workers: int = 1

    @property
    def size(self):
        """Images of a batch that this worker makes."""
        return self.batch_size // self.workers

    @property
    def first(self):
        """Place of the first of them in the batch."""
        return self.worker * self.size


def alternative(count, seed, epoch):
    """Returns int: which of `count` alternative rates an epoch follows.

    Uniform and independent from epoch to epoch, a function of seed and epoch alone.
    """
    state = np.random.SeedSequence([seed, epoch, _ALTERNATIVE_STREAM])
    # 64 bits: what a division leaves over favours no alternative noticeably
    return int(state.generate_state(1, np.uint64)[0] % np.uint64(count))


def make(rates, seed, epoch):
    """Plans an epoch by systematic rounding of the rates it follows.

    Every example is drawn floor(rate) or ceil(rate) times, in expectation its rate, and
    the total is the rounded sum of the rates in every epoch (Madow 1949, systematic
    sampling). Examples are put in a random order first, so which of them share an
    epoch is not fixed by their place in the table.

    Args:
        rates: float64 [K, N], each at least 0, of `policies.rates`.
        seed: int of the run.
        epoch: int.

    Returns:
        `Plan` in random order.
    """
    rates = rates[alternative(len(rates), seed, epoch)]
    generator = np.random.default_rng([seed, epoch, _PLAN_STREAM])
    order = generator.permutation(len(rates))
    edges = np.concatenate([[0.0], np.cumsum(rates[order])])
    # the sum of the rates is a whole number but for rounding: make it one
    edges[-1] = np.round(edges[-1])
    counts = np.diff(np.floor(edges + generator.random()).astype(np.int64))
    example = np.repeat(order, counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    copy = np.arange(len(example)) - first
    # both in one number: shuffling that takes less than gathering each by a permutation
    bits = int(counts.max()).bit_length()
    both = generator.permutation(example << bits | copy)
    return Plan(both >> bits, both & ((1 << bits) - 1))
