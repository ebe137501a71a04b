"""Training by definition: one sample, one epoch at a time."""
import math


def bounds(N, C):
    """(1)  Sample i is in the last batch that does not begin after it."""
    B = math.ceil(N / C)
    return [math.floor(b * N / B) for b in range(B)] + [N]


def by_length(r, T):
    """(2)  The shortest of those that are left, and of equal ones that which comes first in r, again and again."""
    left, o = list(r), []
    while left:
        best = left[0]
        for i in left:
            if T[i] < T[best]:
                best = i
        o.append(left.pop(left.index(best)))
    return o


def epoch_loss(J, n):
    """(3)  The mean over all samples, each having the mean loss of its batch."""
    every = [J[b] for b in range(len(J)) for _ in range(n[b])]
    return sum(every) / len(every)


def best_epoch(V, δ):
    """(4)  A record stands until it is beaten by more than δ."""
    record, holder = math.inf, None
    for e, v in enumerate(V, start=1):
        if v < record - δ:                               # not record - v > δ, which is rounded otherwise
            record, holder = v, e
    return holder
