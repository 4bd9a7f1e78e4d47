"""Times ways of doing the same work in turn, and says in Markdown how they compare.

A machine's speed changes while it is measured, so that only what ran in the same minute
can be compared: A B C A B C ... in one process, ratios of medians, with the ratios of
the rounds as their spread.
"""

import dataclasses
import statistics
import time

from tools import parts
from tools.benchmarks import tables


@dataclasses.dataclass(frozen=True)
class Goal:
    """What one way has to reach beside another.

    Args:
        way: name of a way.
        over: name of the way that it is measured by.
        bound: least ratio of rates, or greatest ratio of times.
        of: "rate" or "time".
    """

    way: str
    over: str
    bound: float
    of: str = "rate"

    def ratio(self, seconds):
        """Returns (ratio of the medians, lowest and highest of the rounds)."""
        pair = (self.way, self.over) if self.of == "time" else (self.over, self.way)
        above, below = (seconds[name] for name in pair)
        rounds = [one / other for one, other in zip(above, below, strict=True)]
        middle = statistics.median(above) / statistics.median(below)
        return middle, min(rounds), max(rounds)

    def is_met(self, seconds):
        """Returns whether the ratio of the medians is within the bound."""
        ratio = self.ratio(seconds)[0]
        return ratio <= self.bound if self.of == "time" else ratio >= self.bound


def take(ways, rounds, warm_up=1):
    """Calls functions in turn.

    Args:
        ways: {name: function of nothing}; one that returns a number is timed by itself,
            and the number is its seconds.
        rounds: how often.
        warm_up: rounds before that are not counted: imports, traces, a disk's cache.

    Returns:
        {name: [seconds of each round]}.
    """
    found = {name: [] for name in ways}
    for turn in range(warm_up + rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            returned = way()
            seconds = time.perf_counter() - began
            if isinstance(returned, float):
                seconds = returned
            if turn >= warm_up:
                found[name].append(seconds)
    return found


def markdown(title, seconds, work, unit, goals):
    """Returns a table of what was measured.

    Args:
        title: what is done.
        seconds: of `take`.
        work: how many units a call takes on.
        unit: name of what is counted, such as "images".
        goals: list of `Goal`; without any, the rates stand alone.
    """
    rounds = len(next(iter(seconds.values())))
    rows = []
    for name, taken in seconds.items():
        rates = (work / statistics.median(taken), work / max(taken), work / min(taken))
        rows.append([name, "{} [{}, {}]".format(*map(tables.number, rates))])
    rates = tables.table([f"{title}, median of {rounds} [range]", f"{unit}/s"], rows)
    if not goals:
        return rates
    rows = []
    for goal in goals:
        middle, low, high = goal.ratio(seconds)
        bound = "at most" if goal.of == "time" else "at least"
        missed = "" if goal.is_met(seconds) else f", {parts.MISSED}"
        rows.append(
            [
                f"{goal.of} of {goal.way} over {goal.over}",
                f"**{middle:,.3g}** [{low:,.3g}, {high:,.3g}]",
                f"{bound} {goal.bound:g}{missed}",
            ]
        )
    return rates + "\n" + tables.table(["ratio [of the rounds]", "", "goal"], rows)


def report(title, seconds, work, unit, goals):
    """Prints the table of `markdown`; returns whether each goal is met."""
    print(markdown(title, seconds, work, unit, goals), flush=True)
    return all(goal.is_met(seconds) for goal in goals)
