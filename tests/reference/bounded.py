"""Activations with bounds by definition: entry by entry."""
import math

import numpy as np


def each(f, u):
    return np.array([f(x) for x in u.ravel()]).reshape(u.shape)


def clipped_line(u, a, b):
    """(1)"""
    return each(lambda x: a if x < a else b if x > b else x, u)


def self_normalising(u):
    """(2)  The constants as the paper has them, to the digits of a float."""
    return each(lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)), u)


def soft_gate(u):
    """(3)"""
    return each(lambda x: x * math.tanh(x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))), u)


def soft_sign(u):
    """(4)"""
    return each(lambda x: x / (1 + x) if x > 0 else x / (1 - x), u)
