"""Adadelta by definition: algorithm 1 of the paper, entry by entry."""
import math


def adadelta_direction(g, s, u, ε):
    """(1)  RMS of the steps over RMS of the gradients, times the gradient."""
    return [math.sqrt(u[k] + ε) / math.sqrt(s[k] + ε) * g[k] for k in range(len(g))]


def trajectory(x, gs, lr, rho, eps, weight_decay):
    """Where the algorithm goes from x with the gradients gs, one a step."""
    x, s, u = list(x), [0.0] * len(x), [0.0] * len(x)
    for g in gs:
        for k in range(len(x)):
            slope = g[k] + weight_decay * x[k]
            s[k] = rho * s[k] + (1 - rho) * slope ** 2
            d = math.sqrt(u[k] + eps) / math.sqrt(s[k] + eps) * slope
            u[k] = rho * u[k] + (1 - rho) * d ** 2
            x[k] -= lr * d
    return x
