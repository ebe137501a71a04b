"""Weights of lengths and directions by definition: row by row."""
import numpy as np


def of_lengths(g, v):
    """(1)"""
    return np.array([[g[n, 0] * x / sum(y * y for y in v[n]) ** 0.5 for x in v[n]] for n in range(len(v))])
