"""Towers from full matrices, number by number."""
from math import sqrt


def tower(G, E):
    """(1)"""
    return [[sum(value * E[k][f] for k, value in enumerate(row)) for f in range(len(E[0]))] for row in G]


def history(A, t):
    """(2)  A is True where the user of a sample has an item."""
    G = []
    for has, target in zip(A, t):
        H = [j for j in range(len(has)) if has[j] and j != target]
        G.append([1 / sqrt(len(H)) if j in H else 0.0 for j in range(len(has))])
    return G


def layer(x, W, c):
    """(3)"""
    return [[max(0.0, sum(row[f] * W[f][d] for f in range(len(row))) + c[d]) for d in range(len(c))] for row in x]


def layer_gradient(x, W, g):
    """(4)"""
    N, F, D = len(x), len(W), len(W[0])
    by_x = [[sum(g[n][d] * W[f][d] for d in range(D)) for f in range(F)] for n in range(N)]
    by_W = [[sum(x[n][f] * g[n][d] for n in range(N)) for d in range(D)] for f in range(F)]
    return by_x, by_W, [sum(g[n][d] for n in range(N)) for d in range(D)]
