"""Decisions in words, for people."""

from data_pipelines import oneline

WHO = 40
"""Characters of a person's name that are shown."""
_LONGEST = 60


def said(decision, now):
    """Returns what a decision did, such as "removed “cat”".

    Args:
        decision: `decision_log.Decision`, no undo.
        now: `replay.Replay`, for the names of labels.
    """
    label, new_label = (
        f"“{oneline.short(now.name(one), _LONGEST)}”"
        for one in (decision.label, decision.new_label)
    )
    return {
        "keep": "kept the labels as they are",
        "remove": f"removed {label}",
        "add": f"added {label}",
        "relabel": f"replaced {label} by {new_label}",
        "several_fit": f"added {new_label} beside {label}",
        "exclude": "excluded the image",
        "merge": f"merged {label} into {new_label} on every image",
    }[decision.action]
