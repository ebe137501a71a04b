"""Smooth activations by definition: entry by entry."""
import math

import numpy as np


def each(f, u):
    return np.array([f(x) for x in u.ravel()]).reshape(u.shape)


def normal_cdf(u):
    """(1)  The probability of what lies below; from the side on which it is small."""
    return each(lambda x: math.erfc(-x / math.sqrt(2)) / 2 if x < 0 else 1 - math.erfc(x / math.sqrt(2)) / 2, u)


def normal_density(u):
    """(2)"""
    return each(lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi), u)


def normal_gate(u):
    """(3)"""
    return u * normal_cdf(u)


def tanh_gate(u):
    """(4)  As it stands in the paper; the 1 + tanh of a negative number is 1 - tanh of the positive one."""
    def gate(x):
        v = math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)
        return x / (1 + math.exp(-2 * v)) if v > -350 else 0.0
    return each(gate, u)


def sigmoid_gate(u):
    """(5)"""
    return each(lambda x: x / (1 + math.exp(-x)) if x > -700 else x * math.exp(x), u)


def exponential_below(u, a):
    """(6)"""
    return each(lambda x: x if x > 0 else a * math.expm1(x), u)


def soft_hinge(u, β, τ):
    """(7)"""
    return each(lambda x: x if β * x > τ else math.log1p(math.exp(β * x)) / β, u)
