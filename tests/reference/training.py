"""Training by definition: one sample, one epoch at a time."""
import math


def bounds(N, C):
    """(1)  Sample i is in the last batch that does not begin after it."""
    B = math.ceil(N / C)
    return [math.floor(b * N / B) for b in range(B)] + [N]


def epoch_loss(J, n):
    """(2)  The mean over all samples, each having the mean loss of its batch."""
    every = [J[b] for b in range(len(J)) for _ in range(n[b])]
    return sum(every) / len(every)


def best_epoch(V, δ):
    """(3)  A record stands until it is beaten by more than δ."""
    record, holder = math.inf, None
    for e, v in enumerate(V, start=1):
        if record - v > δ:
            record, holder = v, e
    return holder
