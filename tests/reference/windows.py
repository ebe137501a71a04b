"""Windows, their sums and folds, one element at a time."""


def lag_windows(y, l, H):
    """(1)  l from the farthest to the newest."""
    n = len(y) - l[0] - H + 1
    X = [[y[i + l[0] - lag] for lag in l] for i in range(n)]
    Y = [[y[i + l[0] - 1 + h] for h in range(1, H + 1)] for i in range(n)]
    return X, Y


def hankel_sums(y, m):
    """(2)"""
    n = len(y) - m + 1
    return [sum(y[i + j] for i in range(n)) for j in range(m)]


def hankel_gram(y, m):
    """(3)"""
    n = len(y) - m + 1
    return [[sum(y[k + i] * y[k + j] for k in range(n)) for j in range(m)] for i in range(m)]


def hankel_scatter(G, s, n):
    """(4)"""
    return [[G[i][j] - s[i] * s[j] / n for j in range(len(s))] for i in range(len(s))]


def folds(T, o, r, H, g):
    """(5)"""
    found = []
    while o + g < T:
        found.append([o, o + g, min(o + g + H, T)])
        o += r
    return found
