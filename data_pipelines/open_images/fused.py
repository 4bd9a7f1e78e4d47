"""From annotation files to fused labels, with notes of all that was left out."""

import dataclasses
import os

import numpy as np

from data_pipelines import labels
from data_pipelines.open_images import annotations, csv_files, fusion, fusion_report


@dataclasses.dataclass(frozen=True)
class Fused:
    """The labels of one split's images.

    Args:
        images: uint64 [N], increasing.
        labels: `labels.SparseLabels` of N rows.
        report: `fusion_report.FusionReport`.
        notes: sentences that count what was left out.
    """

    images: np.ndarray
    labels: labels.SparseLabels
    report: fusion_report.FusionReport
    notes: list


def read_rows(paths):
    """Returns {source: `annotations.Rows`} of {source: path}, each file read once."""
    return {
        source: (
            annotations.read_boxes if source == "box" else annotations.read_labels
        )(path)
        for source, path in paths.items()
    }


def given_codes(rows):
    """Returns the codes, sorted, that the rows of {source: `Rows`} say are present."""
    found = set()
    for its in rows.values():
        shown = np.zeros(len(its.codes.texts), bool)
        shown[its.codes.index[its.confidence > 0]] = True
        found.update(its.codes.texts[place] for place in np.flatnonzero(shown))
    return sorted(found)


def gathered(rows, vocabulary, rule):
    """Returns `annotations.Annotations` of rows, which are emptied, for a rule."""
    return annotations.gather(rows, vocabulary, fusion.rule(rule).unite)


def fuse(rows, vocabulary, rule):
    """Fuses the rows of one split.

    Args:
        rows: {source: `annotations.Rows`}; emptied.
        vocabulary: `labels.Vocabulary`.
        rule: a name in `fusion.RULES`.

    Returns:
        `Fused`.

    Raises:
        errors.SettingError: there is no such rule.
        errors.DataError: no row has a label of the vocabulary.
    """
    together = gathered(rows, vocabulary, rule)
    result, report = fusion.fuse(together, rule)
    return Fused(together.images, result, report, _notes(together, report))


def _notes(together, report):
    notes = []
    for stated in together.stated.values():
        name = os.path.basename(stated.path)
        if stated.outside:
            notes.append(
                f"{name}: {stated.outside:,} of {stated.rows:,} rows are of labels "
                "that are not in the vocabulary and were left out"
            )
        if stated.repeated:
            row = csv_files.file_row(stated.path, stated.first_repeat)
            notes.append(
                f"{name}: {stated.repeated:,} rows repeat an earlier one, the first in "
                f"row {row:,}; the highest confidence counts"
            )
    return notes + report.sentences()
