"""Edit distances, and the cost of alignments, agree with rapidfuzz's."""
import numpy as np
import pytest

from scratchml.metrics import edit_alignments, edit_distances
from tests.strategies.edit import edited

Levenshtein = pytest.importorskip("rapidfuzz.distance").Levenshtein


@pytest.mark.parametrize("longest, V", [(8, 3), (150, 4), (400, 30)])
def test_edit_distances(longest, V):
    rng = np.random.default_rng(longest)
    A = [rng.integers(V, size=n).tolist() for n in rng.integers(longest, size=60)]
    B = [edited(a, int(rng.integers(longest)), rng, V) if n % 3 else A[n - 1] for n, a in enumerate(A)]
    D = [Levenshtein.distance(a, b) for a, b in zip(A, B)]
    assert edit_distances(A, B).tolist() == D
    costs = [sum(i < 0 or j < 0 or a[i] != b[j] for i, j in P) for P, a, b in zip(edit_alignments(A, B), A, B)]
    assert costs == D == [len(Levenshtein.editops(a, b)) for a, b in zip(A, B)]
