"""The best items by sorting all of them, and cosines as they are defined."""
import math


def largest(y, T):
    """(1)  Python's sort keeps the order of equals."""
    return sorted(range(len(y)), key=lambda j: -y[j])[:T]


def cosine(V, v):
    """(2)"""
    def length(x):
        return math.sqrt(sum(value**2 for value in x))
    lengths = [length(row) * length(v) for row in V]
    return [sum(a * b for a, b in zip(row, v)) / size if size else 0.0 for row, size in zip(V, lengths)]
