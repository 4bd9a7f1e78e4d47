"""The Inclusive Images Challenge in its official layout.

    data_dir/train_human_labels.csv         ImageID,Source,LabelName,Confidence
    data_dir/train_machine_labels.csv       the same
    data_dir/train_bounding_boxes.csv       the same, XMin,XMax,YMin,YMax, attributes
    data_dir/class-descriptions.csv         label_code,description
    data_dir/classes-trainable.csv          label_code
    data_dir/tuning_labels.csv              no header: id and space-joined codes
    data_dir/stage_1_solutions.csv          the same; absent until it was released
    data_dir/stage_1_sample_submission.csv  image_id,labels
    data_dir/train/<id>.jpg, data_dir/stage_1_test_images/<id>.jpg

Splits are `train` (and `validation` of it), `tuning` and `stage_1`. Images of the
tuning set are among those of stage 1; they are left out of the latter, so nothing is
scored that was tuned on. The hierarchy of Open Images is not used: the challenge
forbids it. Labels that are not stated are taken for absent, as the challenge's truth
has no others.
"""

import dataclasses
import pathlib

from data_pipelines import errors, labels
from data_pipelines.open_images import challenge_truth, fused, fusion, lists, parts
from data_pipelines.open_images import facts as file_facts
from data_pipelines.sources import presence

FILES = {
    "human": "train_human_labels.csv",
    "machine": "train_machine_labels.csv",
    "box": "train_bounding_boxes.csv",
}
"""Names of the training files, by source of their labels."""

TRAINABLE = "classes-trainable.csv"
DESCRIPTIONS = ("class-descriptions.csv", "oidv6-class-descriptions.csv")
"""Display names; Open Images V6's file has those of all trainable labels too."""


@dataclasses.dataclass(frozen=True)
class InclusiveImagesConfig:
    """How to read the challenge.

    Args:
        data_dir: folder of the CSV files.
        train_images: folder of the training images; empty: `data_dir/train`.
        test_images: folder of tuning and stage 1 images; empty:
            `data_dir/stage_1_test_images`.
        fusion: a name in `open_images.fusion.RULES`.
        trainable_only: the 7,178 trainable labels; else all that the human file holds.
        without_truth: also read, as split `stage_1_without_truth`, the images of the
            sample submission of which no truth is there. They can be predicted, and no
            score of them means anything.
        unlabelled: `keep` or `drop` training images that no rule leaves a label.
        missing_images: `keep` or `drop` images whose file is not there.
        validation_fraction: share of the training images that become `validation`.
        seed: decides which.
    """

    data_dir: str = ""
    train_images: str = ""
    test_images: str = ""
    fusion: str = "first_source"
    trainable_only: bool = True
    without_truth: bool = False
    unlabelled: str = "keep"
    missing_images: str = "keep"
    validation_fraction: float = 0.0
    seed: int = 0


def read_with_notes(config, vocabulary=None):
    """Reads the challenge.

    In the training files, labels outside the vocabulary are usual (11 % of the human
    and 12 % of the machine rows are not trainable); they are left out and counted. In
    the truth of tuning and stage 1 there is none, so one is refused: left out, it would
    flatter every score.

    Args:
        config: `InclusiveImagesConfig`.
        vocabulary: `labels.Vocabulary` of a trained model; None takes the trainable
            labels, or all human ones and then those that only the truth has.

    Returns:
        (`labels.LabelTable`, list of sentences).

    Raises:
        errors.DataError: whatever is wrong, with file and row.
        errors.SettingError: an unknown rule or choice.
    """
    _check(config)
    folder, notes = pathlib.Path(config.data_dir), []
    truth = challenge_truth.read(folder, notes)
    paths = _training_paths(config, fusion.rule(config.fusion).sources, notes)
    rows = fused.read_rows(paths)
    if vocabulary is None:
        vocabulary = _vocabulary(config, rows, truth, notes)
    found = []
    if rows:
        found += _training_parts(config, rows, vocabulary, notes)
    images = pathlib.Path(config.test_images or folder / "stage_1_test_images")
    found += challenge_truth.as_parts(truth, vocabulary, images.resolve())
    if config.without_truth:
        found.append(
            challenge_truth.without(folder, truth, vocabulary, images.resolve())
        )
    table = parts.joined(found, vocabulary, unlisted_is_absent=True)
    if config.missing_images == "drop":
        return presence.drop_missing(table, notes)
    return table, notes


def _training_parts(config, rows, vocabulary, notes):
    read = fused.fuse(rows, vocabulary, config.fusion)
    notes += read.notes
    images = config.train_images or pathlib.Path(config.data_dir) / "train"
    train = parts.of_fused(
        read,
        "train",
        "open_images",
        pathlib.Path(images).resolve(),
        config.unlabelled,
        notes,
    )
    return parts.hold_out(train, config.validation_fraction, config.seed)


def facts(config):
    """Returns what the training files know beside labels; see `open_images.facts`.

    All training files that are there are read, whatever the fusion rule looks at.

    Raises:
        errors.DataError: as `read_with_notes`.
    """
    _check(config)
    paths = {
        source: str(pathlib.Path(config.data_dir) / name)
        for source, name in FILES.items()
        if (pathlib.Path(config.data_dir) / name).exists()
    }
    if not paths:
        return {}
    rows = fused.read_rows(paths)
    vocabulary = _vocabulary(config, rows, {}, [])
    return file_facts.measure(paths, rows, vocabulary, config.fusion)


def box_files(config, split):
    """Returns the paths of the boxes of a split, a tuple; only training has any."""
    path = pathlib.Path(config.data_dir) / FILES["box"]
    known = split in ("train", "validation") and path.exists()
    return (str(path),) if known else ()


def _check(config):
    errors.require_choices(
        config, {"unlabelled": ("keep", "drop"), "missing_images": presence.CHOICES}
    )
    fusion.rule(config.fusion)
    if not config.data_dir:
        raise errors.DataError(
            "no folder of the challenge's files is named", expected="--data_dir=FOLDER"
        )
    if not pathlib.Path(config.data_dir).is_dir():
        raise errors.DataError("there is no such folder", file=config.data_dir)


def _training_paths(config, sources, notes):
    """{source: path} of the training files that a rule looks at; {} without any."""
    folder = pathlib.Path(config.data_dir)
    if not any((folder / name).exists() for name in FILES.values()):
        notes.append(
            "there are no training files, so there is no split train; expected "
            + ", ".join(FILES.values())
        )
        return {}
    for source in sources:
        if not (folder / FILES[source]).exists():
            able = [
                name
                for name, rule in fusion.RULES.items()
                if all((folder / FILES[needed]).exists() for needed in rule.sources)
            ]
            raise errors.DataError(
                f"there is no such file, and fusion rule {config.fusion} needs it",
                expected="the file, or a rule that does without: "
                + (", ".join(able) or "there is none"),
                file=folder / FILES[source],
            )
    return {source: str(folder / FILES[source]) for source in sources}


def _vocabulary(config, rows, truth, notes):
    folder = pathlib.Path(config.data_dir)
    if config.trainable_only:
        codes = lists.read_codes(folder / TRAINABLE)
    elif "human" in rows:
        codes = sorted(rows["human"].codes.texts)
        unseen = challenge_truth.codes(truth) - set(codes)
        if unseen:
            notes.append(
                f"{len(unseen):,} labels of the truth are in no human row; they stand "
                "last in the vocabulary and can only be missed"
            )
        codes += sorted(unseen)
    else:
        raise errors.DataError(
            "all human labels are asked for, and there is no human file",
            expected=f"{FILES['human']}, or the trainable labels only",
            file=config.data_dir,
        )
    path = challenge_truth.first_there(folder, DESCRIPTIONS)
    names = {} if path is None else lists.read_descriptions(path)
    bare = sum(code not in names for code in codes)
    if bare:
        notes.append(f"{bare:,} labels have no display name; their code stands for it")
    return labels.Vocabulary(codes, [names.get(code) or code for code in codes])
