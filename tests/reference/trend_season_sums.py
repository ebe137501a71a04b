"""Products of columns that are written out."""


def columns_of_trend(t, s):
    return [[1.0, x, *(max(x - a, 0.0) for a in s)] for x in t]


def trend_products(t, s, p):
    """(1)"""
    B = columns_of_trend(t, s)
    n = len(s) + 2
    return [[sum(w * row[j] * row[l] for w, row in zip(p, B)) for l in range(n)] for j in range(n)]


def column_products(t, s, V):
    """(2)"""
    B = columns_of_trend(t, s)
    return [[sum(row[j] * v[c] for row, v in zip(B, V)) for c in range(len(V[0]))] for j in range(len(s) + 2)]
