"""The autoencoder by its definitions: one sample, one unit, one weight at a time."""
import math

import numpy as np


def layer(W, b, x):
    return [sum(W[i][j] * x[j] for j in range(len(x))) + b[i] for i in range(len(b))]


def chain(x, layers, a):
    for i, (W, b) in enumerate(layers):
        x = layer(W, b, [a(value) for value in x] if i else x)
    return x


def encode(X, e, a):
    """(1)"""
    return [chain(x, e, a) for x in X]


def decode(Z, d, a, o):
    """(2)"""
    return [[o(value) for value in chain(z, d, a)] for z in Z]


def tied_decode(Z, e, k, a, o):
    """(3)"""
    transposed = [[list(column) for column in zip(*W)] for W, _ in e]
    return decode(Z, list(zip(transposed[::-1], k)), a, o)


def reconstruction_loss(X, Y):
    """(4)"""
    return sum((a - b) ** 2 for x, y in zip(X, Y) for a, b in zip(x, y)) / len(X)


def masked(X, m):
    """(5)"""
    return [[value if stays else 0.0 for value, stays in zip(x, row)] for x, row in zip(X, m)]


def with_noise(X, ε, σ):
    """(6)"""
    return [[value + σ * e for value, e in zip(x, row)] for x, row in zip(X, ε)]


def sparsity(Z, ρ, β):
    """(7): the divergence of a coin that falls as often as each unit is active from one that falls with ρ."""
    total = 0.0
    for j in range(len(Z[0])):
        r = sum(1 / (1 + math.exp(-z[j])) for z in Z) / len(Z)
        total += ρ * math.log(ρ / r) + (1 - ρ) * math.log((1 - ρ) / (1 - r))
    return β * total


def weight_penalty(e, d, λ):
    """(8)"""
    return λ * sum(w ** 2 for W, _ in [*e, *d] for row in W for w in row)


def reconstruction_slope(X, Y):
    """(9), by central differences of (4), which is a parabola."""
    slope, Y = np.zeros(np.shape(Y)), np.array(Y, float)
    for place in np.ndindex(*Y.shape):
        ahead, back = Y.copy(), Y.copy()
        ahead[place] += 1
        back[place] -= 1
        slope[place] = (reconstruction_loss(X, ahead) - reconstruction_loss(X, back)) / 2
    return slope


def linear_minimum(c, F, λ):
    """(10), of each direction the least of c (1 - w v)² + λ (w² + v²), on a fine grid of w = v and at 0."""
    w = np.linspace(0, 1, 20_001)
    return sum(min(c_f * (1 - w * w) ** 2 + 2 * λ * w * w) if f < F else c_f for f, c_f in enumerate(c))


def linear_singular_values(c, F, λ):
    """(11): where that least is."""
    w = np.linspace(0, 1, 20_001)
    return [w[np.argmin(c_f * (1 - w * w) ** 2 + 2 * λ * w * w)] for c_f in c[:F]]


def principal_directions(W):
    """(12): eigenvectors of W Wᵀ, the largest first, the entry of largest magnitude positive."""
    values, vectors = np.linalg.eigh(np.asarray(W) @ np.asarray(W).T)
    U = vectors[:, np.argsort(-values)[:len(W[0])]].T
    return [u * np.sign(u[np.argmax(np.abs(u))]) for u in U]
