"""Bounds for k-means by definition."""
from math import dist, inf

import numpy as np


def moved(B, C):
    """(1)"""
    return np.array([dist(b, c) for b, c in zip(B, C)])


def others_moved(p):
    """(2)"""
    return np.array([max((p[j] for j in range(len(p)) if j != k), default=0.0) for k in range(len(p))])


def half_ways(C):
    """(3)"""
    return np.array([[inf if j == k else dist(C[k], C[j]) / 2 for j in range(len(C))] for k in range(len(C))])


def raised(u, m):
    """(4)"""
    return u + m


def lowered(l, m):
    """(5)"""
    return l - m


def farther_for_sure(u, l, h):
    """(6)"""
    return u < l or u < h
