"""Times rates and one epoch's plan at the Inclusive Images Challenge's size.

    python -m tools.benchmarks.sampling
    python -m tools.benchmarks.sampling --scale=0.1 --rounds=5

1,743,042 images with 7.1 million labels of 7,178, drawn by Zipf's law, in 10 groups of
unequal size, times --scale. What decides which images an epoch draws, in turn, each in
a process of its own:

    labels made alike: `resampling.policies.rates` (class-aware) and `plan.make`, beside
    what a user of pandas would write: a count a label by groupby, the sum of their
    inverses by image, and `Series.sample(replace=True, weights=…)`; as many draws as
    there are images;

    groups made alike: the same two of ours (group-balanced), beside imbalanced-learn's
    `RandomOverSampler`, which takes one class an image and no labels, shuffled; as many
    draws of each group as the largest has images.

Prints tables in Markdown. Ends with exit code 3 where ours takes longer than the other,
or holds more than 1 GB at its peak.
"""

import pathlib
import tempfile

from absl import flags

from tools import command, parts
from tools.benchmarks import label_fusion, memory, tables, turns

FLAGS = flags.FLAGS

IMAGES, ENTRIES, CLASSES, GROUPS = 1_743_042, 7_100_000, 7_178, 10
MOST_BYTES = 1e9
BY_LABEL = {"ours, by label": "plan_by_label", "pandas": "draw_by_pandas"}
BY_GROUP = {"ours, by group": "plan_by_group", "imbalanced-learn": "draw_by_imblearn"}
"""{way: its function here}."""


def make(folder, scale, seed=0):
    """Writes labels and groups of images as .npy files.

    Args:
        folder: where to.
        scale: share of the challenge's images and labels.
        seed: of all that is drawn.

    Returns:
        Number of images.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    images, entries = round(IMAGES * scale), round(ENTRIES * scale)
    label = label_fusion.draw_by_zipf(generator, entries, CLASSES)
    image = np.arange(entries)
    # every image shows a label
    image[images:] = generator.integers(0, images, entries - images)
    # and none shows one twice
    pairs = np.unique(image * CLASSES + label)
    counts = np.bincount(pairs // CLASSES, minlength=images)
    group = label_fusion.draw_by_zipf(generator, images, GROUPS)
    arrays = {
        "offsets": np.concatenate([[0], np.cumsum(counts)]),
        "index": (pairs % CLASSES).astype(np.int32),
        "group": group.astype(np.int32),
    }
    for name, values in arrays.items():
        np.save(pathlib.Path(folder) / f"{name}.npy", values)
    return images


def _read(folder, *names):
    import numpy as np

    return [np.load(pathlib.Path(folder) / f"{name}.npy") for name in names]


def table_of(folder):
    """Returns the label table of what was made, with ids as long as the challenge's."""
    import numpy as np

    from data_pipelines import labels

    offsets, index, group = _read(folder, "offsets", "index", "group")
    count = len(group)
    ids = np.arange(count).astype("U16")
    return labels.LabelTable(
        ids=ids,
        locations=ids,
        labels=labels.SparseLabels(
            offsets, index, np.ones(len(index), np.float32), CLASSES
        ),
        vocabulary=labels.Vocabulary(tuple(map(str, range(CLASSES)))),
        group=group,
        group_names=tuple(map(str, range(GROUPS))),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def frame_of(folder):
    """Returns a pandas table with a row for each image and label."""
    import numpy as np
    import pandas as pd

    offsets, index = _read(folder, "offsets", "index")
    image = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return pd.DataFrame({"image": image, "label": index})


def weights_by_pandas(frame):
    """Returns the class-aware weight of each image, a Series."""
    size = frame.groupby("label")["image"].transform("size")
    return (1.0 / size).groupby(frame["image"]).sum()


def plan_by_label(folder):
    """Prepares our rates and plan; returns a function that returns int64 [draws]."""
    from data_pipelines.resampling import plan, policies

    table = table_of(folder)

    def draw():
        rates = policies.rates(table, "class_aware", len(table))
        return plan.make(rates, 0, 0).example

    return draw


def draw_by_pandas(folder):
    """As `plan_by_label`, by groupby and a weighted sample."""
    frame = frame_of(folder)

    def draw():
        weight = weights_by_pandas(frame)
        drawn = weight.sample(len(weight), replace=True, weights=weight, random_state=0)
        return drawn.index.to_numpy()

    return draw


def plan_by_group(folder):
    """As `plan_by_label`, until all groups are as large as the largest."""
    import numpy as np

    from data_pipelines.resampling import plan, policies

    table = table_of(folder)

    def draw():
        sizes = np.bincount(table.group)
        rates = policies.rates(table, "group_balanced", sizes.max() * len(sizes))
        return plan.make(rates, 0, 0).example

    return draw


def draw_by_imblearn(folder):
    """As `plan_by_group`, by imbalanced-learn."""
    import numpy as np
    from imblearn import over_sampling

    (group,) = _read(folder, "group")
    rows = np.arange(len(group))[:, None]

    def draw():
        sampler = over_sampling.RandomOverSampler(random_state=0)
        drawn = sampler.fit_resample(rows, group)[0][:, 0]
        # which come by group
        return np.random.default_rng(0).permutation(drawn)

    return draw


def counting(function, folder):
    """Prepares a way, of which the number of draws is returned; see `memory.apart`."""
    draw = globals()[function](folder)
    return lambda: len(draw())


def measure(folder, ways, rounds):
    """Takes ways in turn, each in a process of its own.

    Returns:
        {way: list of `memory.Used`, one a round}.
    """
    return memory.apart_in_turn(
        {
            way: ("tools.benchmarks.sampling:counting", function, str(folder))
            for way, function in ways.items()
        },
        rounds,
    )


def report(title, found, images, goals):
    """Prints what was found of some ways; returns whether all is within bounds."""
    ours = next(iter(found))
    seconds = {way: [one.seconds for one in used] for way, used in found.items()}
    within = turns.report(title, seconds, images, "images", goals)
    figures = []
    for way, used in found.items():
        peak = max(one.peak for one in used) / 1e9
        most = MOST_BYTES / 1e9 if way == ours else None
        figures += [
            tables.Figure(f"{way}: draws", used[0].returned, "{:,d}"),
            tables.Figure(f"{way}: peak resident", peak, "{:.2f} GB", most=most),
        ]
    return within & tables.report("Draws and memory", figures)


def main(_):
    """Measures, prints, and says whether the goals are met."""
    within = True
    with tempfile.TemporaryDirectory() as folder:
        images = make(folder, FLAGS.scale)
        for what, ways in (("labels", BY_LABEL), ("groups", BY_GROUP)):
            ours, peer = ways
            goals = [turns.Goal(ours, peer, 1, "time")]
            found = measure(folder, ways, FLAGS.rounds)
            title = f"An epoch of {images:,} images, {what} alike"
            within &= report(title, found, images, goals)
    return parts.exit_code(within)


def define():
    """Defines the flags; only when run as a script, since all scripts share names."""
    flags.DEFINE_float("scale", 1.0, "Share of the images and labels.", 1e-4, 1.0)
    flags.DEFINE_integer("rounds", 5, "Runs of each way.", 1)


if __name__ == "__main__":
    define()
    command.run(main)
