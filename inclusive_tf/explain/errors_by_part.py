"""Errors chosen for each label, for each group, and for a label in two groups."""

import dataclasses

import numpy as np

from data_pipelines import labels, neighbours
from inclusive_tf.explain import errors_to_explain

_CHUNK = 4096


def ranks_within(part):
    """Returns int64 [N]: how many entries of the same part stand before each."""
    part = np.asarray(part)
    order = np.argsort(part, kind="stable")
    sizes = np.unique(part, return_counts=True)[1]
    found = np.empty(len(part), np.int64)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    found[order] = np.arange(len(part)) - starts
    return found


def per_group(predictions, threshold_logit, count):
    """Chooses errors of every group in turn, in each those of highest loss first.

    Arguments, returns and errors as in `errors_to_explain.worst`.
    """
    examined = errors_to_explain.examine(predictions, threshold_logit)
    erring = np.flatnonzero((examined.wrong >= 0) | (examined.missed >= 0))
    order = erring[np.argsort(-examined.loss[erring], kind="stable")]
    group = np.asarray(predictions.group)[order]
    rows = order[np.lexsort((group, ranks_within(group)))][:count]
    return errors_to_explain.as_cases(predictions, threshold_logit, examined, rows)


def per_class(predictions, threshold_logit, count):
    """Chooses errors of every label in turn, in each the clearest first.

    A label's errors are the images it is wrongly given to and those it is missed on;
    the clearest is the one whose logit lies furthest beyond the threshold. Labels of
    most errors come first. No image stands twice.

    Arguments, returns and errors as in `errors_to_explain.worst`; `wrong` or `missed`
    is the label an image was chosen for.
    """
    examined = errors_to_explain.examine(predictions, threshold_logit)
    row, label, is_wrong, margin = _every_error(predictions, threshold_logit)
    frequency = np.bincount(label, minlength=len(predictions.vocabulary))
    order = np.lexsort((row, -margin))
    rank = np.empty(len(order), np.int64)
    rank[order] = ranks_within(label[order])
    order = np.lexsort((label, -frequency[label], rank))
    _, first = np.unique(row[order], return_index=True)
    order = order[np.sort(first)][:count]
    cases = errors_to_explain.as_cases(
        predictions, threshold_logit, examined, row[order]
    )
    return [
        dataclasses.replace(
            case, **{"wrong" if is_wrong[place] else "missed": int(label[place])}
        )
        for case, place in zip(cases, order, strict=True)
    ]


def _every_error(predictions, threshold_logit):
    """Returns (row, label, whether wrongly given, distance to the threshold)."""
    threshold = errors_to_explain.checked_threshold(
        threshold_logit, len(predictions.vocabulary)
    )
    found = []
    for start in range(0, max(len(predictions), 1), _CHUNK):
        logits = np.asarray(predictions.logits[start : start + _CHUNK], np.float64)
        truth = predictions.truth.take(np.arange(start, start + len(logits)))
        targets = truth.targets(predictions.unlisted_is_absent)
        labelled = np.diff(truth.offsets) > 0
        known = (targets != labels.UNKNOWN) & labelled[:, None]
        given = logits >= threshold
        erring = known & (given != (targets >= labels.PRESENT))
        row, label = np.nonzero(erring)
        margin = np.abs(logits - threshold)[erring]
        found.append((row + start, label, given[erring], margin))
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@dataclasses.dataclass(frozen=True)
class Pair:
    """A label found in one group and missed in another.

    Args:
        label: its index.
        here: index of the group where it was found.
        there: index of the group where it was missed.
        missed: `errors_to_explain.ErrorCase` of an image of `there` that shows it.
        found: the image of `here` most like that one, which shows it and was given it;
            its `right` is the label.
    """

    label: int
    here: int
    there: int
    missed: errors_to_explain.ErrorCase
    found: errors_to_explain.ErrorCase


def right_here_wrong_there(predictions, threshold_logit, count):
    """Chooses pairs of images of one label: found in a group, missed in another.

    For each label the groups are those of its highest and its lowest recall. Labels
    come in turn, ordered by how clearly the two recalls differ (the z statistic of two
    proportions); of each, the images of lowest logit come first, each beside the image
    of the other group that is nearest by features.

    Arguments and errors as in `errors_to_explain.worst`.

    Returns:
        list of `Pair`.
    """
    threshold = errors_to_explain.checked_threshold(
        threshold_logit, len(predictions.vocabulary)
    )
    examined = errors_to_explain.examine(predictions, threshold_logit)
    present = predictions.truth.present()
    row, label = present.rows(), present.index.astype(np.int64)
    logit = np.asarray(predictions.logits[row, label], np.float64)
    given = logit >= np.broadcast_to(threshold, len(predictions.vocabulary))[label]
    group = np.asarray(predictions.group)[row]
    wanted = []
    contrasts = _contrasts(predictions, label, group, given)[:count]
    for one, here, there in contrasts:
        missed = np.flatnonzero((label == one) & (group == there) & ~given)
        missed = missed[np.argsort(logit[missed], kind="stable")][:count]
        found = np.flatnonzero((label == one) & (group == here) & given)
        base = predictions.features[row[found]]
        index, _ = neighbours.nearest(predictions.features[row[missed]], base, 1)
        wanted += [
            (rank, len(wanted), one, here, there, row[first], row[found[nearest]])
            for rank, (first, nearest) in enumerate(
                zip(missed, index[:, 0], strict=True)
            )
        ]
    return _as_pairs(predictions, threshold_logit, examined, sorted(wanted)[:count])


def _contrasts(predictions, label, group, given):
    """Returns (label, best group, worst group), the clearest differences first."""
    shape = len(predictions.group_names), len(predictions.vocabulary)
    shown, found = np.zeros(shape), np.zeros(shape)
    np.add.at(shown, (group, label), 1)
    np.add.at(found, (group[given], label[given]), 1)
    recall = np.divide(found, shown, out=np.full(shape, np.nan), where=shown > 0)
    clear = []
    for one in np.flatnonzero((shown > 0).sum(axis=0) > 1):
        best, worst = np.nanargmax(recall[:, one]), np.nanargmin(recall[:, one])
        if recall[best, one] > recall[worst, one]:
            pair = [best, worst]
            together = found[pair, one].sum() / shown[pair, one].sum()
            spread = together * (1 - together) * (1 / shown[pair, one]).sum()
            gap = recall[best, one] - recall[worst, one]
            clear.append((-gap / np.sqrt(spread), int(one), int(best), int(worst)))
    return [entry[1:] for entry in sorted(clear)]


def _as_pairs(predictions, threshold_logit, examined, wanted):
    def cases(place):
        rows = np.array([entry[place] for entry in wanted], np.int64)
        return errors_to_explain.as_cases(predictions, threshold_logit, examined, rows)

    return [
        Pair(
            label,
            here,
            there,
            dataclasses.replace(missed, missed=label),
            # only what was right is of interest here
            dataclasses.replace(found, wrong=None, missed=None, right=label),
        )
        for (_, _, label, here, there, _, _), missed, found in zip(
            wanted, cases(5), cases(6), strict=True
        )
    ]
