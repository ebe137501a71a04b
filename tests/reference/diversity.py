"""How unlike, how well proportioned and how surprising lists are, pair by pair; in the matrices A and T NaN is
nothing."""
from math import isnan, log, sqrt


def cosine(x, y):
    lengths = sqrt(sum(a * a for a in x)) * sqrt(sum(a * a for a in y))
    return sum(a * b for a, b in zip(x, y)) / lengths if lengths else 0.0


def intra_list_diversity(R, X, k):
    """(1)"""
    each = []
    for shown in R:
        items = [m for m in shown[:k] if m >= 0]
        pairs = [(m, n) for i, m in enumerate(items) for n in items[:i]]
        if pairs:
            each.append(sum(1 - cosine(X[m], X[n]) for m, n in pairs) / len(pairs))
    return sum(each) / len(each)


def category_shares(A, G):
    """(2)  Of everybody together for who has nothing."""
    def amounts(rows):
        return [sum(a * G[m][c] for row in rows for m, a in enumerate(row) if not isnan(a)) for c in range(len(G[0]))]
    shares = []
    for row in A:
        mine = amounts([row]) if sum(amounts([row])) else amounts(A)
        shares.append([one / sum(mine) for one in mine])
    return shares


def miscalibration(R, A, G, k, w=0.01):
    """(3)"""
    each = []
    for shown, p in zip(R, category_shares(A, G)):
        of_list = [sum(G[m][c] for m in shown[:k] if m >= 0) for c in range(len(G[0]))]
        if sum(of_list):
            q = [one / sum(of_list) for one in of_list]
            each.append(sum(pc * log(pc / ((1 - w) * qc + w * pc)) for pc, qc in zip(p, q) if pc))
    return sum(each) / len(each)


def serendipity(R, T, A, k):
    """(4)"""
    M = len(T[0])
    have = [sum(not isnan(row[m]) for row in A) for m in range(M)]
    rank = [1 + sum(h > have[m] or (h == have[m] and n < m) for n, h in enumerate(have)) for m in range(M)]
    each = []
    for shown, row in zip(R, T):
        if not all(map(isnan, row)):
            each.append(sum(max(rank[m] - i, 0) for i, m in enumerate(shown[:k], 1) if m >= 0 and not isnan(row[m]))
                        / (k * M))
    return sum(each) / len(each)
