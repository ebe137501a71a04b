"""First-order optimisers by definition: one coordinate at a time, and whole trajectories from the first step on."""
import math

import numpy as np


def with_decay(g, x, λ):
    """(1)  The slope of f(x) + λ/2 ‖x‖²."""
    return np.array([g[i] + λ / 2 * 2 * x[i] for i in range(len(x))])


def velocity(v, g, μ, τ):
    """(2)"""
    return np.array([μ * v[i] + (1 - τ) * g[i] for i in range(len(g))])


def nesterov_direction(g, v, μ):
    """(3)"""
    return np.array([g[i] + μ * v[i] for i in range(len(g))])


def descend(x, d, η):
    """(4)"""
    return np.array([x[i] - η * d[i] for i in range(len(x))])


def running_mean(m, g, β):
    """(5)"""
    return np.array([β * m[i] + (1 - β) * g[i] for i in range(len(g))])


def adam_direction(m, s, t, β1, β2, ε):
    """(6)"""
    return np.array([m[i] / (1 - β1 ** t) / (math.sqrt(s[i] / (1 - β2 ** t)) + ε) for i in range(len(m))])


def shrink(x, η, λ):
    """(7)"""
    return np.array([x[i] - η * λ * x[i] for i in range(len(x))])


def scaled(g, s, ε):
    """(8)"""
    return np.array([g[i] / (math.sqrt(s[i]) + ε) for i in range(len(g))])


def clip(g, n, C):
    """(9)"""
    return np.array([entry if n + 1e-6 <= C else entry * C / (n + 1e-6) for entry in g])


# --- trajectories of one coordinate; sums over the whole past instead of running ones

def sgd(x, gs, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    past = []
    for slope in gs:
        past.append(slope + weight_decay * x)
        last = len(past) - 1
        share = [1 if k == 0 or not momentum else 1 - dampening for k in range(len(past))]
        v = sum(momentum ** (last - k) * share[k] * g for k, g in enumerate(past))
        x = x - lr * (past[-1] + momentum * v if nesterov else v)
    return x


def adam(x, gs, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    past = []
    for slope in gs:
        past.append(slope if decoupled else slope + weight_decay * x)
        if decoupled:
            x = x - lr * weight_decay * x
        m, s = (weighted_mean(past, β, power) for power, β in enumerate(betas, 1))
        x = x - lr * m / (math.sqrt(s) + eps)
    return x


def weighted_mean(past, β, power):
    """The mean of gᵖ with weights that fall by β from the last to the first; they sum to 1, so no bias is corrected."""
    weights = [β ** k for k in range(len(past))][::-1]
    return sum(w * g ** power for w, g in zip(weights, past)) / sum(weights)


def adagrad(x, gs, *, lr, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    past = []
    for t, slope in enumerate(gs, 1):
        past.append(slope + weight_decay * x)
        s = initial_accumulator_value + sum(g * g for g in past)
        x = x - lr / (1 + (t - 1) * lr_decay) * past[-1] / (math.sqrt(s) + eps)
    return x


def rmsprop(x, gs, *, lr, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    past, ds = [], []
    for slope in gs:
        past.append(slope + weight_decay * x)
        m, s = (sum((1 - alpha) * alpha ** k * g ** power for k, g in enumerate(past[::-1])) for power in (1, 2))
        ds.append(past[-1] / (math.sqrt(max(s - m * m, 0.0) if centered else s) + eps))
        x = x - lr * sum(momentum ** k * d for k, d in enumerate(ds[::-1]))
    return x
