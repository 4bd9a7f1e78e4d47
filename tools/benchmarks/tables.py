"""Markdown tables of figures, each beside the goal it has to reach."""

import dataclasses

from tools import parts


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure and its goal.

    Args:
        what: what was measured.
        value: a number.
        form: how it is written, with its unit.
        most: the goal: at most so much; None: no such goal.
        least: the goal: at least so much; None: no such goal.
    """

    what: str
    value: float
    form: str = "{:,.3g}"
    most: float | None = None
    least: float | None = None

    @property
    def is_met(self):
        """Whether the goal is reached; True without one. NaN reaches none."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    @property
    def goal(self):
        """The goal in words, and that it was missed where it was."""
        said = [
            f"{word} {self.form.format(bound)}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if bound is not None
        ]
        return ", ".join(said if self.is_met else [*said, parts.MISSED])


def number(value):
    """Returns a number above 0 with four digits, or more where it is large."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(header, rows):
    """Returns a Markdown table.

    Args:
        header: list of str; a column each.
        rows: list of such lists.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def report(title, figures):
    """Prints a table of figures; returns whether each reaches its goal.

    Args:
        title: what they are of.
        figures: list of `Figure`.
    """
    rows = [[one.what, one.form.format(one.value), one.goal] for one in figures]
    print(table([title, "", "goal"], rows), flush=True)
    return all(one.is_met for one in figures)
