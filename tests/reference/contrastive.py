"""Losses of pairs by definition: pair by pair, in two loops."""
import math


def cosines_of_all(u, v):
    """(1)  0 where a vector is 0."""
    return [[cosine(x, y) for y in v] for x in u]


def cosine(x, y):
    lengths = math.sqrt(math.fsum(p * p for p in x)) * math.sqrt(math.fsum(p * p for p in y))
    return math.fsum(p * q for p, q in zip(x, y)) / lengths if lengths else 0.0


def wrong_pairs(c, a):
    """(2)"""
    right = set(zip(c, a))
    return [[(question, answer) not in right for answer in a] for question in c]


def hinge(p, q, margin):
    """(3)"""
    return [max(0.0, wrong - right + margin) for wrong, right in zip(p, q)]


def single_hinge(S, w, margin):
    """(4)  Only questions with a wrong answer add something."""
    return math.fsum(max(0.0, S[i][w[i]] - S[i][i] + margin) for i in range(len(S)) if w[i] >= 0) / len(S)


def in_batch_hinge(S, Ω, margin):
    """(5)"""
    total, count = 0.0, 0
    for i in range(len(S)):
        for j in range(len(S)):
            if Ω[i][j]:
                total += max(0.0, S[i][j] - S[i][i] + margin)
                count += 1
    return total / count


def wrong_of(S, Ω, i):
    return [S[i][j] for j in range(len(S)) if Ω[i][j]]


def hardest_hinge(S, Ω, margin):
    """(6)"""
    return math.fsum(max([0.0] + [s - S[i][i] + margin for s in wrong_of(S, Ω, i)]) for i in range(len(S))) / len(S)


def semi_hard_hinge(S, Ω, margin):
    """(7)"""
    total = 0.0
    for i in range(len(S)):
        wrong = wrong_of(S, Ω, i)
        below = [s for s in wrong if s < S[i][i]]
        if wrong:
            total += max(0.0, max(below or wrong) - S[i][i] + margin)
    return total / len(S)


def in_batch_softmax(S, Ω, scale):
    """(8)  log(1 + Σ_j exp τ (S_ij - S_ii)), the greatest power taken out of the sum."""
    total = 0.0
    for i in range(len(S)):
        powers = [0.0] + [scale * (s - S[i][i]) for s in wrong_of(S, Ω, i)]
        total += max(powers) + math.log(math.fsum(math.exp(x - max(powers)) for x in powers))
    return total / len(S)


def both_directions(loss, S, Ω):
    """(9)"""
    return (loss(S, Ω) + loss([list(column) for column in zip(*S)], [list(column) for column in zip(*Ω)])) / 2
