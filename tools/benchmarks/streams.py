"""Times streams of batches once they run.

What starts a stream (threads, workers, the first batch) is paid once a training. So
each measurement starts a new one, lets batches pass, and times those that follow;
nothing of an earlier stream is left in a buffer, and none goes on working in the turns
of others.
"""

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Stream:
    """A way to make batches that can be timed.

    Args:
        start: function of a number of batches that returns an iterable of as many.
        batches: how many to time.
        before: how many to let pass before.
    """

    start: object
    batches: int
    before: int = 1

    def seconds(self, batches):
        """Returns the seconds that a number of batches takes, by those it times."""
        running = iter(self.start(self.before + self.batches))
        for _ in range(self.before):
            next(running)
        began = time.perf_counter()
        for _ in range(self.batches):
            next(running)
        return (time.perf_counter() - began) * batches / self.batches


def ways(streams, batches):
    """Returns what `turns.take` takes: {name: function that returns seconds}.

    Args:
        streams: {name: `Stream`}.
        batches: how many each one's seconds stand for.
    """
    return {
        name: lambda stream=stream: stream.seconds(batches)
        for name, stream in streams.items()
    }
