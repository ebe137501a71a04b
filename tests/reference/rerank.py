"""Lists after the last look, item by item; R has -1 where a list is over."""
from math import inf, log


def half_life_decay(a, h):
    """(1)"""
    return [0.5 ** (age / h) for age in a]


def rescored(R, s, f, w):
    """(2)"""
    lists, scores = [], []
    for items, values in zip(R, s):
        new = sorted(((-value * f[m] ** w, place, m) for place, (m, value) in enumerate(zip(items, values)) if m >= 0))
        lists.append([m for _, _, m in new] + [-1] * (len(items) - len(new)))
        scores.append([-value for value, _, _ in new] + [-inf] * (len(items) - len(new)))
    return lists, scores


def kept(R, s, stays):
    lists, scores = [], []
    for items, values in zip(R, s):
        left = [i for i, m in enumerate(items) if m >= 0 and stays(items, i)]
        gone = len(items) - len(left)
        lists.append([items[i] for i in left] + [-1] * gone)
        scores.append([values[i] for i in left] + [-inf] * gone)
    return lists, scores


def filtered(R, s, ok):
    """(3)"""
    return kept(R, s, lambda items, i: ok[items[i]])


def capped(R, s, g, m):
    """(4)"""
    return kept(R, s, lambda items, i: sum(g[j] == g[items[i]] for j in items[:i]) < m)


def off(p, chosen, G, w=0.01):
    """KL(p, shares of the chosen)."""
    total = [sum(G[m][c] for m in chosen) for c in range(len(p))]
    q = [part / sum(total) if sum(total) else 0.0 for part in total]
    return sum(pc * log(pc / ((1 - w) * qc + w * pc)) for pc, qc in zip(p, q) if pc)


def gain(items, values, chosen, i, p, G, t):
    return (1 - t) * values[i] - t * off(p, [items[j] for j in chosen] + [items[i]], G)


def calibrated(R, s, p, G, n, t=0.5):
    """(5)  Items and scores."""
    lists, scores = [], []
    for items, values, shares in zip(R, s, p):
        chosen = []
        for _ in range(n):
            left = [i for i, m in enumerate(items) if m >= 0 and i not in chosen]
            if left:
                chosen.append(max(left, key=lambda i: (gain(items, values, chosen, i, shares, G, t), -i)))
        lists.append([items[i] for i in chosen] + [-1] * (n - len(chosen)))
        scores.append([values[i] for i in chosen] + [-inf] * (n - len(chosen)))
    return lists, scores
