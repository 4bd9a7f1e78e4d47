"""Resampling policies: how often each example should be seen in an epoch.

A policy is a function of the label table to a weight an example; `rates` scales the
weights so that they sum to the epoch's size. With several labels on an image exact
balance is in general impossible (an image brings all its labels along); what a policy
achieves for each label is what `exposure` prints.

An image without any label counts as showing one further class, "no label".
"""

import numpy as np

from data_pipelines import errors


def _with_no_label(table):
    """Presence as (row of each entry, class of each entry, count of each class)."""
    present = table.labels.present()
    rows, classes = present.rows(), present.index
    bare = np.flatnonzero(np.diff(present.offsets) == 0)
    rows = np.concatenate([rows, bare])
    classes = np.concatenate([classes, np.full(len(bare), present.num_classes)])
    return rows, classes, np.bincount(classes, minlength=present.num_classes + 1)


def none(table):
    """Every example once: weight 1."""
    return np.ones(len(table))


def rarest_label(table, power=1.0):
    """Inverse frequency of an image's rarest label: w_i = max_c n_c^(-power).

    Asbudhkar's and chicm's systems of the Inclusive Images Challenge weight an image by
    one label's inverse count; `power` below 1 tempers the balance (0 is no resampling).
    """
    rows, classes, counts = _with_no_label(table)
    weights = np.zeros(len(table))
    np.maximum.at(weights, rows, counts[classes].astype(float) ** -power)
    return weights


def class_aware(table):
    """Draw a class uniformly, then one of its images: w_i = sum_c 1 / n_c.

    Shen, Lin and Huang 2016, arXiv 1512.05830, section 4.
    """
    rows, classes, counts = _with_no_label(table)
    return np.bincount(rows, 1.0 / counts[classes], minlength=len(table))


def repeat_factor(table, threshold=0.05):
    """Repeat what is rarer than a share: w_i = max_c max(1, sqrt(threshold / f_c)).

    f_c is the share of images that show c. Gupta, Dollár and Girshick 2019 (LVIS),
    arXiv 1908.03195, section 4.
    """
    rows, classes, counts = _with_no_label(table)
    share = counts[classes] / len(table)
    weights = np.ones(len(table))
    np.maximum.at(weights, rows, np.sqrt(threshold / share))
    return weights


def group_balanced(table):
    """Every group alike: w_i = 1 / (size of its group)."""
    sizes = np.bincount(table.group, minlength=len(table.group_names))
    return 1.0 / sizes[table.group]


POLICIES = {
    "none": none,
    "rarest_label": rarest_label,
    "class_aware": class_aware,
    "repeat_factor": repeat_factor,
    "group_balanced": group_balanced,
}


def rates(table, policy, epoch_size, **settings):
    """Returns float64 [N]: expected draws of each example in an epoch.

    Args:
        table: `labels.LabelTable` of the training split.
        policy: a name in `POLICIES`.
        epoch_size: draws an epoch; the rates sum to it.
        **settings: what the policy takes beside the table.

    Raises:
        errors.SettingError: an unknown policy, an empty table or no draws.
    """
    if policy not in POLICIES:
        raise errors.SettingError(
            f"Unknown resampling policy. Expected: one of {', '.join(POLICIES)}. "
            f"Received: {policy}."
        )
    if not len(table) or epoch_size < 1:
        raise errors.SettingError(
            "Nothing to draw. Expected: at least one example and one draw. "
            f"Received: {len(table)} examples, {epoch_size} draws."
        )
    weights = POLICIES[policy](table, **settings)
    return weights * (epoch_size / weights.sum())
