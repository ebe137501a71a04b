"""Optimisation: going downhill, on plain arrays."""
from scratchml.optim.lbfgs import Minimum, lbfgs

CHAPTERS = ("line_search", "lbfgs")

__all__ = ["Minimum", "lbfgs"]
