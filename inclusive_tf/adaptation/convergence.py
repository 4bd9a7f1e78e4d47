"""Whether an optimiser of SciPy has come to the least loss."""


def require(result, steepest, accepted, what):
    """Judges a result by its gradient.

    A line search also gives up, and says that it failed, where rounding hides what is
    left to gain.

    Args:
        result: `scipy.optimize.OptimizeResult`.
        steepest: largest part of its gradient, in units that the caller can judge.
        accepted: the largest that counts as zero.
        what: what was fitted, for the message.

    Raises:
        RuntimeError: the gradient is steeper, or no number.
    """
    if not steepest <= accepted:
        raise RuntimeError(
            f"{what} did not converge: gradient {steepest:.2g} after "
            f"{result.nit} iterations ({result.message})"
        )
