"""Schedules by definition: step by step, or by the curve that they follow."""
import math


def step_decay(η0, γ, t, s):
    """(1)  Multiplied by γ whenever s steps have passed."""
    for done in range(1, t + 1):
        η0 = η0 * γ if done % s == 0 else η0
    return η0


def cosine(η0, ηmin, t, T):
    """(2)  The height of a point that goes round a circle between η0, at the top, and ηmin in 2 T steps."""
    return (η0 + ηmin) / 2 + (η0 - ηmin) / 2 * math.cos(math.pi * t / T)


def linear(η0, a, b, t, T):
    """(3)  In T equal steps from η0 a to η0 b."""
    return η0 * b if t >= T else η0 * (a * (T - t) / T + b * t / T)
