"""Lists after the last look, item by item; R has -1 where a list is over."""
from math import exp, inf, log


def half_life_decay(a, h):
    """(1)"""
    return [0.5 ** (age / h) for age in a]


def gravity(v, a, γ):
    """(2)"""
    return [(votes - 1) / (age + 2) ** γ for votes, age in zip(v, a)]


def length_preference(l, b, σ):
    """(3)"""
    return [exp(-(log(length) - log(b)) ** 2 / (2 * σ ** 2)) for length in l]


def rescored(R, s, f, w):
    """(4)"""
    lists, scores = [], []
    for items, values in zip(R, s):
        new = sorted(((-value * f[m] ** w, place, m) for place, (m, value) in enumerate(zip(items, values)) if m >= 0))
        lists.append([m for _, _, m in new] + [-1] * (len(items) - len(new)))
        scores.append([-value for value, _, _ in new] + [-inf] * (len(items) - len(new)))
    return lists, scores


def to_one(items, values):
    known = [value for m, value in zip(items, values) if m >= 0]
    wide = max(known) - min(known) if known else 0
    return [(value - min(known)) / wide if wide else 1.0 for value in known]


def ranked(items, values):
    known = [value for m, value in zip(items, values) if m >= 0]
    def below(value):
        return sum(other < value for other in known) + (sum(other == value for other in known) - 1) / 2
    return [below(value) / (len(known) - 1) if len(known) > 1 else 1.0 for value in known]


def blended(R, s, y, α, scale=to_one):
    """(5)"""
    lists, scores = [], []
    for items, first, second in zip(R, s, y):
        mixed = [α * one + (1 - α) * other for one, other in zip(scale(items, first), scale(items, second))]
        order = sorted(range(len(mixed)), key=lambda i: -mixed[i])
        gone = len(items) - len(mixed)
        lists.append([items[i] for i in order] + [-1] * gone)
        scores.append([mixed[i] for i in order] + [-inf] * gone)
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
    """(6)"""
    return kept(R, s, lambda items, i: ok[items[i]])


def capped(R, s, g, m):
    """(7)"""
    return kept(R, s, lambda items, i: sum(g[j] == g[items[i]] for j in items[:i]) < m)


def off(p, chosen, G, w=0.01):
    """KL(p, shares of the chosen)."""
    total = [sum(G[m][c] for m in chosen) for c in range(len(p))]
    q = [part / sum(total) if sum(total) else 0.0 for part in total]
    return sum(pc * log(pc / ((1 - w) * qc + w * pc)) for pc, qc in zip(p, q) if pc)


def gain(items, values, chosen, i, p, G, t):
    return (1 - t) * values[i] - t * off(p, [items[j] for j in chosen] + [items[i]], G)


def calibrated(R, s, p, G, n, t=0.5):
    """(8)  Items and scores."""
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
