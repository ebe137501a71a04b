"""What weights say of the sequences of a corpus: the best path of each, or the probability of each label at each place.

The chapter crf_training makes of a θ the emissions E and the transitions A of a sequence; crf and crf_scaled say what
follows from these.  Here that is done for all sequences of a corpus, on every core.
"""
import numpy as np

from scratchml.core.jit import kernel, run_chunks
from scratchml.sequences.crf import best_path
from scratchml.sequences.crf_scaled import add_marginals, add_marginals_in_log_space
from scratchml.sequences.crf_training import fixed, state_scores, step_scores


def best_paths(corpus, edges, model):
    """The labels (N,) int32 of the best paths of a Corpus, and their scores (S,): -inf where no path is possible.

    The one path of an empty sequence has the score 0.  `edges` are the Rows (N, M) of attributes that have weights for
    pairs, `model` the Scores of a θ.  Raises nothing.
    """
    y, score = np.empty(len(corpus.y), np.int32), np.empty(len(corpus.starts) - 1)
    run_chunks(_best_paths, len(score), corpus, edges, model, y, score, chunk=_some(len(score)))
    return y, score


def marginals(corpus, edges, model):
    """γ (N, K) of a Corpus, and log Z (S,): -inf where no path is possible, 0 of an empty sequence.  As `best_paths`,
    it raises nothing."""
    gamma, log_Z = np.zeros((len(corpus.y), len(model.first))), np.empty(len(corpus.starts) - 1)
    run_chunks(_marginals, len(log_Z), corpus, edges, model, gamma, log_Z, chunk=_some(len(log_Z)))
    return gamma, log_Z


def _some(S):
    """How many of S sequences one core does at a time."""
    return max(1, min(64, S // 8))


# --- compiled ------------------------------------------------------------------------------------


@kernel
def field_of(corpus, edges, model, s):
    """E (T, K), with known labels fixed, and A (1, K, K) or (T-1, K, K) of sequence s."""
    first, T, K = corpus.starts[s], corpus.starts[s + 1] - corpus.starts[s], model.first.size
    E = fixed(state_scores(corpus, s, model), corpus.y[first:first + T])
    if edges.indices.size == 0 or T == 1:
        return E, model.A.copy().reshape((1, K, K))
    return E, step_scores(edges, first, T, model)[1:].copy().reshape((T - 1, K, K))


@kernel
def _best_paths(c, start, stop, corpus, edges, model, y, score):
    """The best paths of sequences start ... stop-1 into `y` (N,), their scores into `score` (S,)."""
    for s in range(start, stop):
        score[s] = 0.0
        if corpus.starts[s] == corpus.starts[s + 1]:
            continue
        E, A = field_of(corpus, edges, model, s)
        score[s] = best_path(E, A, y[corpus.starts[s]:corpus.starts[s + 1]])


@kernel
def _marginals(c, start, stop, corpus, edges, model, gamma, log_Z):
    """γ of sequences start ... stop-1 into `gamma` (N, K), which is zero, and log Z into `log_Z` (S,)."""
    K = model.first.size
    for s in range(start, stop):
        log_Z[s] = 0.0
        if corpus.starts[s] == corpus.starts[s + 1]:
            continue
        E, A = field_of(corpus, edges, model, s)
        own = gamma[corpus.starts[s]:corpus.starts[s + 1]]
        if edges.indices.size == 0:
            log_Z[s] = add_marginals(E, model.A, model.M, model.Mt, 1.0, own, np.zeros((K, K)))
        else:
            log_Z[s] = add_marginals_in_log_space(E, A, 1.0, own, np.zeros((1, K, K)))
