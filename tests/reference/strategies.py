"""Strategies for several steps, one window and one step at a time, in lists; models come from outside."""
import numpy as np


def direct(fit, X, Z, Y):
    """(1)"""
    return [fit(np.array([[*X[i], *Z[i][h]] for i in range(len(X))]), np.array([Y[i][h] for i in range(len(X))]))
            for h in range(len(Y[0]))]


def direct_forecasts(g, W, V):
    """(2)"""
    return [[float(g[h].predict(np.array([[*x, *v[h]]]))[0]) for h in range(len(v))] for x, v in zip(W, V)]


def with_shift(X, Z):
    """(3)"""
    H = len(Z[0])
    return [[*X[i], *(float(k == h) for k in range(H)), *Z[i][h]] for i in range(len(X)) for h in range(H)]


def recursive_forecasts(f, w, l, V):
    """(4)"""
    found = []
    for window, v in zip(w, V):
        known = list(window)
        for z in v:
            known.append(float(f.predict(np.array([[*(known[-lag] for lag in l), *z]]))[0]))
        found.append(known[len(window):])
    return found


def direct_recursive(fit, X, Z, Y):
    """(5)"""
    return [fit(np.array([[*X[i], *Y[i][:h], *Z[i][h]] for i in range(len(X))]),
                np.array([Y[i][h] for i in range(len(X))])) for h in range(len(Y[0]))]


def direct_recursive_forecasts(g, W, V):
    """(6)"""
    found = []
    for x, v in zip(W, V):
        said = []
        for h in range(len(v)):
            said.append(float(g[h].predict(np.array([[*x, *said, *v[h]]]))[0]))
        found.append(said)
    return found


def seasonal_naive(w, m, H):
    """(7)"""
    found = []
    for window in w:
        known = list(window)
        for _ in range(H):
            known.append(known[-m])
        found.append(known[len(window):])
    return found
