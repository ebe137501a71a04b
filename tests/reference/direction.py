"""Windows, labels, blocks and losses, one number at a time; batch normalisation as it stands on the left side."""
import math


def own_scale(F):
    """(1)"""
    μ = [math.fsum(row) / len(row) for row in F]
    return μ, [math.sqrt(math.fsum((value - mean)**2 for value in row) / len(row)) for row, mean in zip(F, μ)]


def scaled(F, μ, σ):
    """(2)"""
    return [[(F[i][j] - μ[i]) / σ[i] for j in range(len(F[i]))] for i in range(len(F))]


def changes(y, σ):
    """(3)"""
    w = len(y) - len(σ)
    return [(y[i + w] - y[i + w - 1]) / σ[i] for i in range(len(σ))]


def ups(y, w):
    """(4)"""
    return [1 if y[i + w] > y[i + w - 1] else 0 for i in range(len(y) - w)]


def purged_split(n, w, s):
    """(5), the samples of each block, by the definition: those of an earlier block that share no value with a later.

    Window i with its next value is y_i ... y_{i+w}.
    """
    borders = [round(n * sum(s[:k])) for k in range(len(s) + 1)]
    blocks = [list(range(start, stop)) for start, stop in zip(borders, borders[1:])]
    values = lambda i: set(range(i, i + w + 1))
    return [[i for i in block if k == len(s) - 1 or not values(i) & values(borders[k + 1])]
            for k, block in enumerate(blocks)]


def rescaled(z, a, ε):
    """(6), its left side."""
    N, H = len(z), len(z[0])
    out = [[0.0] * H for _ in range(N)]
    for h in range(H):
        column = [a * z[n][h] for n in range(N)]
        mean = sum(column) / N
        var = sum((value - mean)**2 for value in column) / N
        for n in range(N):
            out[n][h] = (column[n] - mean) / math.sqrt(var + ε)
    return out


def value_and_direction(o, t, λ):
    """(7)"""
    total = 0.0
    for (value, odds), (target, up) in zip(o, t):
        total += (value - target)**2 + λ * math.log(1 + math.exp(-(2 * up - 1) * odds))
    return total / len(o)
