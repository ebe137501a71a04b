"""Edit distances and alignments of many pairs: ours, and rapidfuzz's, in C++."""
import numpy as np

from benchmarks import Case, close, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.metrics import edit_alignments, edit_distance, edit_distances


def pairs(N, length, V, edits):
    """N strings of about `length` of V letters, and each after some edits at random places."""
    rng = np.random.default_rng(0)
    letters = np.array([chr(97 + v) for v in range(V)] if V <= 26 else [f"P{v}" for v in range(V)])
    true = [letters[rng.integers(V, size=n)].tolist() for n in rng.poisson(length, size=N)]
    found = []
    for symbols in true:
        made = list(symbols)
        for at in rng.integers(len(made) + 1, size=rng.poisson(edits)):
            made[at:at + rng.integers(2)] = letters[rng.integers(V, size=rng.integers(2))].tolist()
        found.append(made)
    return true, found


def strings(*sizes):
    return tuple(["".join(symbols) for symbols in some] for some in pairs(*sizes))


def one_by_one(true, found):
    return np.array([edit_distance(a, b) for a, b in zip(true, found)])


@peer("rapidfuzz")
def rapidfuzz(true, found):
    from rapidfuzz.distance import Levenshtein
    return np.array([Levenshtein.distance(a, b) for a, b in zip(true, found)])


@peer("rapidfuzz")
def rapidfuzz_cpdist(true, found):
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cpdist
    return cpdist(true, found, scorer=Levenshtein.distance, workers=-1)


@peer("rapidfuzz")
def rapidfuzz_alignments(true, found):
    from rapidfuzz.distance import Levenshtein
    return [Levenshtein.editops(a, b) for a, b in zip(true, found)]


def same_costs(theirs, ours):
    """Alignments of one cost: of several of least cost each may take another."""
    for some, rows in zip(theirs, ours, strict=True):
        assert (rows < 0).sum() <= len(some) <= len(rows)


DISTANCES = {"scratchml": edit_distances, "rapidfuzz": rapidfuzz, "cpdist": rapidfuzz_cpdist}
ALIGNMENTS = {"scratchml": edit_alignments, "rapidfuzz": rapidfuzz_alignments}
SIZES = {"100,000 words of 9 letters": (strings, 100_000, 9, 26, 2),
         "100,000 lines of 40 letters": (strings, 100_000, 40, 26, 8),
         "100,000 lists of 7 phones": (pairs, 100_000, 7, 39, 2),
         "200 pages of 3,000 letters": (strings, 200, 3000, 26, 400)}

CASES = [Case(f"{what}: {name}", lambda make=make, sizes=sizes: make(*sizes), contenders, agree)
         for name, (make, *sizes) in SIZES.items()
         for what, contenders, agree in (("distances", DISTANCES, close()), ("alignments", ALIGNMENTS, same_costs))]
CASES.append(Case("distances: 3,000 words of 9 letters, a call each", lambda: strings(3000, 9, 26, 2),
                  {"scratchml": one_by_one, "rapidfuzz": rapidfuzz}))
