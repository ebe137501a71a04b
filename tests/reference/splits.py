"""Which entries are held out, by counting those that are later."""
from math import floor


def share_of_each(c, θ):
    """(1)"""
    return [max(0, min(floor(θ * n + 0.5), n - 1)) for n in c]


def number_of_each(c, n):
    """(2)"""
    return [max(0, min(n, many - 1)) for many in c]


def held_out(users, h, t, z):
    """(3)  Entries given by their users."""
    entries = range(len(users))
    return [sum(users[f] == users[e] and (t[f] > t[e] or (t[f] == t[e] and z[f] > z[e])) for f in entries) < h[users[e]]
            for e in entries]
