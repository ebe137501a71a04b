"""The last look at a list: leave out what must not be shown, let what is old sink, and keep to the user's proportions.

Scores say how good an item is by itself, as far as its past goes.  So the candidates, some hundred a user, are looked
at once more.  What is no longer sold sinks, or what is old beside its votes, or too short or too long (1 to 4); another
recommender has its say (5); what must not be shown goes (6), and no group has more than its few places (7).  At last
a list may be chosen so that it is of the categories that the user likes, in his proportions (8): who
buys seven cheap things in ten is shown seven.  `diversify` has the ways to choose items that are unlike each other.

Symbols
    R, s  (U, N), (U, N)  candidates of each user, the best first, and their scores; -1 and -inf where a list is over
    a     (M,)     ages of items
    h              a half-life, the age at which an item counts half
    v, γ  (M,), () votes for items, their own author's too; how fast age outweighs them
    l, b  (M,), () lengths of items, such as of texts, or prices; the one that is liked best
    σ              how much ln l may differ from ln b
    f     (M,)     factors of items, at least 0
    α, y  (), (U, N)  how much s counts, and other scores of the same candidates; S and Y are both, taken to 0 ... 1
    w              how strongly factors count
    ok    (M,)     whether an item may be shown
    g     (M,)     the group of each item, a number from 0
    m              how many of a group may be in a list
    p     (U, C)   shares of categories that a user likes
    G     (M, C)   how much of an item is of each category
    n              how many items are chosen
    t, KL          how much proportions count against scores, from 0 to 1; the divergence of two of them

Equations
    (1)  f = 2^-(a / h)                                                                   half_life_decay
    (2)  f = (v - 1) / (a + 2)^γ                                                          gravity
    (3)  f = e^(-(ln l - ln b)² / 2σ²)                                                    length_preference
    (4)  s'_ui = s_ui f_j^w, j = R_ui, in the order of s'                                 rescored
    (5)  s' = α S + (1 - α) Y, S and Y the s and y of a user taken to 0 ... 1, in its order    blended
    (6)  R' = the R_ui for which ok is                                                    filtered
    (7)  R' = the R_ui of which fewer than m of their group come before                   capped
    (8)  next = argmax_i (1 - t) s_ui - t KL(p_u, shares of chosen + i)                   calibrated

Choices
    An item comes once in a list.  What is left keeps its order, and of equals the one that stands first is taken.
    (4) multiplies, so it refuses scores below 0: there a small factor would lift an item.  Of scores s = e^z it is the
    order of z + w ln f.  Ages in (2) are in hours where news is meant, whose γ is 1.8 by custom.
    Scores of two recommenders are of two scales, so (5) takes both to 0 ... 1, by their least and greatest, or by their
    ranks, of which equals share the mean: one score far from all others then counts no more than its place.
    Scores and proportions are weighed against each other in (8), so they must be of one scale; `scaled` takes the
    scores of each user to 0 ... 1.  KL is that of `metrics.diversity`, with 0.01 of p mixed into the shares.

Cost
    (4) and (5): O(U N log N), (6) and (7): O(U N) up to a logarithm, (8): O(U N n C).

>>> items, scores = np.array([[0, 1, 2, 3]]), np.array([[0.9, 0.8, 0.7, 0.1]])
>>> capped(items, scores, [7, 7, 2, 7], 1)[0].tolist(), filtered(items, scores, [True, False, True, True])[0].tolist()
([[0, 2, -1, -1]], [[0, 2, 3, -1]])
>>> rescored(items, scores, half_life_decay([7., 0, 14, 0], 7))[0].tolist()
[[1, 0, 2, 3]]
>>> calibrated(items, scores, [[0.5, 0.5]], [[1., 0], [1, 0], [1, 0], [0, 1]], 2)[0].tolist()
[[0, 3]]

Source: H. Steck, "Calibrated recommendations", RecSys 2018, section 4, for (8).
"""
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import as_floats, as_vector, one_of, real_number, unmasked, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.sparse import whole_numbers
from scratchml.metrics.diversity import check_categories

MIXED = 0.01                                             # of p, in (8)

# --- factors ----------------------------------------------------------------------


def half_life_decay(ages, half_life):
    """(1)  f = 2^-(a / h)

    Raises ValueError for ages below 0 or not finite, and a half-life that is not above 0.

    Shapes: a (M), h -> (M)

    Parameters
    ----------
    ages : array (M,)
        Such as days since an item was last sold, or first.
    half_life : float
        The age at which an item counts half.
    """
    a = at_least(as_vector(ages, name="ages"), 0, "ages")
    return np.exp2(-a / real_number(half_life, "half_life", above=0))


def gravity(votes, ages, exponent=1.8):
    """(2)  f = (v - 1) / (a + 2)^γ

    Raises ValueError for votes below 1, ages below 0, values that are not finite, and an exponent below 0.

    Shapes: v (M), a (M), γ -> (M)

    Parameters
    ----------
    votes : array (M,)
        How many have voted for an item, its author among them.
    ages : array (M,)
        Such as hours since it appeared.
    exponent : float, default=1.8
        How fast age outweighs votes.
    """
    v = at_least(as_vector(votes, name="votes"), 1, "votes")
    a = at_least(as_vector(ages, name="ages", size=v.size), 0, "ages")
    with np.errstate(over="ignore"):                     # of what is too old to be seen
        return (v - 1) / (a + 2.0) ** real_number(exponent, "exponent")


def length_preference(lengths, best, spread=1.0):
    """(3)  f = e^(-(ln l - ln b)² / 2σ²)

    Raises ValueError for lengths that are not above 0 or not finite, and a best one or a spread that is not above 0.

    Shapes: l (M), b, σ -> (M)

    Parameters
    ----------
    lengths : array (M,)
        Words of a text, minutes of a film, a price.
    best : float
        The length that counts in full.
    spread : float, default=1.0
        How far a length may be off, as a natural logarithm: b e^σ counts 0.61.
    """
    l = as_vector(lengths, name="lengths").astype(np.float64)
    if l.size and l.min() <= 0:
        raise ValueError(f"lengths: expected lengths above 0, got {l.min()} at {l.argmin()}")
    off = (np.log(l) - np.log(real_number(best, "best", above=0))) / real_number(spread, "spread", above=0)
    return np.exp(-np.minimum(np.abs(off), 1e3) ** 2 / 2)                # e to -500,000 is 0 in any case


# --- scores, filters, caps -----------------------------------------------------------------------


def rescored(items, scores, factors, weight=1.0):
    """(4)  s'_ui = s_ui f_j^w, j = R_ui, in the order of s'

    Items and scores, (U, N) each.  Raises ValueError for lists that are none, scores or factors below 0.

    Shapes: R (U, N), s (U, N), f (M), w -> (U, N), (U, N)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first, as `recommend` gives them.
    scores : array (U, N) or (N,)
        And their scores.
    factors : array (M,)
        A factor for each item.
    weight : float, default=1.0
        How strongly factors count.
    """
    R, s, flat = read_candidates(items, scores)
    f, w = as_vector(factors, name="factors"), real_number(weight, "weight")
    check_items(R, f.size, "factors")
    if f.size and f.min() < 0:
        raise ValueError(f"factors: expected numbers of at least 0, got {f.min()} for item {f.argmin()}")
    least = s.min(where=R >= 0, initial=0)
    if least < 0:
        raise ValueError(f"scores: {least} is below 0, and a small factor would lift it; subtract the least score of "
                         "each user before, or use scaled(items, scores)")
    with np.errstate(over="ignore", invalid="ignore"):
        s = np.where(R >= 0, s * f[R] ** w, -np.inf)
    if not np.isfinite(s[R >= 0]).all():
        raise ValueError(f"factors: the greatest is {f.max():.3g}, and scores times such factors to the power {w} "
                         "cannot be held in float64; divide them by the greatest")
    return as_given(*in_order_of(R, s), flat)


def blended(items, scores, others, weight=0.5, *, by="range"):
    """(5)  s' = α S + (1 - α) Y, S and Y the s and y of a user taken to 0 ... 1, in its order

    Items and their new scores, (U, N) each.  Raises ValueError for lists that are none, other scores that are not of
    the same candidates, and a weight out of range.

    Shapes: R (U, N), s (U, N), y (U, N), α -> (U, N), (U, N)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores, such as by what others have.
    others : array (U, N) or (N,)
        Scores of the same candidates by another recommender, such as by content.
    weight : float, default=0.5
        α, from 0 to 1: how much `scores` count.
    by : {"range", "rank"}, default="range"
        How scores are taken to 0 ... 1.
    """
    to_one = {"range": scaled, "rank": _ranks}[one_of(by, "by", ("range", "rank"))]
    R, s, flat = read_candidates(items, scores)
    _, y, _ = read_candidates(items, others, "others")
    α = share_of(weight, "weight")
    S, Y = (np.where(R >= 0, to_one(R, one), 0) for one in (s, y))
    return as_given(*in_order_of(R, np.where(R >= 0, α * S + (1 - α) * Y, -np.inf)), flat)


def filtered(items, scores, allowed):
    """(6)  R' = the R_ui for which ok is

    Those that are left move up; lists end with -1 and -inf.  Raises ValueError for lists that are none, and `allowed`
    that is not of True and False.

    Shapes: R (U, N), s (U, N), ok (M) -> (U, N), (U, N)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores.
    allowed : array (M,) of bool
        Whether each item may be shown.
    """
    R, s, flat = read_candidates(items, scores)
    ok = np.asarray(unmasked(allowed, "allowed"))
    if ok.ndim != 1 or ok.dtype != bool:
        raise ValueError(f"allowed: expected an array (M,) of bool, got dtype {ok.dtype} and shape {ok.shape}")
    check_items(R, ok.size, "allowed")
    return as_given(*_closed_up(R, s, (R >= 0) & ok[R]), flat)


def capped(items, scores, groups, most):
    """(7)  R' = the R_ui of which fewer than m of their group come before

    Those that are left move up; lists end with -1 and -inf.  Raises ValueError for lists that are none, groups that are
    no numbers from 0, and `most` below 1.

    Shapes: R (U, N), s (U, N), g (M), m -> (U, N), (U, N)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores.
    groups : array (M,) of int
        The group of each item: a brand, a category, a band of prices.
    most : int
        How many of a group a list may have.
    """
    R, s, flat = read_candidates(items, scores)
    g, m = whole_numbers(groups, "groups"), whole_number(most, "most")
    check_items(R, g.size, "groups")
    if g.size and g.min() < 0:
        raise ValueError(f"groups: expected numbers from 0, got {g.min()} for item {g.argmin()}")
    group = np.where(R >= 0, g[R], -1)
    order = np.argsort(group, axis=1, kind="stable")     # within a group as in the list
    ordered = np.take_along_axis(group, order, 1)
    begins = np.concatenate([np.ones((len(R), 1), bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    place = np.arange(R.shape[1])
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    before = np.empty_like(order)
    np.put_along_axis(before, order, place - first, 1)
    return as_given(*_closed_up(R, s, (R >= 0) & (before < m)), flat)


def scaled(items, scores):
    """Scores (U, N) of each user moved and stretched to 0 ... 1; 1 where all are equal.

    Raises ValueError for lists that are none.

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores.
    """
    R, s, flat = read_candidates(items, scores)
    most = np.where(R >= 0, s, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    least = np.where(R >= 0, s, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    with np.errstate(invalid="ignore", over="ignore"):   # of a user without candidates
        widths = most / 2 - least / 2                    # half of it, which cannot be too large
        s = np.where(R >= 0, np.where(widths > 0, (s / 2 - least / 2) / np.where(widths > 0, widths, 1), 1), -np.inf)
    return s[0] if flat else s


# --- in proportion -------------------------------------------------------------------------------


def calibrated(items, scores, taste, categories, n=10, *, trade_off=0.5):
    """(8)  next = argmax_i (1 - t) s_ui - t KL(p_u, shares of chosen + i)

    Items and their scores, (U, n) each; where there are fewer candidates, lists end with -1 and -inf.
    Raises ValueError for lists that are none, shares that do not add up to 1, and parameters out of range.

    Shapes: R (U, N), s (U, N), p (U, C), G (M, C), n -> (U, n), (U, n)

    Parameters
    ----------
    items : array (U, N) or (N,) of int
        Candidates, the best first.
    scores : array (U, N) or (N,)
        And their scores.
    taste : array (U, C) or (C,)
        What each user likes, as `metrics.category_shares` finds it.
    categories : array (M, C)
        How much of each item is of each category.
    n : int, default=10
        How many are chosen.
    trade_off : float, default=0.5
        t, from 0 to 1: how much the proportions count.
    """
    R, s, flat = read_candidates(items, scores)
    G, t = check_categories(categories), share_of(trade_off, "trade_off")
    p = as_floats(taste, "taste").astype(np.float64)
    p = np.ascontiguousarray(p[None] if flat and p.ndim == 1 else p)
    check_items(R, len(G), "categories")
    if p.shape != (len(R), G.shape[1]) or not (p >= 0).all() or (abs(p.sum(axis=1) - 1) > 1e-6).any():
        raise ValueError(f"taste: expected shares (U, C) of {len(R)} users and {G.shape[1]} categories that add up to "
                         f"1, got shape {p.shape}; metrics.category_shares makes them")
    chosen = np.full((len(R), whole_number(n, "n")), -1)
    run_chunks(_calibrated, len(R), R, np.where(R >= 0, s, 0.0), _Aim(p, G, t), chosen, chunk=8)
    return as_given(*at_places(R, s, chosen), flat)


class _Aim(NamedTuple):
    p: np.ndarray                                        # (U, C)
    G: np.ndarray                                        # (M, C)
    t: float


# --- lists, and what stands in them --------------------------------------------------------------


def read_candidates(items, scores, name="scores"):
    """Candidates (U, N) int64 and scores (U, N) float64, and whether they were given as those of one user."""
    R, s = np.asarray(unmasked(items, "items")), as_floats(scores, name).astype(np.float64)
    flat = R.ndim == 1
    R = R[None] if flat else R
    s = s[None] if s.ndim == 1 else s
    if R.ndim != 2 or R.shape != s.shape or not R.size:
        raise ValueError(f"items, {name}: expected candidates (U, N) and as many scores, got shapes {R.shape} and "
                         f"{s.shape}")
    R = whole_numbers(R.ravel(), "items").reshape(R.shape)
    if (R < -1).any() or ((R[:, :-1] < 0) & (R[:, 1:] >= 0)).any():
        raise ValueError("items: expected items from 0, and -1 only after the end of a list")
    ordered = np.sort(R, axis=1)
    again = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if again.any():
        raise ValueError(f"items: the list of user {again.any(axis=1).argmax()} has an item twice")
    if not np.isfinite(s[R >= 0]).all():
        raise ValueError(f"{name}: expected a finite score for each candidate, got NaN or infinity; take items out "
                         "that must not be shown, -1 after the end of a list")
    return R, np.where(R >= 0, s, -np.inf), flat


def check_items(R, M, name):
    if R.max(initial=-1) >= M:
        raise ValueError(f"{name}: expected one for each item, there are {M}, and item {R.max()} is among the "
                         "candidates")


def at_least(x, least, name):
    """`x` itself, if it has nothing below `least`.  Raises ValueError."""
    if x.size and x.min() < least:
        raise ValueError(f"{name}: expected {name} of at least {least}, got {x.min()} at {x.argmin()}")
    return x


def in_order_of(R, s):
    """Lists and their scores (U, N) in the order of the scores, equals as they stood."""
    order = np.argsort(-s, axis=1, kind="stable")
    return np.take_along_axis(R, order, 1), np.take_along_axis(s, order, 1)


def _ranks(R, s):
    """The share of a user's other candidates that are below each, of equals half; 1 for one that is alone."""
    here = R >= 0
    below = np.array([(np.searchsorted(np.sort(row), row, "left") + np.searchsorted(np.sort(row), row, "right") - 1) / 2
                      for row in np.where(here, s, np.inf)])
    others = here.sum(axis=1, keepdims=True) - 1
    return np.where(others > 0, below / np.maximum(others, 1), 1.0)


def share_of(value, name):
    if not 0 <= real_number(value, name) <= 1:
        raise ValueError(f"{name}={value!r}: expected a number from 0 to 1")
    return float(value)


def as_given(R, s, flat):
    R = R.astype(np.int32)
    return (R[0], s[0]) if flat else (R, s)


def _closed_up(R, s, kept):
    """Only what is `kept` (U, N), in its order."""
    order = np.argsort(~kept, axis=1, kind="stable")
    kept = np.take_along_axis(kept, order, 1)
    return (np.where(kept, np.take_along_axis(one, order, 1), none) for one, none in ((R, -1), (s, -np.inf)))


def at_places(R, s, chosen):
    """The items and scores at the places `chosen` (U, n), -1 for none."""
    return (np.where(chosen >= 0, np.take_along_axis(one, np.maximum(chosen, 0), 1), none) for one,
            none in ((R, -1), (s, -np.inf)))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _calibrated(c, start, stop, R, s, aim, chosen):
    """(8) for the users start ... stop-1; total is how much of each category the chosen have."""
    p, G, t = aim
    N, C = R.shape[1], G.shape[1]
    total, taken = np.empty(C), np.empty(N, np.bool_)
    for u in range(start, stop):
        total[:], taken[:] = 0, False
        for k in range(chosen.shape[1]):
            best, gain = -1, -np.inf
            for i in range(N):
                if R[u, i] < 0:
                    break
                if not taken[i]:
                    value = (1 - t) * s[u, i] - t * _divergence(p[u], total, G[R[u, i]])
                    if value > gain:
                        best, gain = i, value
            if best < 0:
                break
            chosen[u, k], taken[best] = best, True
            total += G[R[u, best]]


@kernel
def _divergence(p, total, more):
    """KL(p, shares of total + more), with MIXED of p in the shares; those of nothing are 0."""
    whole, off = 0.0, 0.0
    for c in range(p.size):
        whole += total[c] + more[c]
    for c in range(p.size):
        if p[c] > 0:
            share = (total[c] + more[c]) / whole if whole > 0 else 0.0
            off += p[c] * np.log(p[c] / ((1 - MIXED) * share + MIXED * p[c]))
    return off
