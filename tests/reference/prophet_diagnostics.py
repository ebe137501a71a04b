"""Cutoffs one by one, windows row by row."""


def cutoffs(d, H, P, I):
    """(1)"""
    found, c = [], d[-1] - H
    while c >= d[0] + I:
        found.append(c)
        c -= P
        if not any(c < x <= c + H for x in d) and c > d[0]:
            c = max(x for x in d if x <= c) - H
    return found[::-1]


def rolling_mean_by_h(x, h, w):
    """(2): errors of the least horizon that a window reaches each count alike, by what is missing."""
    horizons, means = [], []
    for last in sorted(set(h)):
        total, wanted = 0.0, w
        for horizon in sorted({k for k in h if k <= last}, reverse=True):
            errors = [e for e, k in zip(x, h) if k == horizon]
            taken = min(wanted, len(errors))
            total += taken * sum(errors) / len(errors)
            wanted -= taken
        if wanted == 0:
            horizons.append(last)
            means.append(total / w)
    return horizons, means


def rolling_median_by_h(x, h, w):
    """(3)"""
    horizons, medians = [], []
    for last in sorted(set(h)):
        own = [e for e, k in zip(x, h) if k == last]
        shorter = [e for e, k in zip(x, h) if k < last]
        missing = max(w - len(own), 0)
        if missing <= len(shorter):
            window = sorted(own + shorter[len(shorter) - missing:])
            half = len(window) // 2
            horizons.append(last)
            medians.append(window[half] if len(window) % 2 else (window[half - 1] + window[half]) / 2)
    return horizons, medians
