"""Labels that come with each other are found, at the cost of their own images."""

import numpy as np
import pytest

from data_pipelines import labels
from data_pipelines.resampling import exposure


def make_table(dense):
    count, classes = dense.shape
    return labels.LabelTable(
        ids=np.arange(count).astype(str),
        locations=np.arange(count).astype(str),
        labels=labels.SparseLabels.from_dense(dense),
        vocabulary=labels.Vocabulary([f"L{label}" for label in range(classes)]),
        group=np.zeros(count, np.int32),
        group_names=("a",),
        split=np.zeros(count, np.int32),
        split_names=("train",),
    )


def companions_by_definition(dense, label):
    """Labels of which over 0.9 of the images show this label as well."""
    return [
        f"L{other}"
        for other in range(dense.shape[1])
        if other != label
        and (dense[:, other] & dense[:, label]).sum() > 0.9 * dense[:, other].sum()
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_label_over_twice_the_even_share_comes_with_its_companions(seed):
    generator = np.random.default_rng(seed)
    dense = generator.random((400, 12)) < generator.uniform(0.02, 0.1, 12)
    dense[:, 0] = dense[:, :6].any(axis=1) & (generator.random(400) < 0.93)
    dense[:, 1] = generator.random(400) < 0.7
    dense[0] = True
    said = exposure.measure(make_table(dense), np.ones((1, 400)), "class_aware").cannot
    for label in (0, 1):
        (sentence,) = [one for one in said if one.startswith(f"L{label}: ")]
        companions = companions_by_definition(dense, label)
        expected = f"comes with every {', '.join(companions[:5])}"
        if not companions:
            draws = dense[:, label].sum()
            expected = f"{draws:,} draws, over twice the even share"
        assert sentence == f"L{label}: {expected}"


def test_images_are_counted_as_often_for_many_common_labels_as_for_few(monkeypatch):
    """A count is a pass over all entries, so one a label would be quadratic."""
    passes = []
    counts = labels.SparseLabels.counts

    def counted(sparse_labels):
        passes[-1] += 1
        return counts(sparse_labels)

    monkeypatch.setattr(labels.SparseLabels, "counts", counted)
    for common in (1, 40):
        dense = np.zeros((200, 100), bool)
        dense[np.arange(200), np.arange(200) % 100] = True
        dense[:, :common] = True
        passes.append(0)
        measured = exposure.measure(make_table(dense), np.ones((1, 200)), "class_aware")
        assert len(measured.cannot) == common
    assert passes[0] == passes[1]
