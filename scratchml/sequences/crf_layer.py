"""A conditional random field on top of a network: its loss, its gradient, its labels, for a batch of sequences.

A network that gives each place of a sequence scores for K labels chooses place by place, and so may choose what
cannot follow each other.  A field on top scores a labelling as a whole: by the network's scores, one for each pair of
neighbours, and one each for the first and the last label.  These K² + 2 K are learned along with the network, which
gets from the field the derivative of the loss by its scores, and needs no more.

The scores of the first and last label stand at the first and last place, so they are added to the scores there; then a
sequence is one of the chapter crf.

Symbols
    B, T, K         sequences, places of the longest, labels
    n     (B,)      places of each sequence; what stands behind them is padding, and nobody reads it
    E     (B, T, K) emissions: the score of label j at place t of sequence b
    A     (K, K)    transitions: the score of i and then j
    f, e  (K,)      scores of the first label and of the last; e (K,)
    y     (B, T)    labels, -1 where unknown
    c     (B,)      losses to take the mean of
    N               Σ_b n_b, the tokens of the batch
    L               the loss of the batch
    γ, ξ            of the chapter crf, for E with f and e added; γ', ξ', Z' likewise, of the paths that agree with y

Equations
    (1)  s_b = f[y_0] + Σ_t E[b,t,y_t] + Σ_t>0 A[y_{t-1},y_t] + e[y_{n_b-1}]                       sequence_scores
    (2)  log Z_b = log Σ_y exp s_b(y)                                                             log_partitions
    (3)  ℓ_b = log Z_b - log Z'_b                                                                 losses
    (4)  L = Σ_b c_b / N                                                                          token_mean
    (5)  ∂ℓ_b/∂E = γ - γ', ∂ℓ_b/∂A = Σ_t (ξ - ξ'), ∂ℓ_b/∂f = (γ - γ')[0], ∂ℓ_b/∂e = (γ - γ')[n_b-1]   slopes
    (6)  γ_b, the probabilities of each label at each place                                        label_marginals
    (7)  ŷ_b = argmax_y s_b(y)                                                                    best_labels

Choices
    Where all labels are known, Z' is exp s_b(y), and (3) is -log p(y).  Where one is unknown, all are summed over.
    What is forbidden has the score -inf, whatever the parameters say, which are finite and get the gradient 0 there.
    Sums are float64, whatever the type of the emissions.  Scores so large that their rounding shows in probabilities
    are refused (field_rows.py); labels alone are found for all.  Loss and gradient come out of one sweep over the
    sequences, in parts that depend on what is to be done alone: the same bits on any number of cores.  There is no
    second derivative.  In (6) and (7) padding has the probability 0 and the label -1.

Cost
    O(N K²) for N tokens, as in the chapter crf_scaled, whose kernels it calls; memory O(N K).

>>> layer = LinearChainCRF(2, forbidden=[(0, 1)], random_state=0)
>>> layer.load_state_dict({"transitions": [[1, 0], [0, 1]], "start_transitions": [0, 1], "end_transitions": [0, 0]})
Keys(missing_keys=[], unexpected_keys=[])
>>> E = np.array([[[2.0, 0], [0, 1], [1, 0]], [[2, 0], [0, 0], [0, 0]]])
>>> [y.tolist() for y in layer.decode(E, [3, 1])], round(layer(E, [[0, 0, 0], [1, -1, -1]], [3, 1]).item(), 4)
([[0, 0, 0], [0]], 0.4849)

Sources: Z. Huang, W. Xu and K. Yu, "Bidirectional LSTM-CRF models for sequence tagging", arXiv 1508.01991 (2015),
section 2.5; G. Lample and others, "Neural architectures for named entity recognition", NAACL 2016, section 2.2, for f
and e; for the names of the parameters, pytorch-crf.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import Fused, Tensor
from scratchml.core.checks import is_missing, one_of, unmasked, whole_number
from scratchml.core.jit import kernel, run_chunks
from scratchml.core.random import generator
from scratchml.nn.module import Module, Parameter, as_input, float_type
from scratchml.nn.padding import checked_lengths
from scratchml.sequences.crf import edge_marginals, log_partition, node_marginals, path_score, viterbi
from scratchml.sequences.crf_training import agreeing, sequence_loss
from scratchml.sequences.field_rows import (check_sizes, field, marginals_of_rows, paths_of_rows, sequences_a_chunk,
                                            tag_rows, with_ends)
from scratchml.sequences.schemes import legal_numbers

# --- the equations -------------------------------------------------------------------------------


def sequence_scores(E, A, f, e, y, n):
    """(1)  s_b = f[y_0] + Σ_t E[b,t,y_t] + Σ_t>0 A[y_{t-1},y_t] + e[y_{n_b-1}]

    Shapes: E (B, T, K), A (K, K), f (K), e (K), y (B, T) in K, n (B) -> (B)
    """
    return np.array([path_score(own, A, y[b, :n[b]]) for b, own in enumerate(_alone(E, f, e, n))])


def log_partitions(E, A, f, e, n):
    """(2)  log Z_b = log Σ_y exp s_b(y)

    Shapes: E (B, T, K), A (K, K), f (K), e (K), n (B) -> (B)
    """
    return np.array([log_partition(own, A) for own in _alone(E, f, e, n)])


def losses(E, A, f, e, y, n):
    """(3)  ℓ_b = log Z_b - log Z'_b

    Shapes: E (B, T, K), A (K, K), f (K), e (K), y (B, T) in K, n (B) -> (B)
    """
    return np.array([log_partition(own, A) - log_partition(agreeing(own, y[b, :n[b]]), A)
                     for b, own in enumerate(_alone(E, f, e, n))])


def token_mean(c, n):
    """(4)  L = Σ_b c_b / N

    Shapes: c (B), n (B) -> ()
    """
    return c.sum() / n.sum()


def slopes(E, A, f, e, y, n):
    """(5)  ∂ℓ_b/∂E = γ - γ', ∂ℓ_b/∂A = Σ_t (ξ - ξ'), ∂ℓ_b/∂f = (γ - γ')[0], ∂ℓ_b/∂e = (γ - γ')[n_b-1]

    Shapes: E (B, T, K), A (K, K), f (K), e (K), y (B, T) in K, n (B) -> (B, T, K), (B, K, K), (B, K), (B, K)
    """
    dE, dA, df, de = np.zeros(E.shape), np.zeros((len(E), *A.shape)), np.zeros(E[:, 0].shape), np.zeros(E[:, 0].shape)
    for b, own in enumerate(_alone(E, f, e, n)):
        fixed = agreeing(own, y[b, :n[b]])
        dE[b, :n[b]] = node_marginals(own, A) - node_marginals(fixed, A)
        dA[b] = (edge_marginals(own, A) - edge_marginals(fixed, A)).sum(axis=0)
        df[b], de[b] = dE[b, 0], dE[b, n[b] - 1]
    return dE, dA, df, de


def label_marginals(E, A, f, e, n):
    """(6)  γ_b, the probabilities of each label at each place

    Shapes: E (B, T, K), A (K, K), f (K), e (K), n (B) -> (B, T, K)
    """
    gamma = np.zeros(E.shape)
    for b, own in enumerate(_alone(E, f, e, n)):
        gamma[b, :n[b]] = node_marginals(own, A)
    return gamma


def best_labels(E, A, f, e, n):
    """(7)  ŷ_b = argmax_y s_b(y)

    Shapes: E (B, T, K), A (K, K), f (K), e (K), n (B) -> (B, T)
    """
    y = np.full(E.shape[:2], -1)
    for b, own in enumerate(_alone(E, f, e, n)):
        y[b, :n[b]], _ = viterbi(own, A)
    return y


def _alone(E, f, e, n):
    """The emissions (n_b, K) of each sequence, with f and e added."""
    for own, steps in zip(E, n):
        own = own[:steps].copy()
        own[0] += f
        own[-1] += e
        yield own


# --- the loss ------------------------------------------------------------------------------------


class Slopes(NamedTuple):
    """What one sweep makes."""
    each: np.ndarray                                     # (B,) the losses (3)
    dE: np.ndarray                                       # (N, K) their slopes
    dA: np.ndarray                                       # (parts, K, K) summed over the sequences of each part


def _loss(E, A, f, e, *, y, starts, legal, reduction):
    """The losses (3), their sum, or (4), and what the gradient needs: `sequence_loss` makes (3) and (5) at once."""
    model, B, K = field(A, f, e, legal), len(starts) - 1, len(A)
    ends = with_ends(E, starts, model)
    check_sizes(ends, starts, model)
    chunk = 1 if reduction == "none" else sequences_a_chunk(E, starts, most=8)
    each, dE, dA = result = Slopes(np.empty(B), np.zeros(E.shape), np.zeros((-(-B // chunk), K, K)))
    with np.errstate(invalid="ignore"):                  # -inf less -inf, where there is no path
        run_chunks(_add_losses, B, ends, y, starts, model, result, chunk=chunk)
    if not (each < np.inf).all():
        b = int((~(each < np.inf)).argmax())
        raise ValueError(f"tags: sequence {b} has no path, or none that agrees with its tags; allow one: correct the "
                         "tags, what is forbidden, or emissions that are -inf")
    scale = 1 / starts[-1] if reduction == "mean" else 1.0
    loss = each if reduction == "none" else each.sum() * scale
    return np.asarray(loss, E.dtype), (dE, dA, starts, scale, E.dtype)


def _loss_gradient(saved, g):
    dE, dA, starts, scale, dtype = saved
    g = np.asarray(g * scale, np.float64)
    dE = dE * (np.repeat(g, np.diff(starts))[:, None] if g.ndim else g)
    dA = (dA * (g[:, None, None] if g.ndim else g)).sum(axis=0)
    df, de = dE[starts[:-1]].sum(axis=0), dE[starts[1:] - 1].sum(axis=0)
    return tuple(part.astype(dtype) for part in (dE, dA, df, de))


CRF_LOSS = Fused(_loss, _loss_gradient, fresh=True)


# --- the layer -----------------------------------------------------------------------------------


class LinearChainCRF(Module):
    """A field on the scores (B, T, K) that a network gives the labels at each place.

    layer(emissions, tags, lengths) returns the loss, which is to fall.  Parameters are `transitions` (K, K) from i to
    j, `start_transitions` and `end_transitions` (K,), uniform over ±0.1 at first.  They are those of pytorch-crf, whose
    forward however returns the negative of the sum, and has the batch in the second dimension unless told otherwise.
    Raises ValueError for a `num_tags` below 1, and pairs that are none.

    Parameters
    ----------
    num_tags : int
        K, how many labels there are.
    forbidden : collection of pairs, Legal or None, default=None
        Pairs (i, j) of labels that must not follow each other; or what `legal_transitions` makes of BIO labels and
        others, which also says what must not be first or last.
    dtype : {"float32", "float64"}, default="float32"
        The type of the parameters.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of the first parameters.
    """

    settings = ("num_tags",)

    def __init__(self, num_tags, *, forbidden=None, dtype="float32", random_state=None):
        self.num_tags = K = whole_number(num_tags, "num_tags")
        self.legal = legal_numbers(K, forbidden)
        dtype, rng = float_type(dtype), generator(random_state)
        for name, shape in (("transitions", (K, K)), ("start_transitions", K), ("end_transitions", K)):
            setattr(self, name, Parameter(rng.uniform(-0.1, 0.1, shape).astype(dtype)))

    def forward(self, emissions, tags, lengths=None, reduction="mean"):
        """The loss: the mean over all tokens (4), the sum over the batch, or the losses (B,) of (3).

        Raises ValueError for shapes that do not fit, scores that are NaN or +inf, tags that are no labels, lengths that
        are not in 1 ... T, and tags that have no path.  What stands in padding does not matter.

        Parameters
        ----------
        emissions : Tensor or array (B, T, K)
            Scores of the labels.
        tags : array (B, T) of int
            The labels 0 ... K-1; -1, or None, where one is not known.
        lengths : array (B,) of int or None, default=None
            How many places of each sequence count; None for all.
        reduction : {"mean", "sum", "none"}, default="mean"
            What to make of the losses.
        """
        E, starts, there = self._rows(emissions, lengths)
        return self.loss_of_rows(E, self._labels(tags, there), starts, one_of(reduction, "reduction", REDUCTIONS))

    def loss_of_rows(self, emissions, tags, starts, reduction="mean"):
        """The same of sequences that stand one after the other, without padding; tags are not checked.

        Parameters
        ----------
        emissions : Tensor (N, K)
            Scores of the labels.
        tags : array (N,) of int
            The labels, int32.
        starts : array (B+1,) of int
            Where each sequence starts, and the last one ends.
        reduction : {"mean", "sum", "none"}, default="mean"
            What to make of the losses.
        """
        _check_scores(emissions.data, starts)
        return CRF_LOSS(emissions, self.transitions, self.start_transitions, self.end_transitions, y=tags,
                        starts=starts,
                        legal=self.legal, reduction=reduction)

    def field(self):
        """The parameters as the functions on rows take them."""
        return field(self.transitions.data, self.start_transitions.data, self.end_transitions.data, self.legal)

    def decode(self, emissions, lengths=None):
        """The best labels (7) of each sequence: a list of arrays (n_b,).  Raises ValueError as `forward` does.

        Parameters
        ----------
        emissions : Tensor or array (B, T, K)
            Scores of the labels.
        lengths : array (B,) of int or None, default=None
            How many places of each sequence count; None for all.
        """
        E, starts, model, _ = self._asked(emissions, lengths)
        y, score = tag_rows(E, starts, model)
        _check_possible(score)
        return np.split(y, starts[1:-1])

    def marginals(self, emissions, lengths=None):
        """The probability (6) of each label at each place, (B, T, K).  Raises ValueError as `forward` does.

        Parameters
        ----------
        emissions : Tensor or array (B, T, K)
            Scores of the labels.
        lengths : array (B,) of int or None, default=None
            How many places of each sequence count; None for all.
        """
        E, starts, model, there = self._asked(emissions, lengths)
        gamma, log_Z = marginals_of_rows(E, starts, model)
        _check_possible(log_Z)
        whole = np.zeros((*there.shape, self.num_tags))
        whole[there] = gamma
        return whole

    def k_best(self, emissions, n, lengths=None):
        """Of each sequence the n best paths (n, n_b) and their log-probabilities (n,): a list of pairs of arrays.

        Fewer, if fewer are possible.  Raises ValueError as `forward` does.

        Parameters
        ----------
        emissions : Tensor or array (B, T, K)
            Scores of the labels.
        n : int
            How many paths.
        lengths : array (B,) of int or None, default=None
            How many places of each sequence count; None for all.
        """
        E, starts, model, _ = self._asked(emissions, lengths)
        found = paths_of_rows(E, starts, model, whole_number(n, "n"))
        _check_possible(np.array([total[0] if total.size else -np.inf for _, total in found]))
        return found

    def _asked(self, emissions, lengths):
        E, starts, there = self._rows(emissions, lengths)
        _check_scores(E.data, starts)
        model = self.field()
        return with_ends(E.data, starts, model), starts, model, there

    def _rows(self, emissions, lengths):
        """The real rows (N, K) of `emissions` (B, T, K), where sequences start, and which places are real (B, T)."""
        E = as_input(emissions, self, self.transitions.dtype)
        if E.ndim != 3 or E.shape[2] != self.num_tags or 0 in E.shape:
            raise ValueError(f"emissions: {self} expected shape (B, T, K) with K = {self.num_tags}, and at least one "
                             f"sequence and one place, got {E.shape}")
        B, T, K = E.shape
        n = np.full(B, T) if lengths is None else checked_lengths(lengths, T, B, self)
        there, rows = np.arange(T) < n[:, None], E.reshape(B * T, K)
        return rows if there.all() else rows[np.flatnonzero(there)], np.concatenate([[0], np.cumsum(n)]), there

    def _labels(self, tags, there):
        """The labels (N,) int32 of the places that are real."""
        try:
            y = np.asarray(unmasked(tags.detach().data if isinstance(tags, Tensor) else tags, "tags"))
        except ValueError as error:
            raise ValueError(f"tags: {self} expected shape {there.shape} to fit emissions: {error}") from None
        if y.shape != there.shape:
            raise ValueError(f"tags: {self} expected shape {there.shape} to fit emissions, got {y.shape}")
        given = y[there]
        if given.dtype == object:
            given = np.array([-1 if is_missing(tag) else tag for tag in given])
        whole = given.dtype.kind in "iu" or given.dtype.kind == "f" and bool((given == np.rint(given)).all())
        wrong = (given < -1) | (given >= self.num_tags) if whole else np.ones(given.shape, bool)
        if wrong.any():
            b, t = np.argwhere(there)[wrong.argmax()]
            raise ValueError(f"tags: {self} expected labels 0 ... {self.num_tags - 1}, or -1 where one is not known, "
                             f"got {y[b, t]} of dtype {y.dtype} at [{b}, {t}]")
        return given.astype(np.int32)


REDUCTIONS = ("mean", "sum", "none")


def _check_scores(E, starts):
    """Raise a ValueError that says where a score of E (N, K) is NaN or +inf."""
    wrong = ~(E < np.inf)
    if wrong.any():
        row, j = np.unravel_index(wrong.argmax(), E.shape)
        b = int(np.searchsorted(starts, row, side="right")) - 1
        raise ValueError(f"emissions: a score is {E[row, j]}, of label {j} at place {row - starts[b]} of sequence {b}; "
                         "expected finite numbers, or -inf for what is forbidden")


def _check_possible(score):
    if (score == -np.inf).any():
        raise ValueError(f"emissions: sequence {(score == -np.inf).argmax()} has no path; what is forbidden leaves "
                         "none of its length, so allow one")


# --- compiled ------------------------------------------------------------------------------------


@kernel
def _add_losses(c, start, stop, E, y, starts, model, result):
    """(3) and (5) of sequences start ... stop-1; the slopes of A are added to part c of `result.dA`."""
    for b in range(start, stop):
        first, last = starts[b], starts[b + 1]
        result.each[b] = sequence_loss(E[first:last], y[first:last], model, result.dE[first:last], result.dA[c])
