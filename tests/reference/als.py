"""Alternating least squares by definition, A dense with NaN where nothing is known."""
from tests.reference import half_steps


def alternate(A, U, V, L, Q, family):
    """(1)  Without biases."""
    U = half_steps.half_step(A, V, L, family, 0)
    return U, half_steps.half_step(A.T, U, Q, family, 0)
