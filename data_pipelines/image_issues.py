"""Finds faulty, repeated and odd images of a data set, each with its reason.

In order: files that cannot be read (`quality.scan`), what one image shows of itself
(`image_measures`, by cleanvision), images that stand twice (`duplicates`), and images
unlike all others. What is found are suspects: a dark picture may be a night scene, and
an image unlike the others may be of a place that the data hardly show.
"""

import dataclasses

import numpy as np
import pandas as pd

from data_pipelines import (
    duplicates,
    errors,
    exclusion,
    image_measures,
    issue_kinds,
    neighbours,
    quality,
    storage,
)

_SCAN_SIZE = 8
# the median absolute deviation of a normal distribution, as a share of its deviation
_MAD_OF_NORMAL = 0.6744897501960817
_FEWEST = 20
_REPEATS = ("exact_duplicate", "near_duplicate", "leak")


@dataclasses.dataclass(frozen=True)
class IssueConfig:
    """What to look for.

    Args:
        kinds: some of `issue_kinds.KINDS`; `unreadable` is always looked for.
        thresholds: pairs (kind, score below which an image has the issue, 0..1), for
            kinds in `image_measures.JUDGED`; cleanvision's own where none is given.
        neighbours: how many images must be near one that is like others, at least 1.
        deviations: robust deviations from which on an image is unlike the others.
        sample: images that distances are measured to, at most; more than `neighbours`.
        max_pixels: larger images count as unreadable.
        seed: decides the sample.

    Raises:
        errors.SettingError: a kind or a number that cannot be used.
    """

    kinds: tuple = tuple(issue_kinds.KINDS)
    thresholds: tuple = ()
    neighbours: int = 5
    deviations: float = 3.5
    sample: int = 20_000
    max_pixels: int = 50_000_000
    seed: int = 0

    def __post_init__(self):
        unknown = [kind for kind in self.kinds if kind not in issue_kinds.KINDS]
        if unknown:
            raise errors.SettingError(
                "There is no such kind of issue. Expected: one of "
                f"{', '.join(issue_kinds.KINDS)}. Received: {unknown[0]}."
            )
        for kind, value in self.thresholds:
            if kind not in image_measures.JUDGED or not 0 <= value <= 1:
                raise errors.SettingError(
                    "A threshold cannot be used. Expected: a number from 0 to 1 for "
                    f"one of {', '.join(image_measures.JUDGED)}. Received: {kind}="
                    f"{value}."
                )
        for name, least in (("neighbours", 1), ("sample", _FEWEST), ("deviations", 0)):
            if not getattr(self, name) >= least:
                raise errors.SettingError(
                    f"{name} cannot be used. Expected: at least {least}. Received: "
                    f"{getattr(self, name)}."
                )
        if self.sample <= self.neighbours:
            raise errors.SettingError(
                "A sample has no so many neighbours. Expected: a sample of more than "
                f"{self.neighbours} images. Received: {self.sample}."
            )


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        rows: list of `exclusion.Row`, by kind and within a kind the worst first.
        looked_for: the kinds that were looked for, in the order of `issue_kinds`.
        others: {(id, kind): id of the image that it repeats}.
        notes: sentences on what could not be looked for.
    """

    rows: list
    looked_for: tuple
    others: dict
    notes: list


def unlike_others(features, config):
    """Measures how far each image is from those nearest to it.

    The distance to the k-th nearest image (Ramaswamy, Rastogi and Shim 2000), its
    logarithm set against the data set's own distribution: (log d - median) /
    (MAD / 0.6745), the modified z-score of Iglewicz and Hoaglin 1993, who advise 3.5.
    An image that has k exact repeats has no distance and is like others.

    Args:
        features: float32 [N, D], finite.
        config: `IssueConfig`.

    Returns:
        float64 [N]: robust deviations above the median; -inf at distance 0, and all
        zeros where the distances do not vary.
    """
    count = len(features)
    chosen = np.arange(count)
    if count > config.sample:
        generator = np.random.default_rng([config.seed, count])
        chosen = np.sort(generator.permutation(count)[: config.sample])
    index, distance = neighbours.nearest(
        features, features[chosen], config.neighbours + 1
    )
    places = np.append(chosen, -1)
    own = (places[index] == np.arange(count)[:, None]).any(axis=1)
    kth = np.where(own, distance[:, -1], distance[:, -2]).astype(np.float64)
    with np.errstate(divide="ignore"):
        log = np.log(kth)
    known = log[np.isfinite(log)]
    if not len(known):
        return np.zeros(count)
    median = np.median(known)
    spread = np.median(np.abs(known - median)) / _MAD_OF_NORMAL
    if not spread:
        return np.zeros(count)
    return (log - median) / spread


def find(table, config, features=None, progress=False):
    """Looks at every image of a data set.

    Args:
        table: `labels.LabelTable` whose images are files.
        config: `IssueConfig`.
        features: float32 [N, D] to tell which images are unlike the others, such as a
            model's; a row that is not finite has none. None measures `pixel_features`.
        progress: whether to show bars on the standard error stream.

    Returns:
        `Found`.

    Raises:
        errors.MissingExtraError: cleanvision is not installed and is needed.
        errors.DataError: the images are not files: a prepared set was re-encoded, so
            its raw files have to be looked at.
    """
    if not isinstance(table.storage, storage.Files):
        raise errors.DataError(
            "only image files can be looked at, and these are records",
            expected="the data set that it was prepared from",
            received=type(table.storage).__name__,
        )
    # here, so that rows can be read and written without TensorFlow
    from data_pipelines import images

    looked_for = tuple(
        kind for kind in issue_kinds.KINDS
        if kind in config.kinds or kind == "unreadable"
    )  # fmt: skip
    if set(looked_for) & {*image_measures.JUDGED, *_REPEATS}:
        # what is missing is said before the work, not after it
        image_measures.require()
    scan = images.ImageConfig(_SCAN_SIZE, _SCAN_SIZE, max_pixels=config.max_pixels)
    faults = quality.scan(table.locations, scan, progress)
    rows = [
        exclusion.Row(str(table.ids[fault.row]), "unreadable", 0.0, fault.reason)
        for fault in faults
    ]
    readable = np.ones(len(table), bool)
    readable[[fault.row for fault in faults]] = False
    examples = np.flatnonzero(readable)
    measured, repeated = _measured(table, examples, config, looked_for, progress)
    rows += measured + [row for row, _ in repeated]
    others = {(row.id, row.issue): other for row, other in repeated}
    notes = []
    if "irrelevant" in looked_for:
        more, notes = _irrelevant(table, examples, config, features, progress)
        rows += more
    order = {kind: place for place, kind in enumerate(issue_kinds.KINDS)}
    rows.sort(
        key=lambda row: (
            order[row.issue],
            -row.score if row.issue == "irrelevant" else row.score,
        )
    )
    return Found(rows, looked_for, others, notes)


def _measured(table, examples, config, looked_for, progress):
    repeats = [kind for kind in _REPEATS if kind in looked_for]
    judged = [kind for kind in image_measures.JUDGED if kind in looked_for]
    if not (repeats or judged) or not len(examples):
        return [], []
    measures = image_measures.measure(table.take(examples), config.max_pixels, progress)
    found = image_measures.judge(
        measures, {*judged, "low_information"}, dict(config.thresholds)
    )
    rows = [
        exclusion.Row(
            str(table.ids[examples[place]]),
            kind,
            max(0.0, float(found[kind][1][place])),
        )
        for kind in judged
        for place in np.flatnonzero(found[kind][0]).tolist()
    ]
    if repeats:
        # the hash of one colour is noise: all such images would look alike
        look = np.where(found["low_information"][0], "", measures.look)
        return rows, duplicates.rows(table, examples, measures.pixels, look, repeats)
    return rows, []


def _irrelevant(table, examples, config, features, progress):
    notes = []
    if features is not None:
        features = np.asarray(features, np.float32)
        described = np.isfinite(features).all(axis=1)[examples]
        if not described.all():
            notes.append(
                f"{np.count_nonzero(~described):,} readable images have no features: "
                "whether they are irrelevant was not looked at"
            )
        examples = examples[described]
        features = features[examples]
    fewest = max(_FEWEST, config.neighbours + 2)
    if len(examples) < fewest:
        return [], [
            *notes,
            f"irrelevant images were not looked for: {len(examples):,} images are "
            f"fewer than {fewest}",
        ]
    if features is None:
        from data_pipelines import pixel_features

        features = pixel_features.measure(
            table.take(examples), max_pixels=config.max_pixels, progress=progress
        )
    far = unlike_others(features, config)
    return [
        exclusion.Row(
            str(table.ids[examples[place]]), "irrelevant", float(far[place]),
            f"{far[place]:.1f} robust deviations from its neighbours",
        )
        for place in np.flatnonzero(far >= config.deviations).tolist()
    ], notes  # fmt: skip


def counts(rows, kinds, of_examples, names, index):
    """Counts images of each kind by split or by group.

    Args:
        rows: list of `exclusion.Row`.
        kinds: the kinds to count.
        of_examples: int [N], such as `table.split`.
        names: what each of its values is called.
        index: {id: row of the table}.

    Returns:
        `pandas.DataFrame` of int64, a row a kind and a column a name.
    """
    table = np.zeros((len(kinds), len(names)), np.int64)
    place = {kind: number for number, kind in enumerate(kinds)}
    for row in rows:
        if row.issue in place:
            table[place[row.issue], of_examples[index[row.id]]] += 1
    return pd.DataFrame(table, index=list(kinds), columns=list(names))


def summary(table, found):
    """Returns how many images of each split have each issue, as a table in text."""
    index = {name: row for row, name in enumerate(table.ids.tolist())}
    counted = counts(
        found.rows, found.looked_for, table.split, table.split_names, index
    )
    counted.loc["images"] = pd.Series(table.split_counts())
    counted["all"] = counted.sum(axis=1)
    return counted.map("{:,}".format).to_string()
