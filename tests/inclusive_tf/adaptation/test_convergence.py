"""A fit is judged by its gradient, whatever the optimiser says of its search."""

import pytest
import scipy.optimize

from inclusive_tf.adaptation import convergence

SEARCHED = scipy.optimize.OptimizeResult(
    success=False, nit=7, message="ABNORMAL", x=[1.0]
)


def test_a_flat_loss_is_accepted_even_where_the_search_ended_abnormally():
    convergence.require(SEARCHED, 1e-9, 1e-6, "the temperature")


@pytest.mark.parametrize("steepest", [2e-6, float("inf"), float("nan")])
def test_a_steep_loss_is_refused_in_words(steepest):
    said = r"the temperature did not converge: gradient .* after 7 iterations \(ABN"
    with pytest.raises(RuntimeError, match=said):
        convergence.require(SEARCHED, steepest, 1e-6, "the temperature")
