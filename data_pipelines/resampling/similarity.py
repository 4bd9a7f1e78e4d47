"""Undersampling by similarity: what others make redundant goes first.

Labels are worked one by one, those furthest above their target first. An image may only
go while every label on it is above its own target, so that no cut of one label pushes
another below its target. An image without any label shows one further class, "no
label". Which of a label's images go is the method's choice (`METHODS`).

Methods look at a label's own images at a time, so time grows with the square of the
largest label's count times the width of the features (`docs/resample.md` has figures).
`tomek_links` looks at all images at once.
"""

import dataclasses

import numpy as np

from data_pipelines import errors, exclusion, neighbours
from data_pipelines.resampling import redundancy, surplus

METHODS = (
    "k_centre",
    "near_identical",
    "tomek_links",
    "near_miss_1",
    "near_miss_2",
    "near_miss_3",
    "random",
)
"""Sources: `redundancy.farthest_first`, `closest_pairs`, `tomek_links`, `near_miss`;
`random` is the baseline that the others have to beat."""


def targets(counts, target_count=0, keep_share=0.0):
    """Returns int64 [C]: how many images of each label are to stay at the least.

    Args:
        counts: int [C], images that show each label.
        target_count: labels of at most so many images lose none.
        keep_share: share of its images that every label keeps, 0 to 1; one image at
            least, unless it is 0.

    Raises:
        errors.SettingError: both are 0, or one is out of range.
    """
    if target_count < 0 or not 0 <= keep_share <= 1 or not (target_count or keep_share):
        raise errors.SettingError(
            "Unknown how many images are to stay. Expected: a count of at least 1, or "
            f"a share above 0 and up to 1. Received: {target_count} and {keep_share}."
        )
    share = np.ceil(np.asarray(counts) * keep_share - 1e-9).astype(np.int64)
    return np.minimum(counts, np.maximum(share, max(target_count, 1)))


@dataclasses.dataclass(frozen=True)
class Undersampled:
    """What goes, what stays and why not more.

    Args:
        method: a name in `METHODS`.
        gone: int64 [G], rows that go, in order.
        kept_neighbour: int64 [G], the nearest row that stays and shows the label for
            which each went (of a Tomek link: its other end).
        distance: float32 [G], the distance to it.
        before: int64 [C + 1], images that show each label; the last entry counts those
            without any.
        target: int64 [C + 1], as asked for.
        after: int64 [C + 1], images left.
        blockers: {label: labels at their target that its surplus images show, those on
            most of them first}, of the labels that are still above their target and
            whose every image is held by another label; C stands for "no label".
    """

    method: str
    gone: np.ndarray
    kept_neighbour: np.ndarray
    distance: np.ndarray
    before: np.ndarray
    target: np.ndarray
    after: np.ndarray
    blockers: dict

    def rows(self, ids):
        """Returns the `exclusion.Row`s: distance and id of what stays.

        Args:
            ids: str [N], of the rows that were looked at.
        """
        return [
            exclusion.Row(
                str(ids[row]),
                f"similar:{self.method}",
                float(distance),
                str(ids[kept]),
            )
            for row, kept, distance in zip(
                self.gone, self.kept_neighbour, self.distance, strict=True
            )
        ]


def undersample(features, sparse_labels, method, seed=0, **amount):
    """Chooses the images that go.

    Args:
        features: float32 [N, D], such as of `pixel_features.measure`.
        sparse_labels: `labels.SparseLabels` of N rows.
        method: a name in `METHODS`.
        seed: decides the first centre of a label, and `random`.
        **amount: `target_count` and `keep_share` of `targets`.

    Returns:
        `Undersampled`. What stays shows each label at least `target` times, which is at
        most its count.

    Raises:
        errors.SettingError: an unknown method or amount, or NearMiss without an image
            of a label at or below its target.
        errors.DataError: features that do not fit the labels.
    """
    if method not in METHODS:
        raise errors.SettingError(
            f"Unknown method of undersampling. Expected: one of {', '.join(METHODS)}. "
            f"Received: {method}."
        )
    if len(features) != len(sparse_labels):
        raise errors.DataError(
            "features and labels are of different images",
            expected=f"{len(sparse_labels)} rows",
            received=f"{len(features)}",
        )
    features = np.ascontiguousarray(features, np.float32)
    ledger = surplus.Ledger(sparse_labels, lambda counts: targets(counts, **amount))
    if method == "tomek_links":
        gone, kept, distance = _cut_links(features, ledger)
    else:
        gone, for_label = _cut_labels(features, ledger, method, seed)
        kept, distance = _nearest_kept(features, ledger, gone, for_label)
    return Undersampled(
        method=method,
        gone=gone,
        kept_neighbour=kept,
        distance=distance,
        before=ledger.before,
        target=ledger.target,
        after=ledger.target + ledger.surplus,
        blockers=ledger.blockers(),
    )


def _cut_labels(features, ledger, method, seed):
    """Works label by label; returns (gone, the label for which each went)."""
    rare = None
    if method.startswith("near_miss") and (ledger.surplus > 0).any():
        rare = features[~ledger.free(np.arange(len(features)))]
        if not len(rare):
            raise errors.SettingError(
                "NearMiss keeps what is near to rare images. Expected: a label at or "
                "below its target. Received: every label is above it."
            )
    excess = ledger.before / np.maximum(ledger.target, 1)
    gone, for_label = [], []
    for label in np.argsort(-excess, kind="stable").tolist():
        images = ledger.images(label)
        free = ledger.free(images)
        if ledger.surplus[label] <= 0 or not free.any():
            continue
        generator = np.random.default_rng([seed, label])
        if method == "near_identical":
            its = _closest(features, ledger, images)
        else:
            order = _order(
                method, features, images, free, ledger.target[label], rare, generator
            )
            its = ledger.let_go_in_order(order)
        gone += its
        for_label += [label] * len(its)
    return np.array(gone, np.int64), np.array(for_label, np.int64)


def _order(method, features, images, free, target, rare, generator):
    """The free images of a label, first those that are to go first."""
    candidates = images[free]
    if method == "random":
        return generator.permutation(candidates)
    if method == "k_centre":
        fixed = features[images[~free]]
        centres = max(int(target) - len(fixed), 0)
        chosen, distance = redundancy.farthest_first(
            features[candidates],
            fixed,
            centres,
            int(generator.integers(len(candidates))),
        )
        rest = np.ones(len(candidates), bool)
        rest[chosen] = False
        # the nearest first; centres, the last one first, if another label holds these
        order = np.argsort(distance, kind="stable")
        return candidates[np.concatenate([order[rest[order]], chosen[::-1]])]
    version = int(method.removeprefix("near_miss_"))
    return candidates[redundancy.near_miss(features[candidates], rare, version)]


def _closest(features, ledger, images):
    """Cuts a label by its closest pairs; the one of fewer labels goes, or the later."""
    gone = []

    def worse(first, second):
        return max(
            (first, second),
            key=lambda row: (-len(ledger.shown(images[row])), row),
        )

    for row in redundancy.closest_pairs(
        features[images], lambda row: ledger.may_go(images[row]), worse
    ):
        ledger.let_go(images[row])
        gone.append(int(images[row]))
    return gone


def _cut_links(features, ledger):
    """Cuts Tomek links, closest first: of the two the more over-represented one."""
    pairs, distance = redundancy.tomek_links(features)
    excess = ledger.excess(np.arange(len(features)))
    gone, kept, far = [], [], []
    for link in np.argsort(distance, kind="stable").tolist():
        first, second = pairs[link].tolist()
        if np.array_equal(np.sort(ledger.shown(first)), np.sort(ledger.shown(second))):
            continue
        order = (first, second) if excess[first] > excess[second] else (second, first)
        for row, other in (order, order[::-1]):
            if ledger.may_go(row):
                ledger.let_go(row)
                gone.append(row)
                kept.append(other)
                far.append(distance[link])
                break
    return np.array(gone, np.int64), np.array(kept, np.int64), np.array(far, np.float32)


def _nearest_kept(features, ledger, gone, for_label):
    """Returns (row, distance) of the nearest that stays and shows the same label."""
    kept = np.empty(len(gone), np.int64)
    distance = np.empty(len(gone), np.float32)
    for label in np.unique(for_label).tolist():
        mine, stay = for_label == label, ledger.images(label)
        index, far = neighbours.nearest(features[gone[mine]], features[stay], 1)
        kept[mine], distance[mine] = stay[index[:, 0]], far[:, 0]
    return kept, distance


def text(cut, names, most=30):
    """Returns the printed form: totals, a line a label, and targets that were missed.

    Args:
        cut: `Undersampled`.
        names: display names of the C labels.
        most: lines of either kind.
    """
    names = [*names, "(no label)"]
    shown = np.flatnonzero(cut.before > 0)
    lines = [
        f"undersampling {cut.method}: {len(cut.gone):,} images go",
        f"{'label':<24}{'images':>10}{'target':>10}{'left':>10}",
    ]
    order = shown[np.argsort(-cut.before[shown], kind="stable")]
    for label in order[:most]:
        lines.append(
            f"{names[label][:23]:<24}{cut.before[label]:>10,}"
            f"{cut.target[label]:>10,}{cut.after[label]:>10,}"
        )
    if len(order) > most:
        lines.append(f"({len(order) - most:,} rarer labels are not shown)")
    above = np.flatnonzero(cut.after > cut.target)
    above = above[np.argsort(cut.target[above] - cut.after[above], kind="stable")]
    lines += [_missed(cut, names, label) for label in above[:most].tolist()]
    if len(above) > most:
        lines.append(f"(and {len(above) - most:,} more labels above their target)")
    return "\n".join(lines)


def _missed(cut, names, label):
    head = f"{names[label]} stays {cut.after[label] - cut.target[label]:,} above target"
    if label in cut.blockers:
        others = ", ".join(names[other] for other in cut.blockers[label])
        return f"{head}: its images also show labels at their target, such as {others}"
    return f"{head}: no further Tomek link ends at an image of it that may go"
