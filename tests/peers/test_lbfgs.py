"""Beside SciPy: the same minima, in about as many evaluations."""
import numpy as np
import pytest

from scratchml.optim import lbfgs
from tests.strategies.lbfgs import quadratic, rosenbrock

optimize = pytest.importorskip("scipy.optimize")


@pytest.mark.parametrize("n", [2, 20, 100])
def test_rosenbrock(n):
    start = np.tile([-1.2, 1.0], n // 2)
    theirs = optimize.minimize(rosenbrock, start, jac=True, method="L-BFGS-B",
                               options=dict(maxcor=6, gtol=1e-9, ftol=0))
    ours = lbfgs(rosenbrock, start, epsilon=1e-10, delta=0)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-6)
    assert ours.evaluations <= 1.5 * theirs.nfev


@pytest.mark.parametrize("condition", [1e2, 1e4])
def test_ill_conditioned_bowls(condition):
    Q, b = quadratic(50, condition, np.random.default_rng(1))

    def bowl(x):
        return x @ Q @ x / 2 - b @ x, Q @ x - b
    theirs = optimize.minimize(bowl, np.zeros(50), jac=True, method="L-BFGS-B",
                               options=dict(maxcor=10, gtol=1e-10, ftol=0, maxiter=5000, maxfun=9000))
    ours = lbfgs(bowl, np.zeros(50), memory=10, epsilon=1e-9, delta=0, max_iterations=5000)
    assert ours.value <= theirs.fun + 1e-10 * abs(theirs.fun)
    assert ours.evaluations <= 1.5 * theirs.nfev
