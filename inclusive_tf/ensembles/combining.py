"""Means of logits or probabilities, and votes, over any number of members.

A member enters as its logits, or, with an adaptation, as its logits less the thresholds
of that: 0 is then where it gives a label. One array of the scores' shape is held beside
the member that is read; members are memory-mapped and visited in chunks.
"""

import dataclasses

import numpy as np
import scipy.special

from data_pipelines import errors
from inclusive_tf import chunks as chunks_module
from inclusive_tf.ensembles import members as members_module
from inclusive_tf.evaluation import f2

MEANS = ("logits", "probabilities")
_CHUNK_CELLS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Vote:
    """How votes become labels.

    The 3rd place's rule in the Inclusive Images Challenge: labels of more than half of
    the models; an image left without any gets every label that a model gave; one still
    without gets a constant answer.

    Args:
        at_least: votes that a label needs; None is more than half.
        union: whether an image left empty gets every label that has a vote.
        fill: positions of the labels of images that are still empty.
        threshold_logit: where a member without an adaptation gives a label.
    """

    at_least: int | None = None
    union: bool = True
    fill: tuple = ()
    threshold_logit: float = 0.0


def mean(members, of="logits", verify=True):
    """The weighted mean of members.

    Args:
        members: a list of `members.Member`.
        of: "logits" or "probabilities"; the mean probability is given as its logit.
        verify: whether to check the sums of the members' files.

    Returns:
        `predictions.Predictions`.

    Raises:
        errors.SettingError: `of` is something else.
        errors.DataError: as `members.scores`.
    """
    require_mean(of)
    total, weights, sources = None, [], []
    for member, predictions, threshold in members_module.scores(members, verify):
        if total is None:
            total = np.zeros(predictions.logits.shape, np.float32)
        for rows, chunk in chunks(predictions.logits):
            total[rows] += np.float32(member.weight) * score(chunk, threshold, of)
        weights.append(member.weight)
        sources.append(predictions.source)
    total /= np.float32(sum(weights))
    if of == "probabilities":
        for rows, chunk in chunks(total):
            total[rows] = logit(chunk)
    facts = _facts(f"mean of {of}", members) | {"weights": weights}
    return members_module.combined(predictions, total, facts, sources)


def vote(members, rule=None, verify=True):
    """Labels by vote, as logits.

    A label with v of n votes gets the logit of (v + 1/2) / (n + 1) less that of
    k / (n + 1), where k is the number of votes that its image's labels need (1 where
    the union is taken). So 0, probability 1/2, is the cut for whoever reads the
    predictions, and more votes are a higher logit. Labels of the constant answer get
    what n votes would.

    Args:
        members: a list of `members.Member`; each has one vote, and weights do not
            count.
        rule: `Vote`; None is its default.
        verify: as in `mean`.

    Returns:
        (`predictions.Predictions`, {"union": images that took the union, "filled":
        images that got the constant answer, "empty": images left without a label}).

    Raises:
        errors.SettingError: `at_least` is not in 1 to n, or `fill` is no label.
        errors.DataError: as `members.scores`.
    """
    rule = rule or Vote()
    count = len(members)
    needed = count // 2 + 1 if rule.at_least is None else rule.at_least
    if not 1 <= needed <= max(1, count):
        raise errors.SettingError(
            f"a vote of {count} members needs 1 to {count} votes for a label; "
            f"received {needed}"
        )
    votes, sources = None, []
    for _, predictions, threshold in members_module.scores(members, verify):
        if votes is None:
            votes = np.zeros(predictions.logits.shape, np.uint16)
        sources.append(predictions.source)
        cut = rule.threshold_logit if threshold is None else threshold
        for rows, chunk in chunks(predictions.logits):
            given = f2.decisions(chunk, cut)
            part = votes[rows]
            part[given.rows(), given.index] += 1
    classes = votes.shape[1]
    fill = np.array(rule.fill, np.int64)
    if len(fill) and not 0 <= fill.min() <= fill.max() < classes:
        raise errors.SettingError(
            f"the constant answer names labels 0 to {classes - 1}; received {rule.fill}"
        )
    logits, numbers = _vote_logits(votes, count, needed, rule.union, fill)
    facts = _facts(f"at least {needed} of {count} votes", members) | numbers
    return members_module.combined(predictions, logits, facts, sources), numbers


def _vote_logits(votes, count, needed, union, fill):
    logits = np.empty(votes.shape, np.float32)
    share = (np.arange(count + 1) + 0.5) / (count + 1)
    of_votes = scipy.special.logit(share)
    numbers = {"union": 0, "filled": 0, "empty": 0}
    for rows, chunk in chunks(votes):
        most = chunk.max(axis=1)
        need = np.full(len(chunk), needed)
        empty = most < needed
        if union:
            united = empty & (most >= 1)
            need[united] = 1
            numbers["union"] += int(united.sum())
            empty &= ~united
        cut = scipy.special.logit(need / (count + 1))
        part = of_votes[chunk] - cut[:, None]
        if len(fill):
            part[np.ix_(empty, fill)] = of_votes[count] - cut[empty, None]
            numbers["filled"] += int(empty.sum())
        else:
            numbers["empty"] += int(empty.sum())
        logits[rows] = part
    return logits, numbers


def require_mean(of):
    """Raises `errors.SettingError` unless `of` is one of `MEANS`."""
    if of not in MEANS:
        raise errors.SettingError(
            f"a mean is of one of {', '.join(MEANS)}; received {of!r}"
        )


def score(logits, threshold, of):
    """Returns float [N, C]: what is averaged of a member; see the module."""
    if threshold is not None:
        logits = logits - np.asarray(threshold, logits.dtype)
    return scipy.special.expit(logits) if of == "probabilities" else logits


def logit(probabilities):
    """Returns finite logits of float32 probabilities that may have reached 0 or 1."""
    numbers = np.finfo(np.float32)
    return scipy.special.logit(np.clip(probabilities, numbers.tiny, 1 - numbers.epsneg))


def chunks(array):
    """Yields (slice of rows, array of these rows), some MB at a time."""
    for rows in chunks_module.rows(array, _CHUNK_CELLS):
        yield rows, np.asarray(array[rows])


def _facts(rule, members):
    return {
        "ensemble": rule,
        "members": [str(member.predictions) for member in members],
        "adaptations": [str(member.adaptation or "") for member in members],
    }
