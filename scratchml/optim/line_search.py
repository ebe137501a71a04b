"""Line search: how far to go, once the direction is known?

A method that knows a direction downhill must still choose a step.  One that is too long lands on the far wall of the
valley, one that is too short gets nowhere.  The Wolfe conditions ask for two things that every good step has and that
can be checked without knowing the best: the function fell by a fair share of what its slope promised, and the slope
has become much flatter.  The second also makes the curvature along the step positive, on which quasi-Newton methods
build.

The search keeps a pair of steps between which a good one must lie, and fits a cubic to the values and slopes there.
Until it has such a pair it goes farther out.

Symbols
    φ, phi       the function along the line, φ(a) = f(x + a d)
    p0, u0       its value φ(0) and slope φ'(0) < 0 at the start
    a, b         steps
    p, q         values of φ at a and b
    u, v         slopes of φ at a and b
    ν            what the rounding of φ may amount to
    c₁, c₂       0 < c₁ < c₂ < 1; here 1e-4 and 0.9

Equations
    (1)  φ(a) ≤ φ(0) + c₁ a φ'(0) + ν                                              decreases
    (2)  |φ'(a)| ≤ c₂ |φ'(0)|                                                      flattens
    (3)  the step where the cubic through φ(a), φ'(a), φ(b), φ'(b) is least        cubic_minimum
    (4)  some a with (1) and (2)                                                   strong_wolfe

Choices
    ν = 1e-12 |φ(0)| allows for the rounding of φ: near a minimum, where φ no longer tells steps apart, (2) decides.
    A value of inf or NaN is one that is too high: the step is halved, or where a good one is known, the gap to it.
    A new step stays off the ends of its interval by a tenth of its length; beyond the last step it goes out 2 to 10
    times as far.  (3) is NaN where the cubic has no minimum; then the middle is tried.
    If `max_evaluations` values of φ do not suffice, the lowest step with (1) is returned, or 0 if there was none.

Cost
    Evaluations of φ, most often one or two.

>>> strong_wolfe(lambda a: ((a - 3.0) ** 2, 2 * (a - 3.0)), 9.0, -6.0)
Step(size=1.0, value=4.0, slope=-4.0, evaluations=1, found=True)
>>> strong_wolfe(lambda a: ((a - 3.0) ** 2, 2 * (a - 3.0)), 9.0, -6.0, first=100.0, c2=0.1).size
3.0

Source: J. Nocedal and S. Wright, "Numerical Optimization", 2nd edition (2006), section 3.1 for (1) and (2), section 3.5
for (3) (their 3.59) and the two phases of (4) (their algorithms 3.5 and 3.6); W. Hager and H. Zhang, "A new conjugate
gradient method with guaranteed descent and an efficient line search", SIAM J. Optimization 16 (2005), section 4, for ν.
"""
import math
from typing import NamedTuple

NOISE = 1e-12


class Step(NamedTuple):
    """Where a line search has ended; `found` says whether both conditions hold there."""
    size: float
    value: float
    slope: float
    evaluations: int
    found: bool


def decreases(a, p, p0, u0, c1=1e-4):
    """(1)  φ(a) ≤ φ(0) + c₁ a φ'(0) + ν

    For p = φ(a), p0 = φ(0) and u0 = φ'(0).  Not true of inf and NaN.

    Shapes: a, p, p0, u0 -> ()
    """
    return p <= p0 + c1 * a * u0 + NOISE * abs(p0)


def flattens(u, u0, c2=0.9):
    """(2)  |φ'(a)| ≤ c₂ |φ'(0)|

    For u = φ'(a) and u0 = φ'(0).

    Shapes: u, u0 -> ()
    """
    return abs(u) <= c2 * abs(u0)


def cubic_minimum(a, p, u, b, q, v):
    """(3)  the step where the cubic through φ(a), φ'(a), φ(b), φ'(b) is least

    NaN if it has no minimum, or a number is not finite.

    Shapes: a, p, u, b, q, v -> ()
    """
    mean = u + v - 3 * (p - q) / (a - b)
    square = mean * mean - u * v
    if not 0 <= square < math.inf:
        return math.nan
    root = math.copysign(math.sqrt(square), b - a)
    below = v - u + 2 * root
    return b - (b - a) * (v + root - mean) / below if below else math.nan


def strong_wolfe(phi, p0, u0, first=1.0, *, c1=1e-4, c2=0.9, max_evaluations=20):
    """(4)  some a with (1) and (2)

    phi(a) returns φ(a) and φ'(a); `p0`, `u0` are those of a = 0, `first` is the step that is tried first.  Returns a
    Step.  Raises ValueError if φ does not fall at 0.

    Shapes: phi, p0, u0 -> (), (), (), (), ()
    """
    if not u0 < 0:
        raise ValueError(f"u0={u0}: expected a negative slope at the start; the direction must lead downhill")
    low, high = (0.0, p0, u0), None                      # (step, value, slope); a good step lies between the two
    a, evaluations = first, 0
    while evaluations < max_evaluations:
        p, u = phi(a)
        evaluations += 1
        if decreases(a, p, p0, u0, c1) and flattens(u, u0, c2):
            return Step(a, p, u, evaluations, True)
        if not decreases(a, p, p0, u0, c1) or p > low[1] + NOISE * abs(p0):
            high = a, p, u
        elif u * (a - low[0]) >= 0:
            low, high = (a, p, u), low
        else:
            low, before = (a, p, u), low
            if high is None:
                a = within(cubic_minimum(*before, *low), 2 * a, 10 * a, otherwise=4 * a)
                continue
        tenth, middle = (high[0] - low[0]) / 10, (low[0] + high[0]) / 2
        a = within(cubic_minimum(*low, *high), low[0] + tenth, high[0] - tenth, otherwise=middle)
    return Step(*low, evaluations, False)


def within(a, one_end, other_end, *, otherwise):
    """`a` moved between the two ends; `otherwise` if it is NaN."""
    return otherwise if math.isnan(a) else min(max(a, min(one_end, other_end)), max(one_end, other_end))
