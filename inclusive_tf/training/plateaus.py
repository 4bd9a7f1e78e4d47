"""What follows from figures that no longer get better.

Functions of the history of a training, which its checkpoints hold: there is nothing
else to save, and a resumed training decides as one that was never interrupted.
"""


def better(figure, best, name):
    """Returns whether a figure is better than the best so far.

    Args:
        figure: float.
        best: float, or None when there is none.
        name: the figure's; of losses less is better.
    """
    if best is None:
        return True
    return figure < best if name.endswith("loss") else figure > best


def values(history, best_by):
    """Returns (name, [float]): the figure that is watched, epoch by epoch.

    Args:
        history: dicts of figures, one an epoch.
        best_by: one of `config.BEST_BY`; without a validation split the training
            loss is watched instead.
    """
    name = f"validation_{best_by}"
    if history and name not in history[0]:
        name = "loss"
    return name, [figures[name] for figures in history]


def epochs_without_gain(history, best_by):
    """Returns int: epochs since the best one."""
    name, found = values(history, best_by)
    best, since = None, 0
    for value in found:
        since += 1
        if better(value, best, name):
            best, since = value, 0
    return since


def learning_rate_factor(history, best_by, patience, factor):
    """Returns float: what the learning rate is multiplied by in the next epoch.

    As Keras' `ReduceLROnPlateau` with `min_delta=0`: after `patience` epochs without a
    gain it falls by `factor`, and the count begins anew.
    """
    name, found = values(history, best_by)
    best, since, falls = None, 0, 0
    for value in found:
        since += 1
        if better(value, best, name):
            best, since = value, 0
        elif since >= patience:
            falls, since = falls + 1, 0
    return factor**falls
