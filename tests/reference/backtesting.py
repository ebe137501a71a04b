"""Errors of forecasts from many origins, pair by pair."""


def target_times(o, g, H):
    """(1)"""
    return [[origin - 1 + h for h in range(g + 1, g + H + 1)] for origin in o]


def score(d, y, t, f):
    """(2)"""
    pairs = [(y[time], said) for times, row in zip(t, f) for time, said in zip(times, row) if time < len(y)]
    return d([a for a, _ in pairs], [b for _, b in pairs])


def score_by_horizon(d, y, t, f):
    """(3)"""
    found = []
    for h in range(len(t[0])):
        pairs = [(y[times[h]], row[h]) for times, row in zip(t, f) if times[h] < len(y)]
        found.append(d([a for a, _ in pairs], [b for _, b in pairs]))
    return found
