"""Edit distances by definition: the table cell by cell, the way back over it, sums."""
import numpy as np


def distance_table(a, b):
    """(1)"""
    d = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                d[i, j] = i + j
            else:
                d[i, j] = min(d[i - 1, j - 1] + (0 if a[i - 1] == b[j - 1] else 1), d[i - 1, j] + 1, d[i, j - 1] + 1)
    return np.array([[d[i, j] for j in range(len(b) + 1)] for i in range(len(a) + 1)])


def edit_distance(a, b):
    """(2)"""
    return distance_table(a, b)[len(a), len(b)]


def edit_alignment(a, b):
    """(3)"""
    d, i, j, rows = distance_table(a, b), len(a), len(b), []
    while i > 0 or j > 0:
        if i > 0 and j > 0 and d[i, j] == d[i - 1, j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            rows.append((i, j))
        elif i > 0 and d[i, j] == d[i - 1, j] + 1:
            i = i - 1
            rows.append((i, -1))
        else:
            j = j - 1
            rows.append((-1, j))
    return np.array(rows[::-1], int).reshape(-1, 2)


def error_rate(A, B):
    """(4)"""
    return sum(edit_distance(a, b) for a, b in zip(A, B)) / sum(len(a) for a in A)


def exact_match(A, B):
    """(5)"""
    return sum(list(a) == list(b) for a, b in zip(A, B)) / len(A)
