"""What is to be known of pairs, counted entry by entry; entries are (user, item, value), t their times."""
from math import inf


def user_means(entries, x, U):
    """(1)"""
    means = []
    for u in range(U):
        its = [x[m] for v, m, _ in entries if v == u]
        means.append(sum(its) / len(its) if its else 0)
    return means


def last_times(entries, t, U):
    """(2)"""
    return [max((time for (v, _, _), time in zip(entries, t) if v == u), default=0) for u in range(U)]


def ages(entries, t, C):
    """(3)"""
    now, found = last_times(entries, t, len(C)), []
    for u, row in enumerate(C):
        first = [min((time for (_, m, _), time in zip(entries, t) if m == c), default=inf) for c in row]
        found.append([now[u] - time if c >= 0 and time < inf else 0 for c, time in zip(row, first)])
    return found


def sold_before(entries, t, C, w):
    """(4)"""
    now = last_times(entries, t, len(C))
    return [[sum(m == c and now[u] - w < time <= now[u] for (_, m, _), time in zip(entries, t)) for c in row]
            for u, row in enumerate(C)]
