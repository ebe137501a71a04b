"""The smooth activations entry by entry: loops over float32 and float64, meant here by the numbers of chapter smooth.

In float32 all is computed in float32, 16 entries at a time where a register holds them.  For that Φ needs a formula
without branches.  Where u < 0 it is the tail ½ erfc(z) with z = -u/√2, and erfc(z) = e^{-z²} t p(t) with
t = 1 / (1 + 0.4 z), where p, smooth from z = 0 to where float32 ends, is a polynomial; elsewhere it is 1 less the tail.
e^{-z²} serves the density φ as well.

    y      (N,)  results
    u      (N,)  arguments
    g      (N,)  gradients by the results; in a loop that gives values, anything
    a            what ELU comes down to, but for its sign
"""
import math

import numpy as np

from scratchml.core.elementary import exp, exp32, tanh, tanh32
from scratchml.core.jit import kernel

# --- numbers -------------------------------------------------------------------------------------

SCALE, REACH = 0.4, 10.0                                 # of z; beyond it erfc(z) is less than the least float32


def tail_coefficients(degree):
    """c such that e^{z²} erfc(z) / t = p(t) = Σ_i c_i tⁱ for 0 <= z <= REACH, within 2 · 10⁻⁸ of itself for degree 9.

    Both sides are equal at Chebyshev's nodes.
    """
    low = 1 / (1 + SCALE * REACH)
    nodes = (1 + low) / 2 + (1 - low) / 2 * np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    values = [math.erfc(z) * math.exp(z * z) / t for t, z in zip(nodes, (1 / nodes - 1) / SCALE)]
    return np.linalg.solve(np.vander(nodes, increasing=True), values)


TAIL = tuple(tail_coefficients(9).astype(np.float32))
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
SCALE_32, DENSITY = np.float32(SCALE * 0.5**0.5), (2 * math.pi) ** -0.5
CUBE, SHARP = 0.044715, (8 / math.pi) ** 0.5             # of (4)
CUBE_32, CUBE_3_32, SHARP_32, DENSITY_32 = np.float32(CUBE), np.float32(3
                                                                        * CUBE), np.float32(SHARP), np.float32(DENSITY)
MOST = 40.0                                              # beyond, Φ and σ(2v) are 0 or 1, and their slopes 0
MOST_32 = np.float32(MOST)

# --- an entry: what multiplies u, and the slope of that --------------------------------------------


@kernel(contract=True)
def _normal_32(u):
    """Φ(u), φ(u)."""
    u = min(max(u, -MOST_32), MOST_32)
    t = ONE / (ONE + SCALE_32 * abs(u))
    p = TAIL[9]
    p = p * t + TAIL[8]
    p = p * t + TAIL[7]
    p = p * t + TAIL[6]
    p = p * t + TAIL[5]
    p = p * t + TAIL[4]
    p = p * t + TAIL[3]
    p = p * t + TAIL[2]
    p = p * t + TAIL[1]
    p = p * t + TAIL[0]
    power = exp32(-HALF * (u * u))
    tail = HALF * (power * (t * p))
    return (tail if u < ZERO else ONE - tail), DENSITY_32 * power


@kernel(contract=True)
def _normal(u):
    """Φ(u), φ(u)."""
    u = min(max(u, -MOST), MOST)
    return 0.5 * math.erfc(-(0.5**0.5) * u), DENSITY * exp(-0.5 * (u * u))


@kernel(contract=True)
def _sharp_32(u):
    """σ(2v), and its slope by u."""
    u = min(max(u, -MOST_32), MOST_32)
    gate = ONE / (ONE + exp32(-SHARP_32 * u * (CUBE_32 * (u * u) + ONE)))
    return gate, gate * (ONE - gate) * SHARP_32 * (CUBE_3_32 * (u * u) + ONE)


@kernel(contract=True)
def _sharp(u):
    """σ(2v), and its slope by u."""
    u = min(max(u, -MOST), MOST)
    gate = 1.0 / (1.0 + exp(-SHARP * u * (CUBE * (u * u) + 1.0)))
    return gate, gate * (1.0 - gate) * SHARP * (3.0 * CUBE * (u * u) + 1.0)


@kernel(contract=True)
def _sigmoid_32(u):
    """σ(u), and its slope."""
    gate = ONE / (ONE + exp32(-u))
    return gate, gate * (ONE - gate)


@kernel(contract=True)
def _sigmoid(u):
    """σ(u), and its slope."""
    gate = 1.0 / (1.0 + exp(-u))
    return gate, gate * (1.0 - gate)


# --- pieces of arrays ----------------------------------------------------------------------------


@kernel(contract=True)
def normal_gate(c, start, stop, u, g, a, y):
    """Same result as (3), because Φ is."""
    u, y = u[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            y[k] = u[k] * _normal_32(u[k])[0]
    else:
        for k in range(y.size):
            y[k] = u[k] * _normal(u[k])[0]


@kernel(contract=True)
def normal_gate_slope(c, start, stop, u, g, a, y):
    """g times the slope of (3), because φ is the slope of Φ."""
    u, g, y = u[start:stop], g[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            gate, slope = _normal_32(u[k])
            y[k] = g[k] * (gate + u[k] * slope)
    else:
        for k in range(y.size):
            gate, slope = _normal(u[k])
            y[k] = g[k] * (gate + u[k] * slope)


@kernel(contract=True)
def tanh_gate(c, start, stop, u, g, a, y):
    """Same result as (4), because beyond MOST σ is what it is there."""
    u, y = u[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            y[k] = u[k] * _sharp_32(u[k])[0]
    else:
        for k in range(y.size):
            y[k] = u[k] * _sharp(u[k])[0]


@kernel(contract=True)
def tanh_gate_slope(c, start, stop, u, g, a, y):
    """g times the slope of (4), because that of σ is σ (1 - σ)."""
    u, g, y = u[start:stop], g[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            gate, slope = _sharp_32(u[k])
            y[k] = g[k] * (gate + u[k] * slope)
    else:
        for k in range(y.size):
            gate, slope = _sharp(u[k])
            y[k] = g[k] * (gate + u[k] * slope)


@kernel(contract=True)
def sigmoid_gate(c, start, stop, u, g, a, y):
    """Same result as (5), because it is that."""
    u, y = u[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            y[k] = u[k] * _sigmoid_32(u[k])[0]
    else:
        for k in range(y.size):
            y[k] = u[k] * _sigmoid(u[k])[0]


@kernel(contract=True)
def sigmoid_gate_slope(c, start, stop, u, g, a, y):
    """g times the slope of (5), because that of σ is σ (1 - σ)."""
    u, g, y = u[start:stop], g[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            gate, slope = _sigmoid_32(u[k])
            y[k] = g[k] * (gate + u[k] * slope)
    else:
        for k in range(y.size):
            gate, slope = _sigmoid(u[k])
            y[k] = g[k] * (gate + u[k] * slope)


@kernel(contract=True)
def exponential_below(c, start, stop, u, g, a, y):
    """Same result as (6), because eᵘ - 1 = 2 h / (1 - h) with h = tanh(u/2), where for u < 0 no digits cancel."""
    u, y = u[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            h = tanh32(HALF * min(u[k], ZERO))
            y[k] = u[k] if u[k] > 0 else a * ((h + h) / (ONE - h))
    else:
        for k in range(y.size):
            h = tanh(0.5 * min(u[k], 0.0))
            y[k] = u[k] if u[k] > 0 else a * ((h + h) / (1.0 - h))


@kernel(contract=True)
def exponential_below_slope(c, start, stop, u, g, a, y):
    """g times the slope of (6), because that of eᵘ is eᵘ."""
    u, g, y = u[start:stop], g[start:stop], y[start:stop]
    if y.itemsize == 4:
        for k in range(y.size):
            y[k] = g[k] if u[k] > 0 else g[k] * (a * exp32(min(u[k], ZERO)))
    else:
        for k in range(y.size):
            y[k] = g[k] if u[k] > 0 else g[k] * (a * exp(min(u[k], 0.0)))
