"""The pulls of LambdaRank by definition: every order that equal scores leave open, and a loop over pairs."""
from itertools import permutations, product
from math import exp, log2


def best_dcg(g, T):
    """(1)  The best of all orders."""
    return max(sum(gain / log2(1 + r) for r, gain in enumerate(order[:T], 1)) for order in permutations(g))


def orders(s):
    """All orders of the documents by falling score."""
    groups = [[i for i in range(len(s)) if s[i] == value] for value in sorted(set(s), reverse=True)]
    return [[i for group in chosen for i in group] for chosen in product(*map(permutations, groups))]


def mean_discounts(s, T):
    """(2)"""
    n, found = len(s), orders(list(s))
    W = [[0.0] * n for _ in range(n)]
    for order in found:
        place = {i: r for r, i in enumerate(order, 1)}
        for i, j in product(range(n), repeat=2):
            if min(place[i], place[j]) <= T:
                W[i][j] += abs(1 / log2(1 + place[i]) - 1 / log2(1 + place[j])) / len(found)
    return W


def pair_weights(s, g, W, Z, ν):
    """(3)"""
    n = len(s)
    return [[abs(g[i] - g[j]) * W[i][j] / Z / ((0.01 + abs(s[i] - s[j])) if ν else 1) for j in range(n)]
            for i in range(n)]


def pair_slopes(s, g, w, σ):
    """(4)  Of a pair the one with more gain goes up."""
    n = len(s)
    L = [[0.0] * n for _ in range(n)]
    for i, j in product(range(n), repeat=2):
        if g[i] > g[j]:
            L[i][j] = -σ * w[i][j] / (1 + exp(σ * (s[i] - s[j])))
            L[j][i] = -L[i][j]
    return L


def pair_curvatures(s, w, σ):
    """(5)"""
    n = len(s)
    ρ = [[1 / (1 + exp(σ * (s[i] - s[j]))) for j in range(n)] for i in range(n)]
    return [[σ**2 * w[i][j] * ρ[i][j] * (1 - ρ[i][j]) for j in range(n)] for i in range(n)]


def damping(L):
    """(6)"""
    total = sum(abs(λ) for row in L for λ in row)
    return log2(1 + total) / total if total else 1.0


def softmax_slopes(s, y):
    """(7)"""
    total = sum(exp(x) for x in s)
    p = [exp(x) / total for x in s]
    return [sum(y) * p[i] - y[i] for i in range(len(s))], [sum(y) * p[i] * (1 - p[i]) for i in range(len(s))]


def pulls(s, g, *, objective, T, norm, σ):
    """λ and h of each document of one query."""
    n = len(s)
    if objective == "softmax":
        return softmax_slopes(s, g)
    if objective == "ranknet":
        w = [[float(g[i] != g[j]) for j in range(n)] for i in range(n)]
        L, H, c = pair_slopes(s, g, w, σ), pair_curvatures(s, w, σ), 1.0
    else:
        Z = best_dcg(g, T)
        if not Z:
            return [0.0] * n, [0.0] * n
        w = pair_weights(s, g, mean_discounts(s, T), Z, norm and len(set(s)) > 1)
        L, H = pair_slopes(s, g, w, σ), pair_curvatures(s, w, σ)
        c = damping(L) if norm else 1.0
    return [c * sum(row) for row in L], [c * sum(row) for row in H]
