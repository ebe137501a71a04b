"""Deviations change by change, quantiles of sorted lists."""


def mean_size(δ):
    """(1)"""
    return sum(map(abs, δ)) / len(δ) + 1e-8


def deviations(t, s, x, p, P):
    """(2)"""
    return [[sum(size * max(when - at, 0.0) for at, size, path in zip(s, x, p) if path == j) for j in range(P)]
            for when in t]


def quantiles(V, q):
    """(3)"""
    found = []
    for share in q:
        row = []
        for values in V:
            ordered, place = sorted(values), (len(values) - 1) * share
            low = int(place)
            high = min(low + 1, len(values) - 1)
            row.append(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
        found.append(row)
    return found
