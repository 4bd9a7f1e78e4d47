"""Many tests at once: which to believe, and intervals that allow for the choice.

The false discovery rate is held by Benjamini and Hochberg (1995, JRSS B 57). Intervals
of those believed are at level 1 - R q / m, R of m having been chosen, which holds the
rate of intervals that miss (Benjamini and Yekutieli 2005, JASA 100, "False Discovery
Rate-Adjusted Multiple Confidence Intervals for Selected Parameters").
"""

import numpy as np
from scipy import stats

RATE = 0.05
"""q: share of false alarms among the alarms, at most, on average."""

METHOD = (
    "Benjamini-Hochberg at a false discovery rate of 0.05, intervals adjusted after "
    "Benjamini and Yekutieli"
)


def believed(p_values, rate=RATE):
    """Chooses by Benjamini and Hochberg.

    Args:
        p_values: float [m]; NaN where a test could not be made, which does not count.
        rate: q.

    Returns:
        (bool [m]: which are believed, float: level of the intervals of these; of the
        first that is not believed where none is).
    """
    p_values = np.asarray(p_values, np.float64)
    made = ~np.isnan(p_values)
    chosen = np.zeros(len(p_values), bool)
    if not made.any():
        return chosen, 1 - rate
    adjusted = stats.false_discovery_control(p_values[made], method="bh")
    chosen[made] = adjusted <= rate
    return chosen, 1 - max(1, chosen.sum()) * rate / made.sum()
