"""What a resampling policy will do, said before training."""

import dataclasses

import numpy as np

from data_pipelines import oneline

_FAR = 2.0
_REPEATS = 20.0
_ALWAYS = 0.9


@dataclasses.dataclass(frozen=True)
class Exposure:
    """A policy's effect on an epoch.

    Args:
        policy: its name.
        alternatives: K, alternative rates of which each epoch follows one; what is said
            of the draws is the mean over these.
        one_label: one of `target_transforms.ONE_LABEL`; where it is not `none`, a draw
            shows each of its image's m labels with probability 1/m.
        draws: draws an epoch.
        yield_: share of reads that pure rejection with these rates would keep,
            mean(rate) / max(rate); of several alternatives, draws over the mean number
            of reads, which is the harmonic mean of their yields.
        effective_sample_size: (sum r)^2 / sum r^2 (Kish 1965) of the mean rates, in
            examples.
        distinct: examples seen at least once an epoch, in expectation, sum min(r, 1).
        label_ids: ids of the C labels.
        label_names: their display names.
        count: int [C], examples that show the label.
        before: float [C], draws an epoch that show it without resampling.
        after: the same with the policy.
        known: float [C], draws an epoch with the policy of which it is known whether
            they show the label.
        cannot: sentences about labels the policy cannot balance, and why.
    """

    policy: str
    alternatives: int
    one_label: str
    draws: int
    yield_: float
    effective_sample_size: float
    distinct: float
    label_ids: tuple
    label_names: tuple
    count: np.ndarray
    before: np.ndarray
    after: np.ndarray
    known: np.ndarray
    cannot: tuple

    def shares(self):
        """Returns float64 [C]: the share of the draws that show each label.

        Of the draws in which it is known, one with and one without it being added, so
        that no share is 0 or 1 (the rule of succession).
        """
        return (self.after + 1.0) / (self.known + 2.0)

    def to_json(self):
        """Returns the JSON form that the report reads."""
        columns = zip(self.label_ids, self.label_names, self.count.tolist(),
                      self.before.tolist(), self.after.tolist(),
                      strict=True)  # fmt: skip
        return {
            "policy": self.policy,
            "alternatives": self.alternatives,
            "one_label": self.one_label,
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


class _Shown:
    """Which images show which label, looked up from both sides."""

    def __init__(self, table):
        self.present = table.labels.present()
        self.rows = self.present.rows()
        self._by_label = self.rows[np.argsort(self.present.index, kind="stable")]
        self._counts = self.present.counts()
        self._ends = np.cumsum(self._counts)

    def sums(self, values):
        """Returns float [C]: the values of the images that show each label, added."""
        return np.bincount(
            self.present.index, values[self.rows], minlength=self.present.num_classes
        )

    def companions(self, label):
        """Returns the labels whose images nearly all show this label as well."""
        start = self._ends[label - 1] if label else 0
        images = self._by_label[start : self._ends[label]]
        together = np.bincount(
            self.present.take(images).index, minlength=self.present.num_classes
        )
        always = together > _ALWAYS * self._counts
        always[label] = False
        return np.flatnonzero(always)


def _reason(shown, names, label, after, repeats, count, goal):
    """Why a label ends far from the even share, or None when it does not."""
    name = oneline.short(names[label])
    if count[label] == 0:
        return f"{name}: no training image shows it"
    if after[label] < goal / _FAR:
        return f"{name}: {after[label]:,.0f} draws, under half of the even share"
    if repeats[label] > _REPEATS:
        return (
            f"{name}: its {count[label]} image(s) are drawn {repeats[label]:.0f} times "
            "an epoch each; augmentation is all that tells the copies apart"
        )
    if after[label] > goal * _FAR:
        always = [oneline.short(names[other]) for other in shown.companions(label)]
        if always:
            return f"{name}: comes with every {', '.join(always[:5])}"
        return f"{name}: {after[label]:,.0f} draws, over twice the even share"
    return None


def _known(table, rates, draws):
    if table.unlisted_is_absent:
        return np.full(len(table.vocabulary), float(draws))
    stated = table.labels
    return np.bincount(stated.index, rates[stated.rows()], minlength=stated.num_classes)


def measure(table, rates, policy, one_label="none"):
    """Measures a policy.

    A label counts as not balanced when it ends below half or above twice the median of
    the labels' draws, or when its images repeat more than 20 times an epoch.

    Args:
        table: `labels.LabelTable` of the training split.
        rates: float64 [K, N] of `policies.rates`.
        policy: its name.
        one_label: one of `target_transforms.ONE_LABEL`.

    Returns:
        `Exposure`.
    """
    shown, names = _Shown(table), table.vocabulary.names
    mean = rates.mean(axis=0)
    draws = round(float(mean.sum()))
    count = table.labels.counts()
    # probability that a draw shows a given one of its image's labels
    share = np.ones(len(table))
    if one_label != "none":
        share = 1 / np.maximum(np.diff(shown.present.offsets), 1)
    after = shown.sums(mean * share)
    known = _known(table, mean, draws)
    if one_label == "unknown":
        known = known - shown.sums(mean * (1 - share))
    repeats = shown.sums(mean) / np.maximum(count, 1)
    goal = float(np.median(after[count > 0])) if (count > 0).any() else 0.0
    # without resampling nothing was meant to be balanced
    looked_at = np.flatnonzero(count == 0) if policy == "none" else range(len(count))
    reasons = [_reason(shown, names, i, after, repeats, count, goal) for i in looked_at]
    return Exposure(
        policy=policy,
        alternatives=len(rates),
        one_label=one_label,
        draws=draws,
        yield_=float(rates.mean() / rates.max(axis=1).mean()),
        effective_sample_size=float(mean.sum() ** 2 / np.square(mean).sum()),
        distinct=float(np.minimum(rates, 1).sum(axis=1).mean()),
        label_ids=table.vocabulary.ids,
        label_names=names,
        count=count,
        before=shown.sums(share) * (draws / len(table)),
        after=after,
        known=known,
        cannot=tuple(reason for reason in reasons if reason),
    )


def _what_varies(exposure):
    if exposure.alternatives > 1:
        yield (
            f"each epoch follows one of {exposure.alternatives} alternatives, drawn by "
            "the seed; figures are means over these"
        )
    if exposure.one_label != "none":
        yield (
            "a draw shows one of its image's labels, drawn by the seed; its other "
            f"labels are taken for {exposure.one_label}"
        )


def text(exposure, most=30):
    """Returns the printed form: totals, then a line a label, rarest first."""
    lines = [
        f"resampling {exposure.policy}: {exposure.draws:,} draws an epoch, yield "
        f"{exposure.yield_:.3f}, effective sample size "
        f"{exposure.effective_sample_size:,.0f}, {exposure.distinct:,.0f} distinct "
        "images an epoch",
        *_what_varies(exposure),
        f"{'label':<24}{'images':>10}{'before':>12}{'after':>12}",
    ]
    order = np.argsort(exposure.count, kind="stable")
    shown = (
        order if len(order) <= most else np.r_[order[: most // 2], order[-most // 2 :]]
    )
    for label in shown:
        name = oneline.short(exposure.label_names[label], 23)
        lines.append(
            f"{name:<24}{exposure.count[label]:>10,}{exposure.before[label]:>12,.0f}"
            f"{exposure.after[label]:>12,.0f}"
        )
    if len(shown) < len(order):
        lines.append(f"({len(order) - len(shown):,} labels between are not shown)")
    lines += [f"cannot balance {sentence}" for sentence in exposure.cannot[:most]]
    if len(exposure.cannot) > most:
        lines.append(f"(and {len(exposure.cannot) - most:,} more)")
    return "\n".join(lines)
