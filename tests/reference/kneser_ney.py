"""Kneser-Ney by definition: m-grams are tuples, counted one by one, and the probability is a recursion."""
from collections import Counter

MARK, END = ("mark",), ("end",)


def continuations(of, G):
    """(1)  `of` lists with which m-gram each different (m+1)-gram ends."""
    return [sum(1 for one in of if one == g) for g in range(G)]


def discount(c):
    """(2)"""
    n1, n2 = sum(1 for count in c if count == 1), sum(1 for count in c if count == 2)
    return n1 / (n1 + 2 * n2) if n1 else 0.5


def interpolated(a, t, k, D, q):
    """(3)"""
    return [(max(x - D, 0) + D * y * z) / s if s else z for x, s, y, z in zip(a, t, k, q)]


class Model:
    """All counts of all m-grams of marked sequences, and the probability of a symbol by recursion."""

    def __init__(self, sequences, order):
        marked = [(MARK, *sequence, END) for sequence in sequences]
        self.V, self.order = len({symbol for sequence in marked for symbol in sequence} - {MARK}), order
        met = {m: Counter(s[i:i + m] for s in marked for i in range(len(s) - m + 1) if s[i + m - 1] != MARK)
               for m in range(1, order + 1)}
        self.counts = {}
        for m in range(1, order + 1):
            self.counts[m] = {g: met[m][g] if m == order or g[0] == MARK else sum(1 for longer in met[m + 1]
                                                                                  if longer[1:] == g) for g in met[m]}

    def probability(self, w, before):
        """p(w | before), `before` without the mark."""
        context = (MARK, *before)
        return self.of_order(min(self.order, len(context) + 1), w, context)

    def of_order(self, m, w, context):
        if m == 0:
            return 1 / self.V
        u = context[len(context) - m + 1:]
        followed = {g: count for g, count in self.counts[m].items() if g[:-1] == u}
        q = self.of_order(m - 1, w, context)
        D = discount(list(self.counts[m].values()))
        return interpolated([followed.get((*u, w), 0)], [sum(followed.values())], [len(followed)], D, [q])[0]
