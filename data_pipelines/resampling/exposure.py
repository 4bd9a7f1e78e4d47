"""What a resampling policy will do, said before training."""

import dataclasses

import numpy as np

_FAR = 2.0
_REPEATS = 20.0


@dataclasses.dataclass(frozen=True)
class Exposure:
    """A policy's effect on an epoch.

    Args:
        policy: its name.
        draws: draws an epoch.
        yield_: share of reads that pure rejection with these rates would keep,
            mean(rate) / max(rate).
        effective_sample_size: (sum r)^2 / sum r^2 (Kish 1965), in examples.
        distinct: examples seen at least once an epoch, in expectation, sum min(r, 1).
        label_ids: ids of the C labels.
        label_names: their display names.
        count: int [C], examples that show the label.
        before: float [C], draws an epoch that show it without resampling.
        after: the same with the policy.
        cannot: sentences about labels the policy cannot balance, and why.
    """

    policy: str
    draws: int
    yield_: float
    effective_sample_size: float
    distinct: float
    label_ids: tuple
    label_names: tuple
    count: np.ndarray
    before: np.ndarray
    after: np.ndarray
    cannot: tuple

    def to_json(self):
        """Returns the JSON form that the report reads."""
        columns = zip(self.label_ids, self.label_names, self.count.tolist(),
                      self.before.tolist(), self.after.tolist(),
                      strict=True)  # fmt: skip
        return {
            "policy": self.policy,
            "draws": self.draws,
            "yield": self.yield_,
            "effective_sample_size": self.effective_sample_size,
            "distinct": self.distinct,
            "rows": [
                {"id": i, "name": n, "count": c, "before": b, "after": a}
                for i, n, c, b, a in columns
            ],
            "cannot": list(self.cannot),
        }


def _label_sums(table, values):
    present = table.labels.present()
    return np.bincount(
        present.index, values[present.rows()], minlength=present.num_classes
    )


def _reason(table, label, after, count, goal):
    """Why a label ends far from the even share, or None when it does not."""
    name = table.vocabulary.names[label]
    if count[label] == 0:
        return f"{name}: no training image shows it"
    if after[label] < goal / _FAR:
        return f"{name}: {after[label]:,.0f} draws, under half of the even share"
    if after[label] / count[label] > _REPEATS:
        repeats = after[label] / count[label]
        return (
            f"{name}: its {count[label]} image(s) are drawn {repeats:.0f} times an "
            "epoch each; augmentation is all that tells the copies apart"
        )
    if after[label] > goal * _FAR:
        present = table.labels.present()
        rows = present.rows()
        with_label = np.zeros(len(table), bool)
        with_label[rows[present.index == label]] = True
        companions = np.bincount(
            present.index[with_label[rows]], minlength=len(count)
        ) / np.maximum(count, 1)
        companions[label] = 0
        always = [table.vocabulary.names[i] for i in np.flatnonzero(companions > 0.9)]
        if always:
            return f"{name}: comes with every {', '.join(always[:5])}"
        return f"{name}: {after[label]:,.0f} draws, over twice the even share"
    return None


def measure(table, rates, policy):
    """Measures a policy.

    Args:
        table: `labels.LabelTable` of the training split.
        rates: float64 [N] of `policies.rates`.
        policy: its name.

    Returns:
        `Exposure`.
    """
    draws = round(float(rates.sum()))
    count = table.labels.counts()
    after = _label_sums(table, rates)
    goal = float(np.median(after[count > 0])) if (count > 0).any() else 0.0
    reasons = []
    for label in range(len(count)):
        if policy != "none" or count[label] == 0:
            reasons.append(_reason(table, label, after, count, goal))
    return Exposure(
        policy=policy,
        draws=draws,
        yield_=float(rates.mean() / rates.max()),
        effective_sample_size=float(rates.sum() ** 2 / np.square(rates).sum()),
        distinct=float(np.minimum(rates, 1).sum()),
        label_ids=table.vocabulary.ids,
        label_names=table.vocabulary.names,
        count=count,
        before=count * (draws / len(table)),
        after=after,
        cannot=tuple(reason for reason in reasons if reason),
    )


def text(exposure, most=30):
    """Returns the printed form: totals, then a line a label, rarest first."""
    lines = [
        f"resampling {exposure.policy}: {exposure.draws:,} draws an epoch, yield "
        f"{exposure.yield_:.3f}, effective sample size "
        f"{exposure.effective_sample_size:,.0f}, {exposure.distinct:,.0f} distinct "
        "images an epoch",
        f"{'label':<24}{'images':>10}{'before':>12}{'after':>12}",
    ]
    order = np.argsort(exposure.count, kind="stable")
    shown = (
        order if len(order) <= most else np.r_[order[: most // 2], order[-most // 2 :]]
    )
    for label in shown:
        lines.append(
            f"{exposure.label_names[label][:23]:<24}{exposure.count[label]:>10,}"
            f"{exposure.before[label]:>12,.0f}{exposure.after[label]:>12,.0f}"
        )
    if len(shown) < len(order):
        lines.append(f"({len(order) - len(shown):,} labels between are not shown)")
    lines += [f"cannot balance {sentence}" for sentence in exposure.cannot[:most]]
    if len(exposure.cannot) > most:
        lines.append(f"(and {len(exposure.cannot) - most:,} more)")
    return "\n".join(lines)
