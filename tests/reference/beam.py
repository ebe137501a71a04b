"""Beam search by definition: one sentence, lists of prefixes; and every sequence there is."""
import itertools
import math

import numpy as np


def extended(s, log_p):
    """(1)"""
    return np.array([[[s[b][k] + p for p in log_p[b][k]] for k in range(len(s[b]))] for b in range(len(s))])


def normalised(s, n, alpha, kind):
    """(2)"""
    return np.array([[value / length_penalty(n, alpha, kind) for value in row] for row in s])


def length_penalty(n, alpha, kind):
    """(3)"""
    return {"wu": lambda: ((5 + n) / 6) ** alpha, "power": lambda: n ** alpha}[kind]()


def advance(S, eos, R):
    """(4)"""
    B, K, V = S.shape
    s, parents, symbols = np.full((B, R), -np.inf), np.zeros((B, R), int), np.zeros((B, R), int)
    for b in range(B):
        every = [(-S[b, k, v], k, v) for k in range(K) for v in range(V) if v != eos and S[b, k, v] > -np.inf]
        for r, (value, k, v) in enumerate(sorted(every)[:R]):
            s[b, r], parents[b, r], symbols[b, r] = -value, k, v
    return s, parents, symbols, np.array([[S[b, k, eos] for k in range(K)] for b in range(B)])


def can_improve(s, w, n, T, alpha, kind):
    """(5)"""
    longest = T if alpha > 0 else n + 1
    return np.array([max(row) / length_penalty(longest, alpha, kind) > least for row, least in zip(s, w)])


def all_sequences(log_p_after, V, T, eos, alpha, kind):
    """Every finished sequence of at most T symbols, its end counted, as (q, s, symbols), the best first."""
    found = []
    for n in range(1, T + 1):
        for y in itertools.product([v for v in range(V) if v != eos], repeat=n - 1):
            s = sum(log_p_after(y[:t])[v] for t, v in enumerate((*y, eos)))
            if s > -math.inf:
                found.append((s / length_penalty(n, alpha, kind), s, list(y)))
    return sorted(found, key=lambda one: -one[0])


def search(log_p_after, R, T, eos, alpha, kind, n_best):
    """The beam run on to T for one sentence: (q, s, symbols, finished) of the n_best, the best first."""
    live, finished = [(0.0, ())], []
    for n in range(1, T + 1):
        following = []
        for s, y in live:
            for v, value in enumerate(log_p_after(y)):
                if v == eos and s + value > -math.inf:
                    finished.append(((s + value) / length_penalty(n, alpha, kind), s + value, list(y), True))
                elif v != eos and s + value > -math.inf:
                    following.append((s + value, (*y, v)))
        live = sorted(following, key=lambda one: -one[0])[:R]
    finished.sort(key=lambda one: -one[0])
    cut = [(s / length_penalty(T, alpha, kind), s, list(y), False) for s, y in live]
    return (finished + cut)[:n_best]
