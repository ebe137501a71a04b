"""Additive attention by definition: one hidden unit at a time."""
import numpy as np

from tests.reference import attention


def hidden(a, u):
    """t[b, i, j, h]"""
    B, L, H = a.shape
    return np.array([[[[np.tanh(a[b, i, h] + u[b, j, h]) for h in range(H)] for j in range(u.shape[1])]
                      for i in range(L)] for b in range(B)])


def energies(a, u, w):
    """(1)"""
    t = hidden(a, u)
    return attention.table(*t.shape[:3], lambda b, i, j: sum(w[h] * t[b, i, j, h] for h in range(len(w))))


def additive_context(a, u, w, M, v):
    """(2)"""
    return attention.weighted_values(attention.attention_weights(energies(a, u, w) + M), v)


def energies_by_query(dZ, a, u, w):
    """(3)"""
    t = hidden(a, u)
    return attention.table(*a.shape, lambda b, i, h: w[h] * sum(dZ[b, i, j] * (1 - t[b, i, j, h] ** 2)
                                                                for j in range(u.shape[1])))


def energies_by_key(dZ, a, u, w):
    """(4)"""
    t = hidden(a, u)
    return attention.table(*u.shape, lambda b, j, h: w[h] * sum(dZ[b, i, j] * (1 - t[b, i, j, h] ** 2)
                                                                for i in range(a.shape[1])))


def energies_by_weight(dZ, a, u):
    """(5)"""
    t = hidden(a, u)
    B, L, S, H = t.shape
    return np.array([sum(dZ[b, i, j] * t[b, i, j, h] for b in range(B) for i in range(L) for j in range(S))
                     for h in range(H)])
