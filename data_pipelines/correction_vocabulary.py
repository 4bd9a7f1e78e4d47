"""What a log of corrections does to a vocabulary, row by row."""

import numpy as np

from data_pipelines import labels


def before(vocabulary, log):
    """Returns the vocabulary to read raw data with for a model trained after a log.

    It has the model's labels and those that the log merges away. `apply` then brings
    the table to the model's vocabulary. Where unlisted labels are unknown, a verified
    absence of labels that were merged into a new one counts as unknown again.

    Args:
        vocabulary: `labels.Vocabulary` of the model.
        log: list of `correction_log.Correction`.
    """
    known = set(vocabulary.ids)
    merged = dict.fromkeys(one.label for one in log if one.action == "merge")
    more = [label for label in merged if label not in known]
    return labels.Vocabulary((*vocabulary.ids, *more), (*vocabulary.names, *more))


class Course:
    """What a log does to a vocabulary, row by row.

    Args:
        vocabulary: `labels.Vocabulary` of the table.
        log: list of `correction_log.Correction`.

    Attributes:
        ids: labels of the table, those merged away that it lacks, and new ones.
        names: their display names.
        merges: list of (place in the log, source, target, labels stated in the target).
        target: int64 [len(ids)], the label that each one ends as.
        members: int64 [len(ids)], how many labels of the table each one stands for.
        made: {label: the correction that made it}.
        void: places in the log whose `label` the table lacks, so that an absence of it
            says nothing.
        idle: {place in the log: why the row can do nothing}.

    Raises:
        errors.DataError: a label that is not known, or that an earlier row merged away.
    """

    def __init__(self, vocabulary, log):
        extended = before(vocabulary, log)
        self.ids, self.names = list(extended.ids), list(extended.names)
        self.index = extended.index()
        self.merges, self.made, self.void, self.idle = [], {}, set(), {}
        self._gone = {}
        self._table_labels = len(vocabulary)
        self._members = [1] * len(vocabulary) + [0] * (len(extended) - len(vocabulary))
        self._target = list(range(len(extended)))
        for place, one in enumerate(log):
            if one.action == "merge":
                self._merge(place, one)
            elif one.action != "exclude":
                self._edit(place, one)
        self.members = np.array(self._members, np.int64)
        self.target = np.array(self._target, np.int64)
        for _, source, target, _ in reversed(self.merges):
            self.target[source] = self.target[target]

    def __len__(self):
        return len(self.ids)

    def left(self):
        """Returns the positions of the labels that no row merged away, in order."""
        return [
            place for place, label in enumerate(self.ids) if label not in self._gone
        ]

    def _refuse_gone(self, one, label):
        if label in self._gone:
            by = self._gone[label]
            raise one.error(
                f"the label was merged away before ({','.join(by.fields())})",
                expected=f"'{by.new_label}' in its place",
                received=label,
            )

    def _make(self, one, members):
        if one.new_label in self.index:
            # known only because a later row merges it away: from here on it is there
            place = self.index[one.new_label]
            self._members[place] = max(self._members[place], members)
        else:
            self.index[one.new_label] = len(self.ids)
            self.ids.append(one.new_label)
            self.names.append(one.new_label)
            self._members.append(members)
            self._target.append(len(self._target))
            self.made[one.new_label] = one

    def _merge(self, place, one):
        earlier = self._gone.get(one.label)
        if earlier and earlier.new_label == one.new_label:
            self.idle[place] = "repeat a merge"
            return
        for label in (one.label, one.new_label):
            self._refuse_gone(one, label)
        source = self.index[one.label]
        if not self._members[source]:
            if one.new_label not in self.index:
                raise one.error(
                    "neither label of a merge is known",
                    expected=f"at least one of the {self._table_labels:,} labels",
                    received=f"{one.label}, {one.new_label}",
                )
            self.idle[place] = "merge a label that the data lack"
        self._make(one, 0)
        target = self.index[one.new_label]
        stated_in_target = min(self._members[source], 1) + min(self._members[target], 1)
        self.merges.append((place, source, target, stated_in_target))
        self._members[target] += self._members[source]
        self._gone[one.label] = one

    def _edit(self, place, one):
        self._refuse_gone(one, one.label)
        if one.label not in self.index:
            if one.action == "remove":
                self.idle[place] = "remove a label that the data lack"
                return
            raise one.error(
                f"the label of '{one.action}' is not known",
                expected=f"one of the {self._table_labels:,} labels, or one that an "
                "earlier relabel or merge made",
                received=one.label,
            )
        if not self._members[self.index[one.label]]:
            self.void.add(place)
        if one.action == "relabel":
            self._refuse_gone(one, one.new_label)
            self._make(one, 1)
