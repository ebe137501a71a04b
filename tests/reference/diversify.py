"""Lists chosen item by item: the value of each choice from all likenesses and whole determinants."""
import numpy as np


def likeness(X):
    """S: cosines, 1 of an item with itself."""
    X = np.asarray(X, float)
    lengths = np.sqrt((X * X).sum(axis=1))
    S = np.array([[x @ y / (a * b) if a and b else 0.0 for y, b in zip(X, lengths)] for x, a in zip(X, lengths)])
    np.fill_diagonal(S, 1)
    return S


def mmr_gain(s, S, chosen, i, t):
    """What (1) is the argmax of, among candidates with scores s and likeness S."""
    return t * s[i] - (1 - t) * max(S[i, j] for j in chosen) if chosen else s[i]


def dpp_gain(s, S, chosen, i, q):
    """ln det L of the chosen and i, after (2)."""
    some = [*chosen, i]
    quality = np.exp(q * np.asarray(s)[some])
    sign, logarithm = np.linalg.slogdet(quality[:, None] * S[np.ix_(some, some)] * quality)
    return logarithm if sign > 0 else -np.inf


def greedy(R, s, X, n, gain, parameter):
    lists, scores = [], []
    for items, values in zip(R, s):
        places = [i for i, m in enumerate(items) if m >= 0]
        S, chosen = likeness(X)[np.ix_(items, items)], []
        while len(chosen) < min(n, len(places)):
            chosen.append(max((i for i in places if i not in chosen),
                              key=lambda i: (gain(values, S, chosen, i, parameter), -i)))
        lists.append([items[i] for i in chosen] + [-1] * (n - len(chosen)))
        scores.append([values[i] for i in chosen] + [-np.inf] * (n - len(chosen)))
    return lists, scores


def mmr(R, s, X, n, t=0.7):
    """(1)"""
    return greedy(R, s, X, n, mmr_gain, t)


def dpp(R, s, X, n, q=1.0):
    """(2)"""
    return greedy(R, s, X, n, dpp_gain, q)


def cholesky_update(S, c, d, j):
    """(3)  An entry at a time."""
    e = [(S[i][j] - sum(a * b for a, b in zip(c[i], c[j]))) / d[j] ** 0.5 for i in range(len(S))]
    return [[*row, new] for row, new in zip(c, e)], [old - new * new for old, new in zip(d, e)]
