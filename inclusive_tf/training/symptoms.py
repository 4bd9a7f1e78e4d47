"""Signs that a training goes wrong without stopping: they are said, not acted on."""

_STILL, _EXPLODED = 0.01, 10.0


def of_history(history, first_loss):
    """Returns warnings about the epoch that ended last.

    Args:
        history: dicts of figures, one an epoch.
        first_loss: mean loss of the training's first steps, which may be all of the
            first epoch.
    """
    losses, number = [one["loss"] for one in history], len(history)
    loss, found = losses[-1], []
    # the first epoch that says more than the first steps
    first = 2 if losses[0] == first_loss else 1
    if number == first and abs(loss - first_loss) < _STILL * abs(first_loss):
        found.append(
            f"the loss does not move: {loss:.4g} over epoch {number}, "
            f"{first_loss:.4g} in its first steps. A learning rate too low or far too "
            "high, targets that images cannot tell, or --trainable of too little may "
            "be why"
        )
    least = min(losses[:-1], default=first_loss)
    if loss > _EXPLODED * least > 0:
        found.append(
            f"the loss explodes: {loss:.4g} in epoch {number}, {least:.4g} before. "
            "A lower --learning_rate or --clip_norm=1 may help"
        )
    return found
