"""Codes slice by slice, and distances by writing out what the codes stand for."""


def apart(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


def slices(x, m):
    s = len(x) // m
    return [x[j * s:(j + 1) * s] for j in range(m)]


def encode(X, W):
    """(1)"""
    return [[min(range(len(book)), key=lambda k: apart(part, book[k])) for part, book in zip(slices(x, len(W)), W)]
            for x in X]


def decode(Y, W):
    """(2)"""
    return [[float(value) for code, book in zip(y, W) for value in book[code]] for y in Y]


def tables(q, W):
    """(3)"""
    return [[apart(part, w) for w in book] for part, book in zip(slices(q, len(W)), W)]


def asymmetric_distance(q, Y, W):
    """(4)  By the right-hand side."""
    return [apart(q, x) for x in decode(Y, W)]


def symmetric_distance(q, Y, W):
    """(5)  By the right-hand side."""
    return [apart(decode(encode([q], W), W)[0], x) for x in decode(Y, W)]


def distortion(X, W):
    """(6)"""
    return sum(apart(x, y) for x, y in zip(X, decode(encode(X, W), W))) / len(X)
