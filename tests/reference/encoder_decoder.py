"""From one sequence to another, by definition: a number at a time."""
import math

import numpy as np


def first_state(u, v, W, b):
    """(1)"""
    return np.array([[math.tanh(sum(W[r][j] * x for j, x in enumerate([*u_row, *v_row])) + b[r]) for r in range(len(b))]
                     for u_row, v_row in zip(u, v)])


def scores(h, k, e, A, a, O, o):
    """(2)"""
    found = []
    for rows in zip(h, k, e):
        given = [x for row in rows for x in row]
        read = [math.tanh(sum(A[g][j] * x for j, x in enumerate(given)) + a[g]) for g in range(len(a))]
        found.append([sum(O[s][g] * x for g, x in enumerate(read)) + o[s] for s in range(len(o))])
    return np.array(found)


def log_likelihoods(z, y, starts):
    """(3)"""
    found = []
    for first, last in zip(starts, starts[1:]):
        total = 0.0
        for r in range(first, last):
            total += z[r][y[r]] - math.log(sum(math.exp(x) for x in z[r]))
        found.append(total)
    return np.array(found)


def symbol_loss(l, R):
    """(4)"""
    return -sum(l) / R


def scheduled_input(y, p, r, eps):
    """(5)"""
    found = []
    for b in range(len(y)):
        drawn, below = 0, p[b][0]
        while below <= r[b][1] * sum(p[b]) and drawn < len(p[b]) - 1:
            drawn += 1
            below += p[b][drawn]
        found.append(y[b] if r[b][0] < eps else drawn)
    return np.array(found)


def linear_forcing(i, c, least):
    """(6)"""
    return max(least, 1 - c * i)


def exponential_forcing(i, c):
    """(7)"""
    return math.prod([c] * i)


def sigmoid_forcing(i, c):
    """(8)"""
    return c / (c + math.exp(i / c))
