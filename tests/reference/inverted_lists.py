"""Lists of points by their nearest centre, and what is found in some of them, with sorted lists alone."""


def apart(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


def list_of(X, C):
    """(1)"""
    return [min(range(len(C)), key=lambda l: apart(x, C[l])) for x in X]


def probed(q, C, P):
    """(2)"""
    return sorted(range(len(C)), key=lambda l: apart(q, C[l]))[:P]


def nearest_in_lists(q, X, C, P, n):
    """(3)"""
    lists, chosen = list_of(X, C), probed(q, C, P)
    return sorted((i for i in range(len(X)) if lists[i] in chosen), key=lambda i: apart(q, X[i]))[:n]
