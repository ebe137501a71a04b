"""Tails of sums of weighted squares: Imhof's integral by a plain rule, and exact sums where weights come in pairs."""
import math
from decimal import Decimal

import numpy as np

from tests.reference.special import decimals


def chi_square_mixture_sf(x, λ):
    """(1)  ½ + 1/π ∫_0^∞ sin θ(u) / (u ρ(u)) du, θ = ½ Σ arctan(λ u) - ½ x u, ρ = Π (1 + λ² u²)^{1/4}.

    That is c = 0, with half the residue.  The trapezoidal rule in w, u = e^w: to 1e-7 for four weights or more,
    whose ρ grows like u at least.
    """
    if np.ndim(x):
        return np.array([chi_square_mixture_sf(one, λ) for one in x])
    λ = np.asarray(λ, float)
    scale = λ.max()
    w = np.linspace(-25, 11, 400_001)
    u = np.exp(w) / scale
    θ = 0.5 * sum(np.arctan(one * u) for one in λ) - 0.5 * x * u
    ρ = np.exp(0.25 * sum(np.log1p((one * u) ** 2) for one in λ))
    return 0.5 + (np.sin(θ) / ρ).sum() * (w[1] - w[0]) / math.pi


def chi_square_mixture_cdf(x, λ):
    """(2)"""
    return 1 - chi_square_mixture_sf(x, λ)


@decimals
def chi_square_sf(x, pairs):
    """(1) for an even number 2 pairs of weights 1: e^{-x/2} Σ_{j < pairs} (x/2)^j / j!"""
    return (-x / 2).exp() * sum((x / 2) ** j / math.factorial(j) for j in range(int(pairs)))


def pairs_of_weights_sf(x, λ):
    """(1) where each of `λ`, all different, stands twice: Σ_k Π_{j≠k} λ_k / (λ_k - λ_j) e^{-x / 2λ_k}."""
    @decimals
    def total(x):
        terms = []
        exact = [Decimal(float(one)) for one in λ]
        for k, one in enumerate(exact):
            product = Decimal(1)
            for j, other in enumerate(exact):
                if j != k:
                    product *= one / (one - other)
            terms.append(product * (-x / (2 * one)).exp())
        return sum(terms)
    return total(x)
