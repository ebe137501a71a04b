"""A batch of fields by definition: over all K^n labellings of every sequence, one after the other."""
import itertools
import math

import numpy as np


def score(E, A, f, e, y):
    total = f[y[0]] + e[y[-1]]
    for t in range(len(y)):
        total += E[t][y[t]]
        if t > 0:
            total += A[y[t - 1]][y[t]]
    return total


def paths(E):
    return itertools.product(range(len(E[0])), repeat=len(E))


def agrees(path, y):
    return all(known < 0 or label == known for label, known in zip(path, y))


def log_sum(scores):
    most = max(scores)
    return most if most == -math.inf else most + math.log(sum(math.exp(s - most) for s in scores))


def sequence_scores(E, A, f, e, y, n):
    """(1)"""
    return [score(E[b][:n[b]], A, f, e, y[b][:n[b]]) for b in range(len(n))]


def log_partitions(E, A, f, e, n):
    """(2)"""
    return [log_sum([score(E[b][:n[b]], A, f, e, path) for path in paths(E[b][:n[b]])]) for b in range(len(n))]


def losses(E, A, f, e, y, n):
    """(3)  Z' is the sum over the paths that agree with what is known."""
    found = []
    for b in range(len(n)):
        own, known = E[b][:n[b]], y[b][:n[b]]
        everything = [score(own, A, f, e, path) for path in paths(own)]
        agreeing = [score(own, A, f, e, path) for path in paths(own) if agrees(path, known)]
        found.append(log_sum(everything) - log_sum(agreeing))
    return found


def token_mean(c, n):
    """(4)"""
    return sum(c) / sum(n)


def slopes(E, A, f, e, y, n):
    """(5)  A path of probability p counts p wherever it passes; less that of those that agree."""
    dE, dA = np.zeros(np.shape(E)), np.zeros((len(n), *np.shape(A)))
    df, de = np.zeros((len(n), len(f))), np.zeros((len(n), len(e)))
    for b in range(len(n)):
        own, known = E[b][:n[b]], y[b][:n[b]]
        for sign, some in ((1, list(paths(own))), (-1, [path for path in paths(own) if agrees(path, known)])):
            total = log_sum([score(own, A, f, e, path) for path in some])
            for path in some:
                p = sign * math.exp(score(own, A, f, e, path) - total)
                df[b][path[0]] += p
                de[b][path[-1]] += p
                for t in range(n[b]):
                    dE[b][t][path[t]] += p
                    if t > 0:
                        dA[b][path[t - 1]][path[t]] += p
    return dE, dA, df, de


def label_marginals(E, A, f, e, n):
    """(6)"""
    gamma = np.zeros(np.shape(E))
    for b in range(len(n)):
        own = E[b][:n[b]]
        total = log_sum([score(own, A, f, e, path) for path in paths(own)])
        for path in paths(own):
            for t in range(n[b]):
                gamma[b][t][path[t]] += math.exp(score(own, A, f, e, path) - total)
    return gamma


def best_labels(E, A, f, e, n):
    """(7)  -1 behind the end."""
    found = np.full(np.shape(E)[:2], -1)
    for b in range(len(n)):
        own = E[b][:n[b]]
        found[b][:n[b]] = max(paths(own), key=lambda path: score(own, A, f, e, path))
    return found
