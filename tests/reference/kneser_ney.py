"""Kneser-Ney by definition: m-grams are tuples, counted one by one, and the probability is a recursion."""
from collections import Counter

MARK, END = ("mark",), ("end",)


def continuations(of, G):
    """(1)  `of` lists with which m-gram each different (m+1)-gram ends."""
    return [sum(1 for one in of if one == g) for g in range(G)]


def discounts(c):
    """(2)"""
    n = [sum(1 for count in c if count == i) for i in range(5)]
    found = [0.0]
    for i in (1, 2, 3):
        try:
            D = i - (i + 1) * (n[i + 1] / n[i]) * (n[1] / (n[1] + 2 * n[2]))
        except ZeroDivisionError:
            D = -1
        found.append(D if n[1] and 0 < D < i else i / 2)
    return found


def interpolated(a, t, s, D, q):
    """(3)"""
    return [(x - D[min(x, 3)] + y * z) / total if total else z for x, total, y, z in zip(a, t, s, q)]


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
        D = discounts(list(self.counts[m].values()))
        share = sum(D[min(count, 3)] for count in followed.values())
        return interpolated([followed.get((*u, w), 0)], [sum(followed.values())], [share], D, [q])[0]
