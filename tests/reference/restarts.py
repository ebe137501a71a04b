"""Warm restarts by definition: one cycle after the other."""
import itertools


def in_cycle(t, T0, M):
    """(1)  Of all beginnings of cycles the last that is not behind t."""
    starts = itertools.accumulate((T0 * M ** k for k in itertools.count()), initial=0)
    begun = list(itertools.takewhile(lambda start: start <= t, starts))
    return t - begun[-1], T0 * M ** (len(begun) - 1) if M > 1 else T0
