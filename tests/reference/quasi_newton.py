"""What the steps of L-BFGS in training are, as it is stated."""


def first_step(g, η):
    """(1)"""
    total = sum(abs(gi) for gi in g)
    return η if total <= 1 else η / total


def bracketed_step(step, phi, c1=1e-4, c2=0.9):
    """(2)  Is this a step that may be returned?"""
    (p0, u0), (p, u) = phi(0.0), phi(step)
    return p <= p0 + c1 * step * u0 and abs(u) <= c2 * abs(u0)
