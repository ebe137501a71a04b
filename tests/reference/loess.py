"""Local regression by definition: one place after the other, one weight after the other."""
import math


def tricube(d, h):
    """(1)  With the authors' exceptions at both ends."""
    result = []
    for distance in d:
        if distance <= 0.001 * h:
            result.append(1.0)
        elif distance <= 0.999 * h:
            result.append((1 - (distance / h) ** 3) ** 3)
        else:
            result.append(0.0)
    return result


def nearest(x, n, q):
    """The places of the window: q in a row, x in their middle if the ends allow it."""
    if q >= n:
        return list(range(n))
    first = x - (q - 1) // 2
    first = 0 if first < 0 else first
    first = n - q if first > n - q else first
    return list(range(first, first + q))


def reach(x, n, q):
    """(2)"""
    places = nearest(x, n, q)
    h = max(x - places[0], places[-1] - x)
    return h + (q - n) // 2 if q > n else h


def local_fit(y, ρ, x, q, g):
    """(3)  The minimum of Σ w ρ (y_j - α - β (j - x))² at x, by its normal equations about the mean place."""
    places = nearest(x, len(y), q)
    weights = [w * ρ[j] for w, j in zip(tricube([abs(j - x) for j in places], reach(x, len(y), q)), places)]
    total = sum(weights)
    if not total > 0:
        return math.nan
    t = sum(w * j for w, j in zip(weights, places)) / total
    level = sum(w * y[j] for w, j in zip(weights, places)) / total
    spread = sum(w * (j - t) ** 2 for w, j in zip(weights, places)) / total
    if g == 0 or math.sqrt(spread) <= 0.001 * (len(y) - 1):
        return level
    tilt = sum(w * (j - t) * (y[j] - level) for w, j in zip(weights, places)) / total
    return level + tilt / spread * (x - t)


def loess(y, q, g, r, ρ):
    """(4)"""
    n = len(y)
    fitted = {}
    for x in [*range(0, n, r), n - 1]:
        value = local_fit(y, ρ, x, q, g)
        fitted[x] = y[x] if math.isnan(value) else value
    result = []
    for x in range(n):
        if x in fitted:
            result.append(fitted[x])
        else:
            before, after = max(p for p in fitted if p < x), min(p for p in fitted if p > x)
            share = (x - before) / (after - before)
            result.append((1 - share) * fitted[before] + share * fitted[after])
    return result
