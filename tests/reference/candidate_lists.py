"""Candidates of several lists, item by item; lists have -1 where they are over."""


def place(items, m):
    """r, from 1; one beyond the length of the list for what is not there."""
    return items.index(m) + 1 if m in items and m >= 0 else len(items) + 1


def reciprocal_places(R, M, c=60.0):
    """(1)"""
    return [[sum(1 / (c + place(lists[u], m)) for lists in R if m in lists[u]) for m in range(M)]
            for u in range(len(R[0]))]


def pooled(f, N):
    """(2)"""
    C = []
    for row in f:
        best = sorted((-value, m) for m, value in enumerate(row) if value > 0)[:N]
        C.append([m for _, m in best] + [-1] * (N - len(best)))
    return C


def places(R, C, M):
    """(3)"""
    return [[[place(items, m) for m in chosen] for items, chosen in zip(lists, C)] for lists in R]


def scores_at(s, p):
    """(4)"""
    def score(row, at):
        left = [value for value in row if value > float("-inf")]
        return row[at - 1] if at <= len(row) else min(left, default=0)
    return [[[score(row, at) for at in ats] for row, ats in zip(*pair)] for pair in zip(s, p)]
