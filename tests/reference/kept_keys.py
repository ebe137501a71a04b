"""A transformer of symbols by definition: every place of every sequence anew, by loops, from a state of weights."""
import math

import numpy as np

from tests.reference.transformer import sinusoids


def embedded(e, P, g):
    """(1)"""
    N, T, D = e.shape
    return np.array([[[0.0 if g[n, t] else math.sqrt(D) * e[n, t, d] + P[t, d] for d in range(D)] for t in range(T)]
                     for n in range(N)]).reshape(e.shape)


def kept(K, k):
    """(2)"""
    return np.array([[*K[n], k[n]] for n in range(len(K))])


def read(q, K, M, H):
    """(3)"""
    (N, D), S = q.shape, K.shape[1]
    A = D // H
    c, W = np.zeros((N, D)), np.zeros((N, H, S))
    for n in range(N):
        for h in range(H):
            seen = [s for s in range(S) if M[n, s] > -np.inf]
            e = {s: math.exp(sum(q[n, h * A + a] * K[n, s, h * A + a] for a in range(A)) / math.sqrt(A) + M[n, s])
                 for s in seen}
            for s in seen:
                W[n, h, s] = e[s] / sum(e.values())
                for a in range(A):
                    c[n, h * A + a] += W[n, h, s] * K[n, s, D + h * A + a]
    return c, W


def log_probabilities(z):
    """(4)"""
    return np.array([[value - math.log(sum(math.exp(other) for other in row)) for value in row] for row in z])


# --- the network, of one sentence

def scores(state, source, targets, H, norm_first):
    """z (T, V) after each of the `targets`, and weights (T, S) of the last layer, of weights as TokenTransformer names
    them.  Numbers 0 in `source` are left out.  Activation relu; ε of the norms 1e-5.
    """
    weights = []

    def norm(name):
        w, b = state[name + ".weight"], state[name + ".bias"]
        return lambda x: [w * (row - row.mean()) / np.sqrt(row.var() + 1e-5) + b for row in x]

    def affine(name, x, which=slice(None), kind="."):
        W, b = state[name + kind + "weight"][which], state[name + kind + "bias"][which]
        return [W @ row + b for row in x]

    def attention(name, x, memory, causal):
        D = len(x[0])
        q, k, v = (affine(name, rows, slice(i * D, (i + 1) * D), ".in_proj_")
                   for i, rows in enumerate((x, memory, memory)))
        read_by = []
        for t, row in enumerate(q):
            seen = [np.concatenate(pair) for pair in zip(k, v)][:t + 1 if causal else None]
            c, W = read(row[None], np.array([seen]), np.zeros((1, len(seen))), H)
            read_by.append(c[0])
            weights.append(sum(W[0]) / H)
        return affine(name + ".out_proj", read_by)

    def layer(name, x, parts):
        for number, f in enumerate(parts, 1):
            n = norm(f"{name}.norm{number}")
            x = [row + more for row, more in zip(x, f(n(x)))] if norm_first else \
                n([row + more for row, more in zip(x, f(x))])
        return x

    def network(name):
        return lambda x: affine(name + ".linear2", [np.maximum(row, 0) for row in affine(name + ".linear1", x)])

    def stack(name, x, parts):
        number = 0
        while f"{name}.layers.{number}.linear1.weight" in state:
            x = layer(f"{name}.layers.{number}", x, parts(f"{name}.layers.{number}"))
            number += 1
        return norm(name + ".norm")(x)

    def vectors(table, numbers):
        E = state[table + ".weight"]
        P = sinusoids(len(numbers), E.shape[1])
        return [math.sqrt(E.shape[1]) * E[w] + P[t] for t, w in enumerate(numbers)], [w != 0 for w in numbers]
    x, there = vectors("source_vectors", source)
    memory = stack("transformer.encoder", [row for row, is_there in zip(x, there) if is_there], lambda name: [
        lambda x: attention(name + ".self_attn", x, x, False), network(name)])
    y = stack("transformer.decoder", vectors("target_vectors", targets)[0], lambda name: [
        lambda x: attention(name + ".self_attn", x, x, True),
        lambda x: attention(name + ".multihead_attn", x, memory, False), network(name)])
    return np.array(affine("scores", y)), np.array(weights[-len(targets):])
