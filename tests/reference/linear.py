"""The objective of a linear ranker, a term at a time."""


def linear_scores(Z, v):
    """(1)"""
    return [sum(z * weight for z, weight in zip(row, v)) for row in Z]


def objective(L, v, R, λ):
    """(2)"""
    return sum(L) / R + λ / 2 * sum(weight ** 2 for weight in v)


def objective_gradient(Z, u, v, R, λ):
    """(3)"""
    return [sum(row[d] * slope for row, slope in zip(Z, u)) / R + λ * v[d] for d in range(len(v))]
