"""Placement by definition: one new point after the other, sums over the data in the order of the text."""
import math

import numpy as np


def picks(Δ, u):
    """(1)  β by plain bisection of its logarithm."""
    rows = []
    for row in Δ:
        row = row - row.min()
        unit = row.mean() if row.any() else 1.0
        low, high = -100.0, 100.0
        for _ in range(200):
            t = (low + high) / 2
            densities = [math.exp(-min(math.exp(t) * d / unit, 700)) for d in row]
            p = [density / sum(densities) for density in densities]
            if math.exp(-sum(share * math.log(share) for share in p)) > u:
                low = t
            else:
                high = t
        rows.append(p)
    return np.array(rows)


def picks_on_map(Z, Y):
    """(2)"""
    w = [[1 / (1 + sum((a - b) ** 2 for a, b in zip(z, y))) for y in Y] for z in Z]
    return np.array([[share / sum(row) for share in row] for row in w])


def placing_costs(R, Z, Y):
    """(3)"""
    return np.array([sum(p * math.log(p / q) for p, q in zip(*rows) if p > 0) for rows in zip(R, picks_on_map(Z, Y))])


def placing_gradients(R, Z, Y):
    """(4)"""
    result = np.zeros(Z.shape)
    for i, (z, q) in enumerate(zip(Z, picks_on_map(Z, Y))):
        for j, y in enumerate(Y):
            w = 1 / (1 + sum((z - y) ** 2))
            result[i] += 2 * (R[i, j] - q[j]) * w * (z - y)
    return result


def first_places(Δ, R, Y):
    """(5)"""
    result = []
    for distances, r in zip(Δ, R):
        nearest = sorted(range(len(Y)), key=lambda j: distances[j])[:25]
        costs = [placing_costs([r], [Y[j]], Y)[0] for j in nearest]
        result.append(Y[nearest[costs.index(min(costs))]])
    return np.array(result)


def descend(R, Z, Y):
    """The places after all steps, which are those of the chapter tsne for one point at a time."""
    places = []
    for r, z in zip(R, Z):
        v, g = np.zeros(len(z)), np.ones(len(z))
        for _ in range(250):
            d = placing_gradients(np.array([r]), np.array([z]), Y)[0]
            if max(abs(d)) <= 1e-7:
                break
            g = np.array([a + 0.2 if b * c < 0 else max(0.8 * a, 0.01) for a, b, c in zip(g, v, d)])
            v = 0.5 * v - 0.5 * g * d
            z = z + v
        places.append(z)
    return np.array(places)
