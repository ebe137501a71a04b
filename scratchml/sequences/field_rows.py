"""Fields on many sequences that stand one after the other, without padding: their labels, marginals and best paths.

E (N, K) are the emissions of all N tokens; `starts` (B+1,) says where each of the B sequences starts, and the last one
ends.  The scores of a first and a last label stand in the emissions: `with_ends` puts them there, and then each
sequence is one of the chapter crf, whose kernels do the work.
"""
import numpy as np

from scratchml.core.jit import kernel, run_chunks
from scratchml.sequences.crf import as_scores, best_path, k_best, log_partition
from scratchml.sequences.crf_scaled import EPS, add_marginals
from scratchml.sequences.crf_training import Field, factors

LARGEST = 2.0 ** 40  # of scores, over a sequence: then 1 / 4,000 may be rounded away


def field(A, f, e, legal):
    """The Field of parameters A (K, K), f and e (K,) of any type, where all that is not `legal` is forbidden.

    Raises ValueError for those that are NaN or +inf.
    """
    names = "transitions", "start_transitions", "end_transitions"
    A, f, e = (np.where(may, part.astype(np.float64) if (part < np.inf).all() else as_scores(part, name), -np.inf)
               for part, may, name in zip((A, f, e), legal, names))
    return Field(A, *factors(A), f, e)


def with_ends(E, starts, field):
    """`E` (N, K) of sequences that start at `starts` (B+1,), in float64, with the scores of the first and last
    label."""
    E = np.array(E, np.float64, order="C")
    E[starts[:-1]] += field.first
    E[starts[1:] - 1] += field.last
    return E


def tag_rows(E, starts, field):
    """The best labels (N,) for emissions with their ends, and their scores (B,), -inf where no path is left."""
    y, score = np.empty(len(E), np.int32), np.empty(len(starts) - 1)
    A, chunk = field.A.reshape(1, *field.A.shape), sequences_a_chunk(E, starts)
    run_chunks(_tag, len(score), E, starts, A, y, score, chunk=chunk)
    return y, score


def marginals_of_rows(E, starts, field):
    """γ (N, K) for emissions with their ends, and log Z (B,), -inf where no path is left.

    Raises ValueError as `check_sizes` does.
    """
    check_sizes(E, starts, field)
    gamma, log_Z = np.zeros(E.shape), np.empty(len(starts) - 1)
    run_chunks(_marginals, len(log_Z), E, starts, field, gamma, log_Z, chunk=sequences_a_chunk(E, starts))
    return gamma, log_Z


def paths_of_rows(E, starts, field, n):
    """Of each sequence its n best paths (n, T), int32, and their log-probabilities (n,); fewer if fewer are possible.

    Raises ValueError as `check_sizes` does.
    """
    check_sizes(E, starts, field)
    found = []
    for first, last in zip(starts, starts[1:]):
        paths, total = k_best(E[first:last], field.A, n)
        found.append((paths, total - log_partition(E[first:last], field.A)) if len(paths) else (paths, total))
    return found


def sequences_a_chunk(E, starts, most=64):
    """Sequences to hand out at once: `most` chunks at most, each worth a thread."""
    parts = min(max(E.size * E.shape[1] // 2**18, 1), most)
    return max(1, -(-(len(starts) - 1) // parts))


def check_sizes(E, starts, field):
    """Raise a ValueError if scores, but for -inf, are so large that sums over a sequence say nothing of
    probabilities."""
    most = LARGEST / np.diff(starts).max(initial=1)
    for part, name in ((E, "emissions"), (field.A, "transitions")):
        if not (part.max(initial=0) <= most and part.min(initial=0) >= -most):
            size = np.abs(part[np.isfinite(part)]).max(initial=0)
            if size > most:
                raise ValueError(f"{name}: a score has the magnitude {size:.3g}, of which nothing below "
                                 f"{size * EPS:.1g} is left in float64; scale the scores, and pass -inf for what is "
                                 "forbidden")


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _tag(c, start, stop, E, starts, A, y, score):
    for b in range(start, stop):
        score[b] = best_path(E[starts[b]:starts[b + 1]], A, y[starts[b]:starts[b + 1]])


@kernel
def _marginals(c, start, stop, E, starts, model, gamma, log_Z):
    unused = np.zeros(model.A.shape)
    for b in range(start, stop):
        own = slice(starts[b], starts[b + 1])
        log_Z[b] = add_marginals(E[own], model.A, model.M, model.Mt, 1.0, gamma[own], unused)
