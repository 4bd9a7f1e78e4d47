"""The default data: Fashion-MNIST made unfair in the open.

An image is 28x56 and shows one or two garments side by side; its labels are the
garments and their families. Two regions are **induced**, nothing here was photographed
in two places:

* the *source* region has a long tail over garments: n_k = n_max · ratio^(-k/9) for the
  k-th garment of an order drawn from the seed (Cui et al. 2019, the profile of
  CIFAR-LT);
* the *target* region has another mix (its own drawn order, a milder ratio) and another
  look: a dim, slightly blurred camera.

Within a region an image is taken in one of two places, the group of the label table: a
*studio* (black backdrop) or a *street* (grey backdrop with a gradient, sensor noise).
Streets are rare in the source and common in the target. The splits are those of the
Inclusive Images Challenge: train and validation from the source; tuning, stage 1 and
stage 2 from the target. No photograph is used twice.

`make` writes an ordinary table data set (`labels.csv` and `images/*.png`), which is
then read like anybody's own.
"""

import dataclasses
import hashlib
import io
import json
import pathlib

import numpy as np
import pandas as pd
from PIL import Image

from data_pipelines import atomic, errors
from data_pipelines.resampling import long_tail
from data_pipelines.sources import fashion_mnist, table

FAMILIES = {
    "T-shirt/top": "Topwear",
    "Pullover": "Topwear",
    "Coat": "Topwear",
    "Shirt": "Topwear",
    "Trouser": "Bottomwear",
    "Dress": "One-piece",
    "Sandal": "Footwear",
    "Sneaker": "Footwear",
    "Ankle boot": "Footwear",
    "Bag": "Accessories",
}
COLUMNS = ("path", "labels", "group", "split", "left", "right", "left_photo",
           "right_photo")  # fmt: skip
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class FashionRegionsConfig:
    """What is induced, and how strongly.

    Args:
        seed: decides every draw.
        largest: garments of the commonest class in training.
        ratio: commonest over rarest class in training.
        target_ratio: the same in the target region.
        validation_share: validation garments per training garment of a class.
        tuning: images of the tuning set.
        stage: images of stage 1, and of stage 2.
        pair_share: share of the images that show two garments.
        street_share: share of street images, in source and target.
        data_dir: folder of Fashion-MNIST's files; empty means look for them.
        cache_dir: folder for downloads and the images made.
    """

    seed: int = 0
    largest: int = 4000
    ratio: float = 100.0
    target_ratio: float = 10.0
    validation_share: float = 0.15
    tuning: int = 1000
    stage: int = 3000
    pair_share: float = 0.5
    street_share: tuple = (0.1, 0.6)
    data_dir: str = ""
    cache_dir: str = "data"


def _apportion(shares, total):
    """Largest remainders: whole numbers in proportion to `shares`, summing to total."""
    exact = np.asarray(shares, float) / np.sum(shares) * total
    counts = np.floor(exact).astype(int)
    rest = np.argsort(counts - exact, kind="stable")[: total - counts.sum()]
    counts[rest] += 1
    return counts


def garment_counts(config, generator):
    """Returns {split: int [10]}: garments of each class a split shows."""
    classes = len(fashion_mnist.CLASS_NAMES)
    source_order = generator.permutation(classes)
    target_order = generator.permutation(classes)
    train = np.empty(classes, int)
    train[source_order] = long_tail.long_tail_counts(
        classes, config.largest, config.ratio
    )
    validation = np.maximum(1, np.round(train * config.validation_share)).astype(int)
    target = np.empty(classes)
    target[target_order] = config.target_ratio ** (-np.arange(classes) / (classes - 1))
    counts = {"train": train, "validation": validation}
    for split, images in (
        ("tuning", config.tuning),
        ("stage_1", config.stage),
        ("stage_2", config.stage),
    ):
        garments = images + round(images * config.pair_share)
        counts[split] = _apportion(target, garments)
    return counts


def _allocate(classes, counts, generator):
    """Returns {split: int photographs}, in random order, no photograph twice."""
    chosen = {split: [] for split in counts}
    for label in range(len(fashion_mnist.CLASS_NAMES)):
        photographs = generator.permutation(np.flatnonzero(classes == label))
        needed = sum(split_counts[label] for split_counts in counts.values())
        if needed > len(photographs):
            raise errors.DataError(
                f"there are too few photographs of {fashion_mnist.CLASS_NAMES[label]}",
                expected=f"at most {len(photographs):,} over all splits",
                received=f"{needed:,}",
            )
        start = 0
        for split, split_counts in counts.items():
            chosen[split].append(photographs[start : start + split_counts[label]])
            start += split_counts[label]
    return {
        split: generator.permutation(np.concatenate(parts))
        for split, parts in chosen.items()
    }


def _lay_out(photographs, pair_share, generator):
    """Returns int [images, 2]: photograph of the left and right half, -1 for none."""
    images = round(len(photographs) / (1 + pair_share))
    pairs = len(photographs) - images
    halves = np.full((images, 2), -1)
    halves[:pairs] = photographs[: 2 * pairs].reshape(-1, 2)
    side = generator.integers(0, 2, images - pairs)
    halves[np.arange(pairs, images), side] = photographs[2 * pairs :]
    return halves[generator.permutation(images)]


def _box_blur(images, weight):
    """Mixes each pixel with the mean of its 3x3 neighbourhood; edges repeated."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = images.shape[1:]
    mean = (
        sum(
            padded[:, row : row + height, column : column + width]
            for row in range(3)
            for column in range(3)
        )
        / 9
    )
    return (1 - weight) * images + weight * mean


def render(halves, photographs, street, target, generator):
    """Draws images in the look of their place and region.

    Args:
        halves: int [N, 2] from `_lay_out`.
        photographs: uint8 [P, 28, 28], garments on black.
        street: bool [N].
        target: bool; the region's look.
        generator: np.random.Generator.

    Returns:
        uint8 [N, 28, 56].
    """
    side = fashion_mnist.SIDE
    blank = np.zeros((1, side, side), np.uint8)
    # index -1 is the blank half
    drawn = np.concatenate([photographs, blank])[halves]
    images = np.concatenate([drawn[:, 0], drawn[:, 1]], axis=2).astype(np.float32) / 255
    count = len(images)
    level = generator.uniform(0.15, 0.35, (count, 1, 1))
    slope = generator.uniform(-0.15, 0.15, (count, 1, 1))
    across = np.linspace(-1, 1, 2 * side, dtype=np.float32)
    backdrop = np.clip(level + slope * across, 0, 1)
    noise = generator.normal(0, 0.03, images.shape)
    on_street = np.clip(backdrop + (1 - backdrop) * images + noise, 0, 1)
    images = np.where(street[:, None, None], on_street, images)
    if target:
        gain = generator.uniform(0.45, 0.75, (count, 1, 1))
        images = _box_blur(images * gain, 0.5)
    return np.round(images * 255).astype(np.uint8)


def _png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _labels(halves, classes):
    names = [
        fashion_mnist.CLASS_NAMES[classes[photo]] for photo in halves if photo >= 0
    ]
    return list(dict.fromkeys(names + [FAMILIES[name] for name in names]))


def make(config, folder):
    """Writes the data set to `folder`, whole or not at all; returns where it came from.

    Raises:
        errors.DataError: Fashion-MNIST cannot be had, or has too few photographs.
    """
    photographs, classes, place = fashion_mnist.load(config.data_dir, config.cache_dir)
    # a photograph that the publishers included twice could stand in two splits
    digests = [hashlib.sha256(photograph).digest() for photograph in photographs]
    unique = ~pd.Series(digests).duplicated().to_numpy()
    generator = np.random.default_rng([config.seed, _VERSION])
    counts = garment_counts(config, generator)
    allocated = _allocate(np.where(unique, classes, -1), counts, generator)
    rows = []
    with atomic.folder(folder) as temporary:
        (temporary / "images").mkdir()
        for split, chosen in allocated.items():
            target = split not in ("train", "validation")
            region = "target" if target else "source"
            halves = _lay_out(chosen, config.pair_share, generator)
            street = np.zeros(len(halves), bool)
            street[: round(config.street_share[target] * len(halves))] = True
            street = generator.permutation(street)
            images = render(halves, photographs, street, target, generator)
            for number, image in enumerate(images):
                path = f"images/{split}-{number:05d}.png"
                (temporary / path).write_bytes(_png(image))
                names = [
                    fashion_mnist.CLASS_NAMES[classes[photo]] if photo >= 0 else ""
                    for photo in halves[number]
                ]
                rows.append((
                    path,
                    "|".join(_labels(halves[number], classes)),
                    f"{region}/{'street' if street[number] else 'studio'}",
                    split,
                    *names,
                    *(photo if photo >= 0 else "" for photo in halves[number]),
                ))  # fmt: skip
        atomic.write_csv(temporary / "labels.csv", COLUMNS, rows)
        atomic.write_json(
            temporary / "made_from.json",
            {
                "version": _VERSION,
                "config": _what_matters(config),
                "place": place,
                "repeated_photographs_left_out": int((~unique).sum()),
                "garments": {
                    split: dict(
                        zip(fashion_mnist.CLASS_NAMES, map(int, numbers), strict=True)
                    )
                    for split, numbers in counts.items()
                },
            },
        )
    return place


def _what_matters(config):
    settings = dataclasses.asdict(config)
    settings["street_share"] = list(config.street_share)
    del settings["data_dir"], settings["cache_dir"]
    return settings


def prepare(config):
    """Returns the folder of the data set, made now unless it is already there."""
    place = str(pathlib.Path(config.data_dir).resolve()) if config.data_dir else ""
    made_from = json.dumps([_VERSION, _what_matters(config), place])
    key = hashlib.sha256(made_from.encode()).hexdigest()[:8]
    name = f"fashion_regions-seed{config.seed}-{key}"
    folder = pathlib.Path(config.cache_dir) / name
    if not (folder / "labels.csv").is_file():
        make(config, folder)
    return folder


def read_with_notes(config, vocabulary=None):
    """Reads the data set, made first unless it is there.

    Args:
        config: `FashionRegionsConfig`.
        vocabulary: as in `table.read_with_notes`.

    Returns:
        (`labels.LabelTable`, notes); the notes say what is induced.
    """
    folder = prepare(config)
    label_table, notes = table.read_with_notes(
        table.TableConfig(
            table=str(folder / "labels.csv"),
            extra_columns=("left", "right", "left_photo", "right_photo"),
        ),
        vocabulary,
    )
    return label_table, [
        "Fashion-MNIST (real 28x28 photographs); regions, places and the imbalance are "
        "INDUCED, not observed",
        f"source region: long tail over garments, {config.largest:,} down to "
        f"{long_tail.long_tail_counts(10, config.largest, config.ratio)[-1]}, "
        f"{config.street_share[0]:.0%} street backdrops",
        f"target region: another mix of garments, {config.street_share[1]:.0%} street "
        "backdrops, every image dimmed (gain 0.45 to 0.75) and blurred",
        *notes,
    ]
