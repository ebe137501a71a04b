"""The law of τ: MacKinnon's polynomials once more, and regressions of walks in fractions."""
import math
from fractions import Fraction

from tests.reference.unit_root import TERMS, design, tau

# MacKinnon 1994, one series: τ*, least and greatest τ, the polynomial up to τ* and the one above.
LAW = {
    "n": (-1.04, -19.04, math.inf, [.6344, 1.2378, .032496], [.4797, .93557, -.06999, .033066]),
    "c": (-1.61, -18.83, 2.74, [2.1659, 1.4412, .038269], [1.7339, .93202, -.12745, -.010368]),
    "ct": (-2.89, -16.18, .70, [3.2512, 1.6047, .049588], [2.5261, .61654, -.37956, -.060285]),
    "ctt": (-3.21, -17.17, .54, [4.0003, 1.658, .048288], [3.0778, .49529, -.41477, -.059359]),
}

# MacKinnon 2010, one series: 1, 5, 10 %.
CRITICAL = {
    "n": [(-2.56574, -2.2358, -3.627, 0), (-1.94100, -.2686, -3.365, 31.223), (-1.61682, .2656, -2.714, 25.364)],
    "c": [(-3.43035, -6.5393, -16.786, -79.433), (-2.86154, -2.8903, -4.234, -40.040),
          (-2.56677, -1.5384, -2.809, 0)],
    "ct": [(-3.95877, -9.0531, -28.428, -134.155), (-3.41049, -4.3904, -9.036, -45.374),
           (-3.12705, -2.5856, -3.925, -22.380)],
    "ctt": [(-4.37113, -11.5882, -35.819, -334.047), (-3.83239, -5.9057, -12.490, -118.284),
            (-3.55326, -3.6596, -5.293, -63.559)],
}


def asymptotic_p_value(τ, d):
    """(1)"""
    star, least, greatest, below, above = LAW[d]
    if τ > greatest:
        return 1.0
    if τ < least:
        return 0.0
    z = sum(b * τ**i for i, b in enumerate(below if τ <= star else above))
    return .5 * math.erfc(-z / math.sqrt(2))


def critical_values(n, d):
    """(2)"""
    return [c + c1 / n + c2 / n**2 + c3 / n**3 for c, c1, c2, c3 in CRITICAL[d]]


def null_distribution(E, d):
    """(3)  A walk of each row of steps, from 0, and its τ without lags."""
    out = []
    for steps in E:
        y = [Fraction(0)]
        for step in steps:
            y.append(y[-1] + Fraction(float(step)))
        out.append(tau(*design(y, 0, d), TERMS[d]))
    return out
