"""Language models by definition."""
import math

import numpy as np


def sequence_bits(ell, starts):
    """(1)"""
    return np.array([sum(ell[r] / math.log(2) for r in range(a, b)) for a, b in zip(starts, starts[1:])])


def bits_per_symbol(b, R):
    """(2)"""
    return -sum(b) / R


def perplexity_of(B):
    """(3)"""
    return 2**B


def tempered(log_p, tau):
    """(4)"""
    powers = np.array([[math.exp(value / tau) for value in row] for row in log_p])
    return np.array([row / sum(row) for row in powers])
