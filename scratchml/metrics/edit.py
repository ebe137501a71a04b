"""How far apart are two sequences: how many symbols must be replaced, deleted or inserted to make one of the other?

A recogniser hears "the cats at" where "the cat sat" was said; place by place nearly nothing is right, and yet little is
wrong.  The edit distance is the least number of symbols to replace, delete or insert; the alignment shows which.
Summed over a test and divided by how much there was to find, it is the error rate by which recognisers of speech and
writing, translators from spelling to sound and all that answer with sequences are judged: of words (WER), characters
(CER), phones (PER), as the symbols are.

The table (1) holds the distances of all beginnings of a and b.  Two neighbours in it differ by at most 1, so a column
is told by two bits a row: is it one more than the row above, or one less?  A machine word holds 62 rows of a column,
and fifteen operations on words make the next column of it, whatever the symbols are.

Symbols
    a, b  (I), (J)      two sequences, of any hashable symbols: a_i, b_j
    d     (I+1, J+1)    d_ij, the distance of the first i symbols of a from the first j of b
    P     (S, 2)        alignment: in each row a place in a and one in b, from 0, or -1 where there is none
    A, B  (N), (N)      N sequences each: those that are right, and those that were found
    [ ]                 1 where the statement holds, else 0

Equations
    (1)  d_ij = min(d_{i-1,j-1} + [a_i ≠ b_j], d_{i-1,j} + 1, d_{i,j-1} + 1), d_i0 = i, d_0j = j    distance_table
    (2)  D(a, b) = d_IJ                                                                             edit_distance
    (3)  P = the way from d_IJ back to d_00, over the first term of (1) that is least, in reverse   edit_alignment
    (4)  rate = Σ_n D(A_n, B_n) / Σ_n |A_n|                                                         error_rate
    (5)  share = Σ_n [A_n = B_n] / N                                                                exact_match

Choices
    A string is the sequence of its characters.  Symbols are the same where they are the same key of a dict: 1 is 1.0,
    not "1".  What is not equal to itself, such as NaN, is no symbol.
    Of several alignments of least cost (3) takes one: from the end, a pair of symbols rather than a deletion, and that
    rather than an insertion.
    (4) weighs symbols alike, not sequences, and counts insertions: it may be above 1.

Cost
    O(I J / 62) time for (2) and (3), O(I J) for (1).  (2) takes O(J) memory; (3) I J / 62 bytes.

>>> edit_distance("intention", "execution"), edit_distance(["the", "cat"], ["the", "cats", "at"])
(5, 2)
>>> edit_alignment("ab", "bcd").tolist()
[[-1, 0], [0, 1], [1, 2]]
>>> true, found = ["cat", "dogs"], ["cat", "dig"]
>>> round(error_rate(true, found), 6), exact_match(true, found)        # 2 of 7 characters; 1 of 2 words
(0.285714, 0.5)

Source: R. Wagner and M. Fischer, "The string-to-string correction problem", J. ACM 21 (1974), for (1) to (3); G. Myers,
"A fast bit-vector algorithm for approximate string matching based on dynamic programming", J. ACM 46 (1999), and H.
Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic J. Computing 10 (2003), for
words.
"""
from collections import defaultdict
from itertools import chain, count

import numpy as np

from scratchml.core.checks import in_order, unmasked
from scratchml.core.jit import kernel, run_chunks

ROWS = 62                                                # of a column in a word: the sum of two stays below 2^63


# --- two sequences -------------------------------------------------------------------------------


def distance_table(a, b):
    """(1)  d_ij = min(d_{i-1,j-1} + [a_i ≠ b_j], d_{i-1,j} + 1, d_{i,j-1} + 1), d_i0 = i, d_0j = j

    Shapes: a (I), b (J) -> (I+1, J+1)
    """
    numbers, places, _ = _numbered([_sequence(a, "a")], [_sequence(b, "b")])
    d = np.empty(places[:, 1] - places[:, 0] + 1, np.int64)
    _fill(numbers[:places[0, 1]], numbers[places[1, 0]:], d)
    return d


def edit_distance(a, b):
    """(2)  D(a, b) = d_IJ

    Of many pairs `edit_distances` takes much less time than as many calls.
    Raises ValueError for what is no sequence, and for symbols that cannot be told apart.

    Shapes: a (I), b (J) -> ()

    Parameters
    ----------
    a, b : str, list (I,) or (J,) of symbols
        The two sequences; a string is its characters.
    """
    return int(_distances([_sequence(a, "a")], [_sequence(b, "b")])[0])


def edit_alignment(a, b):
    """(3)  P = the way from d_IJ back to d_00, over the first term of (1) that is least, in reverse

    A row (i, j) keeps a[i], if it equals b[j], or replaces it by b[j]; (i, -1) deletes a[i]; (-1, j) inserts b[j].
    Errors are those of `edit_distance`.

    Shapes: a (I), b (J) -> (S, 2)

    Parameters
    ----------
    a, b : str, list (I,) or (J,) of symbols
        The two sequences; a string is its characters.
    """
    return _alignments([_sequence(a, "a")], [_sequence(b, "b")])[0]


# --- many pairs of sequences ----------------------------------------------------------------------


def edit_distances(true, found):
    """(2) of each pair of sequences, (N,).

    Raises ValueError for what is no list of sequences, for lists of two lengths, and for symbols that cannot be told
    apart; so do the functions below.

    Parameters
    ----------
    true, found : list (N,) of sequences
        Strings, or lists of symbols.
    """
    return _distances(*_lists(true, found))


def edit_alignments(true, found):
    """(3) of each pair of sequences, a list of N arrays (S, 2).  Errors are those of `edit_distances`.

    Parameters
    ----------
    true, found : list (N,) of sequences
        Strings, or lists of symbols.
    """
    return _alignments(*_lists(true, found))


def error_rate(true, found):
    """(4)  rate = Σ_n D(A_n, B_n) / Σ_n |A_n|

    Of characters for strings; of words for strings that are split, [text.split() for text in texts].
    Errors are those of `edit_distances`, and no symbol at all in `true`.

    Shapes: A (N), B (N) -> ()

    Parameters
    ----------
    true : list (N,) of sequences
        What is right: strings, or lists of symbols.
    found : list (N,) of sequences
        What is judged.
    """
    A, B = _lists(true, found)
    length = sum(map(len, A))
    if not length:
        raise ValueError("true: expected at least one symbol, got none; a rate is a share of what there is to find")
    return float(_distances(A, B).sum() / length)


def exact_match(true, found):
    """(5)  share = Σ_n [A_n = B_n] / N

    Errors are those of `edit_distances`, and no sequence at all.

    Shapes: A (N), B (N) -> ()

    Parameters
    ----------
    true : list (N,) of sequences
        What is right: strings, or lists of symbols.
    found : list (N,) of sequences
        What is judged.
    """
    A, B = _lists(true, found)
    if not A:
        raise ValueError("true: expected at least one sequence, got none")
    return float((_distances(A, B) == 0).mean())


# --- sequences as numbers -------------------------------------------------------------------------


def _lists(true, found):
    """Both as lists of strings and lists of symbols, of one length."""
    A, B = _listed(true, "true"), _listed(found, "found")
    if len(A) != len(B):
        raise ValueError(f"true has {len(A)} sequences, found {len(B)}; expected the same number")
    return A, B


def _listed(sequences, name):
    if not in_order(sequences):
        raise ValueError(f"{name}: expected a list of sequences, got {sequences!r:.40}; put a single one into a list")
    if isinstance(sequences, list) and set(map(type, sequences)) <= {str, list}:
        return sequences                                 # nothing to do, 100,000 times
    sequences = list(unmasked(sequences, name))
    return [_sequence(sequence, f"{name}[{n}]") for n, sequence in enumerate(sequences)]


def _sequence(sequence, name):
    """A string as it is, all else as a list of symbols."""
    if isinstance(sequence, str):
        return sequence
    if isinstance(sequence, bytes):
        raise ValueError(f"{name}: expected a string or a list of symbols, got bytes; decode them, or pass "
                         f"list({name})")
    if not in_order(sequence):
        raise ValueError(f"{name}: expected a string or a list of symbols, got {sequence!r:.40}")
    sequence = unmasked(sequence, name)
    plain = isinstance(sequence, np.ndarray) and sequence.ndim == 1 and sequence.dtype.kind in "biufUO"
    return sequence.tolist() if plain else list(sequence)


def _numbered(A, B):
    """All symbols of A, then of B, as numbers below V; where each sequence begins in them (2, N+1); and V."""
    every = A + B
    starts = np.append(0, np.cumsum(np.fromiter(map(len, every), np.int64, len(every))))
    places = np.stack([starts[:len(A) + 1], starts[len(A):]])
    try:
        numbers, V = _characters("".join(every))
    except TypeError:                                    # one of them is a list
        numbers, V = _symbols(every, int(starts[-1]))
    return numbers, places, V


def _characters(text):
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    most = int(codes.max(initial=0)) + 1
    if most > 4 * codes.size + 1024:                     # few characters of high numbers
        there, codes = np.unique(codes, return_inverse=True)
        return codes, there.size
    return codes, most


def _symbols(sequences, R):
    number = defaultdict(count().__next__)               # a new key gets the next number
    try:
        numbers = np.fromiter(map(number.__getitem__, chain.from_iterable(sequences)), np.int64, R)
    except TypeError as error:
        raise ValueError(f"expected symbols that can be keys of a dict: {error}") from None
    for symbol in number:
        if not _equals_itself(symbol):
            raise ValueError(f"{symbol!r} is not equal to itself, so it can be no symbol; leave it out, or put None in "
                             "its place")
    return numbers, len(number)


def _equals_itself(symbol):
    try:
        return bool(symbol == symbol)
    except TypeError:                                    # pandas.NA says that it does not know
        return False


def _distances(A, B):
    numbers, places, V = _numbered(A, B)
    D, chunk = np.empty(len(A), np.int64), _pairs_at_once(places, V)
    longest = np.diff(places).max(initial=0)
    masks, h = np.zeros((-(-len(A) // chunk), V), np.int64), np.empty((-(-len(A) // chunk), longest), np.int8)
    if len(A):
        run_chunks(_distances_of, len(A), numbers, places, masks, h, D, chunk=chunk)
    return D


def _alignments(A, B):
    numbers, places, V = _numbered(A, B)
    sizes, chunk = np.zeros(len(A), np.int64), _pairs_at_once(places, V)
    starts = places[0] + places[1] - places[1, 0]        # where the rows of each pair begin: there are at most I + J
    masks, P = np.zeros((-(-len(A) // chunk), V), np.int64), np.empty((starts[-1], 2), np.int64)
    if len(A):
        run_chunks(_alignments_of, len(A), numbers, places, masks, P, sizes, chunk=chunk)
    ends = starts[1:].tolist()
    return [P[end - size:end] for end, size in zip(ends, sizes.tolist())]


def _pairs_at_once(places, V):
    """How many pairs a chunk has: enough to be worth it, and so many that tables of V numbers a chunk stay small."""
    I, J = np.diff(places)
    columns = int(((I // ROWS + 1) * (J + 20)).sum())    # 20 for all that a pair costs beside its columns
    chunks = min(64, 1 + columns // 40_000, 1 + 4 * int(places[1, -1]) // max(V, 1))
    return max(1, -(-len(I) // chunks))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _fill(a, b, d):
    """(1) into d (I+1, J+1)."""
    for j in range(b.size + 1):
        d[0, j] = j
    for i in range(1, a.size + 1):
        d[i, 0] = i
        for j in range(1, b.size + 1):
            least = min(d[i - 1, j], d[i, j - 1]) + 1
            d[i, j] = min(d[i - 1, j - 1] + (a[i - 1] != b[j - 1]), least)


@kernel
def _strip(a, b, masks, h, same, down):
    """At most 62 rows of (1), column by column.

    a (R) are the symbols of these rows, `masks` (V) is 0, and is 0 again afterwards.  h (J) holds d_ij - d_{i,j-1} of
    the row above, and then of the last of these rows.  Bit i of same[j] is to tell whether d_ij = d_{i-1,j-1}, of
    down[j] whether d_ij = d_{i-1,j} + 1; without room for them, they are not kept.
    """
    for i in range(a.size):
        masks[a[i]] |= 1 << i
    last, every = a.size - 1, (1 << a.size) - 1
    more, less = every, 0                                # rows that are one more than the row above, or one less
    for j in range(b.size):
        above_more, above_less = int(h[j] > 0), int(h[j] < 0)
        equal = masks[b[j]] | above_less
        zero = (((equal & more) + more) ^ more) | equal | less         # d_ij = d_{i-1,j-1}: the sum carries it down
        right_more, right_less = less | ~(zero | more), zero & more    # d_ij against d_{i,j-1}
        h[j] = ((right_more >> last) & 1) - ((right_less >> last) & 1)
        right_more, right_less = right_more << 1 | above_more, right_less << 1 | above_less
        more, less = (right_less | ~(zero | right_more)) & every, right_more & zero & every
        if same.size:
            same[j], down[j] = zero, more
    for i in range(a.size):
        masks[a[i]] = 0


@kernel
def _distances_of(c, start, stop, numbers, places, masks, h, D):
    """Same result as (2), because d_IJ = d_I0 + Σ_j (d_Ij - d_{I,j-1}).

    What both begin with, and what both end with, is passed over: to keep equal symbols never costs more.
    """
    nothing = np.empty(0, np.int64)
    for n in range(start, stop):
        a, b = numbers[places[0, n]:places[0, n + 1]], numbers[places[1, n]:places[1, n + 1]]
        if a.size > b.size:                              # the distance is symmetric, and then there are fewer strips
            a, b = b, a
        first, I, J = 0, a.size, b.size
        while first < I and a[first] == b[first]:
            first += 1
        while I > first and a[I - 1] == b[J - 1]:
            I, J = I - 1, J - 1
        total, along = I - first, h[c, first:J]
        along[:] = 1
        for i in range(first, I, ROWS):
            _strip(a[i:min(i + ROWS, I)], b[first:J], masks[c], along, nothing, nothing)
        for j in range(along.size):
            total += along[j]
        D[n] = total


@kernel
def _alignments_of(c, start, stop, numbers, places, masks, P, sizes):
    """Same result as (3): the way back needs two bits of each cell.

    They are kept for one strip alone.  Of the strips above it the differences along their last rows are, from which the
    bits are made once more when the way has come there.
    """
    nothing = np.empty(0, np.int64)
    for n in range(start, stop):
        a, b = numbers[places[0, n]:places[0, n + 1]], numbers[places[1, n]:places[1, n + 1]]
        i, j, end = a.size, b.size, places[0, n + 1] + places[1, n + 1] - places[1, 0]
        at, strips = end, -(-i // ROWS)
        h, bits = np.ones((max(strips, 1), j), np.int8), np.empty((2, j), np.int64)      # row s: above strip s
        for s in range(strips - 1):
            h[s + 1] = h[s]
            _strip(a[s * ROWS:(s + 1) * ROWS], b, masks[c], h[s + 1], nothing, nothing)
        for s in range(strips - 1, -1, -1):
            _strip(a[s * ROWS:i], b[:j], masks[c], h[s, :j], bits[0, :j], bits[1, :j])
            while i > s * ROWS and j > 0:
                row = i - 1 - s * ROWS
                at -= 1
                if a[i - 1] == b[j - 1] or not bits[0, j - 1] >> row & 1:
                    i, j = i - 1, j - 1
                    P[at, 0], P[at, 1] = i, j
                elif bits[1, j - 1] >> row & 1:
                    i -= 1
                    P[at, 0], P[at, 1] = i, -1
                else:
                    j -= 1
                    P[at, 0], P[at, 1] = -1, j
            if j == 0:
                break
        while i > 0:
            i, at = i - 1, at - 1
            P[at, 0], P[at, 1] = i, -1
        while j > 0:
            j, at = j - 1, at - 1
            P[at, 0], P[at, 1] = -1, j
        sizes[n] = end - at
