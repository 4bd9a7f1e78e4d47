"""Decisions in words, for people."""

from inclusive_tf.report import wording

WHO = 40
"""Characters of a person's name that are shown."""
_LONGEST = 60


def quoted(label, vocabulary):
    """Returns a label's display name in quotation marks, on one line and cut."""
    return f"“{wording.short(vocabulary.get(label, label), _LONGEST)}”"


def said(decision, vocabulary):
    """Returns what a decision did, such as "removed “cat”".

    Args:
        decision: `decision_log.Decision`, no undo.
        vocabulary: {label id: display name}.
    """
    label = quoted(decision.label, vocabulary)
    new_label = quoted(decision.new_label, vocabulary)
    return {
        "keep": "kept the labels as they are",
        "remove": f"removed {label}",
        "add": f"added {label}",
        "relabel": f"replaced {label} by {new_label}",
        "several_fit": f"added {new_label} beside {label}",
        "exclude": "excluded the image",
        "merge": f"merged {label} into {new_label} on every image",
    }[decision.action]
