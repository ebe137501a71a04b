"""How unlikely is the t of a unit root?  A law that depends on the length of the series, by formula and from walks.

The test of chapter `unit_root` regresses the steps of a series on the values before them.  If the series is a random
walk, the true slope is 0, yet the t of the estimated one is not Student's: the regressor is a walk too, and the two are
made of the same steps.  A level estimated beside it makes it worse.  A walk of 25 steps lies, on the whole, either
above its mean and about to be found falling, or below and rising: the slope comes out negative 19 times of 20, its t
around -1.5.

The law has no formula.  MacKinnon drew millions of walks and fitted polynomials to what he saw: (1) of 1994 for an
endless series, (2) of 2010 for critical values at each length.  Programs print both, and in short series they
contradict each other.  Of walks of 25 steps 6.4 % have a t below -2.86, where (1) says 5.0 %.  (2) knows: its critical
value for 5 % is -2.99.  So between the two, a critical value says no and a p-value says yes to the same series.  (3)
draws walks as long as the series at hand, and its p-values agree with (2).

Symbols
    τ            the t of the slope; Φ is the distribution function of the normal law
    d            what is estimated beside the slope: "n" nothing, "c" a constant, "ct" also t, "ctt" also t²
    n            rows of the regression; t is counted in them, from 1/n to 1
    D  (n, k)    those terms, D_t a row; k = 0 for "n" to 3 for "ctt"
    b            a polynomial of 1994, up to a τ* another than above
    c            a polynomial of 2010, one for each of three levels
    E  (N, n)    steps of N walks, normal and independent
    a, γ, e      coefficients of D, the slope, and what is left

Equations
    (1)  P(τ) = Φ(b_0 + b_1 τ + b_2 τ² + b_3 τ³)                                     asymptotic_p_value
    (2)  c(n) = c_0 + c_1 / n + c_2 / n² + c_3 / n³, at 1, 5 and 10 %                critical_values
    (3)  τ_i = γ / se(γ) of E_it = D_tᵀ a + γ y_{t-1} + e_t, y_t = Σ_{s <= t} E_is   null_distribution

Choices
    (1) is 0 below a least τ and 1 above a greatest, as published.  (2) has n as the number of rows, as published
    programs take it.  A p-value by (3) counts the τ that is asked among the draws, so it is never 0.
    There are no lags in (3), as there were none in MacKinnon's walks.  Where lags are chosen by looking at the series,
    all three say too little in short ones: of 20,000 walks of 26 values, with the lags that Akaike's criterion chose,
    15 % had a p below 5 % by (1), and 12 % a τ below the critical value; of 101 values 7 % and 6 %.

Cost
    (3) takes O(N n k), most of it for the draws.  `python -m benchmarks unit_root` times 20,000 walks.

>>> round(asymptotic_p_value(-2.86, "c"), 4), critical_values(25, "c").round(4).tolist()
(0.0502, [-3.7239, -2.9865, -2.6328])
>>> round(simulated_p_value(-2.86, 25, "c", random_state=0), 3)
0.064

Sources: J. MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration tests", J.
Business & Economic Statistics 12 (1994), for (1), and "Critical values for cointegration tests", Queen's University
working paper 1227 (2010), for (2); D. Dickey and W. Fuller, JASA 74 (1979), for (3).
"""
import math
from typing import NamedTuple

import numpy as np

from scratchml.core.elementary import double
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.random import generator

TERMS = {"n": 0, "c": 1, "ct": 2, "ctt": 3}
BLOCK = 2**20                                            # steps of walks drawn at a time


class Polynomials(NamedTuple):
    """MacKinnon's for one d: of 1994, `below` for τ <= star and `above`, `critical` (3, 4) of 2010."""
    star: float
    least: float
    greatest: float
    below: tuple
    above: tuple
    critical: tuple


MACKINNON = {
    "n": Polynomials(-1.04, -19.04, math.inf, (.6344, 1.2378, .032496), (.4797, .93557, -.06999, .033066),
                     ((-2.56574, -2.2358, -3.627, 0), (-1.94100, -.2686, -3.365, 31.223),
                      (-1.61682, .2656, -2.714, 25.364))),
    "c": Polynomials(-1.61, -18.83, 2.74, (2.1659, 1.4412, .038269), (1.7339, .93202, -.12745, -.010368),
                     ((-3.43035, -6.5393, -16.786, -79.433), (-2.86154, -2.8903, -4.234, -40.040),
                      (-2.56677, -1.5384, -2.809, 0))),
    "ct": Polynomials(-2.89, -16.18, .70, (3.2512, 1.6047, .049588), (2.5261, .61654, -.37956, -.060285),
                      ((-3.95877, -9.0531, -28.428, -134.155), (-3.41049, -4.3904, -9.036, -45.374),
                       (-3.12705, -2.5856, -3.925, -22.380))),
    "ctt": Polynomials(-3.21, -17.17, .54, (4.0003, 1.658, .048288), (3.0778, .49529, -.41477, -.059359),
                       ((-4.37113, -11.5882, -35.819, -334.047), (-3.83239, -5.9057, -12.490, -118.284),
                        (-3.55326, -3.6596, -5.293, -63.559))),
}


def trend(n, d):
    """D (n, k): powers of t."""
    return (np.arange(1, n + 1) / n)[:, None] ** np.arange(TERMS[d])


def asymptotic_p_value(τ, d):
    """(1)  P(τ) = Φ(b_0 + b_1 τ + b_2 τ² + b_3 τ³)

    Shapes: τ, d -> ()
    """
    law = MACKINNON[d]
    if not law.least <= τ <= law.greatest:
        return 0.0 if τ < law.least else 1.0
    return 0.5 * math.erfc(-_polynomial(law.below if τ <= law.star else law.above, τ) / math.sqrt(2))


def critical_values(n, d):
    """(2)  c(n) = c_0 + c_1 / n + c_2 / n² + c_3 / n³, at 1, 5 and 10 %

    Shapes: n, d -> (3)
    """
    return np.array([_polynomial(c, 1 / n) for c in MACKINNON[d].critical])


def _polynomial(coefficients, x):
    total = 0.0
    for one in reversed(coefficients):
        total = total * x + one
    return total


def null_distribution(E, d):
    """(3)  τ_i = γ / se(γ) of E_it = D_tᵀ a + γ y_{t-1} + e_t, y_t = Σ_{s <= t} E_is

    Of y_{t-1} and of Δy what D explains is taken away; then γ is a slope, and its t is short.

    Shapes: E (N, n), d -> (N)
    """
    n, k = E.shape[1], TERMS[d] + 1
    Q, _ = np.linalg.qr(trend(n, d))
    level = np.cumsum(E, axis=1) - E                     # (N, n): y_{t-1}
    x, e = level - level @ Q @ Q.T, E - E @ Q @ Q.T
    xx, xe, ee = (x * x).sum(axis=1), (x * e).sum(axis=1), (e * e).sum(axis=1)
    return xe / np.sqrt(xx * (ee - xe**2 / xx) / (n - k))


def simulated_p_value(τ, n, d, draws=100_000, random_state=None):
    """The share of walks of n steps whose τ is at most this one, itself counted among them: never 0.

    Its standard error is √(p (1 - p) / draws).  The same seed gives the same bits on any number of threads.
    """
    rng, Q, below = generator(random_state), np.linalg.qr(trend(n, d))[0], 0
    rows = max(1, BLOCK // n)
    for start in range(0, draws, rows):
        # float32 has digits to spare for a random number, and half the bytes.
        E = rng.standard_normal((min(rows, draws - start), n), dtype=np.float32)
        below += int((_null_distribution(E, Q) <= τ).sum())
    return (1 + below) / (1 + draws)


# --- compiled ------------------------------------------------------------------------------------


def _null_distribution(E, Q):
    """Same result as (3), because Σ x e = Σ y_{t-1} Δy_t - Σ_j (Q_jᵀ y)(Q_jᵀ Δy), and so on, without x and e."""
    τ = np.empty(len(E))
    run_chunks(_null_chunk, len(E), E, np.ascontiguousarray(Q.T), τ, chunk=max(1, 2**17 // E.shape[1]))
    return τ


@kernel(reassociate=True)
def _null_chunk(c, start, stop, E, Q, τ):
    n, terms = E.shape[1], Q.shape[0]
    level, step = np.empty(n), np.empty(n)
    for row in range(start, stop):
        y = 0.0
        for i in range(n):                               # in order, alone: a sum that depends on the one before
            level[i] = y
            step[i] = double(E[row, i])
            y += step[i]
        xx, xe, ee = 0.0, 0.0, 0.0
        for i in range(n):
            xx += level[i] * level[i]
            xe += level[i] * step[i]
            ee += step[i] * step[i]
        for j in range(terms):
            x, e = 0.0, 0.0
            for i in range(n):
                x += Q[j, i] * level[i]
                e += Q[j, i] * step[i]
            xx -= x * x
            xe -= x * e
            ee -= e * e
        τ[row] = xe / math.sqrt(xx * (ee - xe * xe / xx) / (n - terms - 1))
