"""Contrastive losses: what belongs together shall be more alike than what does not.

Two encoders make vectors of questions and of answers, and the similarity of two vectors says how well an answer suits.
That a pair should have a similarity of 1 cannot be asked: how alike is alike?  What can be asked is that the right
answer is more alike than a wrong one, by a margin α, and this is all that choosing needs.  So each question has a loss
with a wrong answer beside the right one: a hinge, which is 0 as soon as the margin is kept.

Where do wrong answers come from?  One can be drawn for each question.  But in a batch of N pairs the answers of all the
others are there, encoded already, and one matrix product compares all with all: N - 1 wrong answers for the price of
one.  Most of these are soon easy and teach nothing.  The mean over all of them then is a small number with a small
gradient; the hardest alone keeps teaching until even that one is beaten; the softmax weighs them by how hard they are.
The hardest may be too hard in the beginning, where all vectors are alike: the semi-hard one is the hardest of those
that are beaten, but not yet by the margin.

Symbols
    N, D            pairs of a batch, and the length of vectors
    u, v    (N, D)  vectors of questions and of answers; u_i and v_i are a pair
    c, a    (N,)    the questions and the answers as whole numbers: equal ones for what is equal
    S       (N, N)  similarities, S_ij of question i and answer j
    Ω       (N, N)  True where answer j is wrong for question i, else False
    w       (N,)    a wrong answer of each question, in N; -1 if it has none
    p, q    (N,)    similarities of a wrong answer and of the right one
    α               margin
    τ               scale, one over what is also called temperature
    L               one of (5) to (8), as a function of S and Ω

Equations
    (1)  S_ij = u_i·v_j / (‖u_i‖ ‖v_j‖)                                              cosines_of_all
    (2)  Ω_ij = [no pair k has c_k = c_i and a_k = a_j]                              wrong_pairs
    (3)  ℓ = max(0, p - q + α)                                                       hinge
    (4)  L = Σ_i [w_i >= 0] max(0, S_iw_i - S_ii + α) / N                            single_hinge
    (5)  L = Σ_ij Ω_ij max(0, S_ij - S_ii + α) / Σ_ij Ω_ij                           in_batch_hinge
    (6)  L = Σ_i max(0, max_{j: Ω_ij} S_ij - S_ii + α) / N                           hardest_hinge
    (7)  L = (6) with j: Ω_ij and S_ij < S_ii, where there is such a j               semi_hard_hinge
    (8)  L = -Σ_i log(exp τ S_ii / (exp τ S_ii + Σ_j Ω_ij exp τ S_ij)) / N           in_batch_softmax
    (9)  (L(S, Ω) + L(Sᵀ, Ωᵀ)) / 2                                                   both_directions

Choices
    The same answer may come in several pairs of a batch, "yes" of a hundred questions.  (2) keeps it from counting as
    wrong for any of them, and from a question that has several answers all of these.  Answers themselves are compared,
    before anything is encoded: their vectors may differ, by dropout or the last bit.
    A question without a wrong answer adds 0 in (4) and (6) to (8), which divide by N all the same.  Without any wrong
    answer at all nothing could be learned, and that is an error.
    A vector that is 0 has the cosine 0 with all, and (1) the same value and slope for vectors of all lengths: they are
    scaled by powers of two first, so that no square overflows or vanishes.
    Where a margin is just kept, the slope is that of the side where it is not; hardest answers that tie share it.
    (7) does not look at wrong answers that are ahead while another one is beaten: in a small batch it can come to rest
    with some of them ahead.
    (6) is at least (5) if every question has as many wrong answers as the others: (5) weighs pairs, (6) questions.
    More steps before an update give a smoother gradient, but no wrong answer more: these are those of one batch.
    In place of (1), any S will do: products u_i·v_j without lengths, or u_iᵀ M v_j with a matrix that is learned.

Cost
    O(N² D) for (1), O(N²) for the others.  (2) takes O(N²) per answer that a question has.

>>> S = [[0.9, 0.8, 0.1], [0.3, 0.5, 0.4], [0.2, 0.6, 0.7]]
>>> wrong = wrong_pairs([0, 1, 2], [5, 6, 6])            # the second and the third have the same answer
>>> in_batch_hinge(S, wrong), hardest_hinge(S, wrong)    # .1, of 4 pairs and of 3 questions
(Tensor(0.025), Tensor(0.03333333))
>>> both_directions(hardest_hinge, S, wrong)             # to answer 1 question 0 is nearer than its own, by .3
Tensor(0.1)

Sources: R. Lowe, N. Pow, I. Serban and J. Pineau, "The Ubuntu dialogue corpus", SIGDIAL 2015, section 4.3; M. Henderson
and others, "Efficient natural language response suggestion for Smart Reply", arXiv 1705.00652 (2017), section 4.2, for
(8); F. Faghri and others, "VSE++", BMVC 2018, equation 6, for (6); F. Schroff and others, "FaceNet", CVPR 2015, section
3.2, for (7).
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import ops
from scratchml.autograd.ops import as_tensor
from scratchml.core.checks import finite, real_number, unmasked
from scratchml.core.random import generator
from scratchml.core.sparse import whole_numbers
from scratchml.nn.cross_entropy import cross_entropy
from scratchml.nn.similarity import norms

# --- similarities, and what is wrong -------------------------------------------------------------


def cosines_of_all(u, v):
    """(1)  S_ij = u_i·v_j / (‖u_i‖ ‖v_j‖)

    Raises ValueError for what is no pair of matrices with rows of one length, and for numbers that are not finite.

    Shapes: u (N, D), v (N, D) -> (N, N)

    Parameters
    ----------
    u : Tensor or array (N, D)
        Vectors of questions.
    v : Tensor or array (M, D)
        Vectors of answers.
    """
    u = as_tensor(u)
    v = as_tensor(v, u)
    if u.ndim != 2 or v.ndim != 2 or u.shape[1] != v.shape[1]:
        raise ValueError(f"u, v: expected vectors (N, D) and (M, D), got shapes {u.shape} and {v.shape}")
    return directions(u, "u") @ directions(v, "v").transpose(0, 1)


def directions(u, name="u"):
    """u_n / ‖u_n‖, (N, D), and 0 for what is 0, of a Tensor.  Raises ValueError for numbers that are not finite."""
    largest = np.abs(finite(u._data, name)).max(axis=1, initial=0, keepdims=True)
    reach = 120 if u.dtype == np.float32 else 1000
    u = u * np.exp2(-np.frexp(largest)[1].clip(-reach, reach)).astype(u.dtype)
    lengths = norms(u, 2, -1, True)
    nothing = lengths._data == 0
    return u / (lengths.masked_fill(nothing, 1.0) if nothing.any() else lengths)


def wrong_pairs(questions, answers):
    """(2)  Ω_ij = [no pair k has c_k = c_i and a_k = a_j]

    Raises ValueError for what is not whole numbers, as many questions as answers.

    Shapes: c (N), a (N) -> (N, N)

    Parameters
    ----------
    questions : array (N,) of int
        A number for each question, equal ones for equal questions; np.arange(N) if all differ.
    answers : array (N,) of int
        A number for each answer, equal ones for equal answers.
    """
    c, a = whole_numbers(questions, "questions"), whole_numbers(answers, "answers")
    if len(c) != len(a) or not len(c):
        raise ValueError("questions, answers: expected as many of one as of the other, at least one, got "
                         f"{len(c)} and {len(a)}")
    c = np.unique(c, return_inverse=True)[1]
    return RightAnswers.of(c, a).wrong(c, a)


class RightAnswers(NamedTuple):
    """All answers of each of C questions, of K pairs: those of question c are answers[starts[c]:starts[c + 1]]."""
    starts: np.ndarray                                   # (C+1,)
    answers: np.ndarray                                  # (K,)

    @classmethod
    def of(cls, c, a):
        """Those of pairs (N,), whose questions are the numbers 0 ... C-1, each at least once."""
        order = np.lexsort((a, c))
        c, a = c[order], a[order]
        kept = np.append(True, (np.diff(c) != 0) | (np.diff(a) != 0))
        return cls(np.append(0, np.bincount(c[kept]).cumsum()), a[kept])

    def wrong(self, c, a):
        """Which of the answers a (M,) are wrong for each of the questions c (N,): (N, M)."""
        sizes = np.diff(self.starts)[c]
        first = np.append(0, sizes.cumsum())
        right = self.answers[np.arange(first[-1]) + np.repeat(self.starts[c] - first[:-1], sizes)]
        return ~np.logical_or.reduceat(right[:, None] == a, first[:-1])


def draw_wrong(wrong, random_state=None):
    """A wrong answer of each question (N,), each being as likely; -1 for one without.

    Raises ValueError for what is no mask as in `in_batch_hinge`.

    Parameters
    ----------
    wrong : array (N, N) of bool
        Which answers are wrong for each question.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of what is drawn.
    """
    Ω = _mask(wrong, np.shape(wrong))
    counts = Ω.sum(axis=1)
    rank = (generator(random_state).random(len(Ω)) * counts).astype(np.int64)                        # below the count
    chosen = (Ω.cumsum(axis=1) > rank[:, None]).argmax(axis=1)
    return np.where(counts > 0, chosen, -1)


# --- losses --------------------------------------------------------------------------------------


def hinge(p, q, margin):
    """(3)  ℓ = max(0, p - q + α)

    Shapes: p (N), q (N), α -> (N)
    """
    return (as_tensor(p) - q + margin).clamp(min=0)


def single_hinge(S, chosen, margin=0.2):
    """(4)  L = Σ_i [w_i >= 0] max(0, S_iw_i - S_ii + α) / N

    Raises ValueError for similarities that are no finite square matrix, a margin below 0, and answers that are not of
    -1 ... N-1, the right one, or all -1.

    Shapes: S (N, N), w (N) in N, α -> ()

    Parameters
    ----------
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    chosen : array (N,) of int
        A wrong answer of each question, as `draw_wrong` draws them.
    margin : float, default=0.2
        α, by how much the right answer shall be more alike.
    """
    S, w = _square(S), whole_numbers(chosen, "chosen")
    N = len(S)
    if w.shape != (N,) or w.min() < -1 or w.max() >= N or (w == np.arange(N)).any():
        raise ValueError(f"chosen: expected {N} numbers of answers that are wrong, from -1 to {N - 1}, got "
                         f"{chosen!r:.60}")
    if w.max() < 0:
        raise ValueError(_NOTHING_WRONG)
    return _hinge_at(S, w, _held(margin, S))


def in_batch_hinge(S, wrong, margin=0.2):
    """(5)  L = Σ_ij Ω_ij max(0, S_ij - S_ii + α) / Σ_ij Ω_ij

    Raises ValueError for similarities that are no finite square matrix, a mask of another shape, in which a right
    answer is wrong or none is wrong, and a margin below 0; so do all below.

    Shapes: S (N, N), Ω (N, N), α -> ()

    Parameters
    ----------
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    wrong : array (N, N) of bool
        Which answers are wrong for each question, see `wrong_pairs`.
    margin : float, default=0.2
        α, by how much the right answer shall be more alike.
    """
    S, Ω = _batch(S, wrong)
    each = hinge(S, _right(S).unsqueeze(1), _held(margin, S))
    return each.masked_fill(~Ω, 0.0).sum() / int(Ω.sum())


def hardest_hinge(S, wrong, margin=0.2):
    """(6)  L = Σ_i max(0, max_{j: Ω_ij} S_ij - S_ii + α) / N

    Errors are those of `in_batch_hinge`.

    Shapes: S (N, N), Ω (N, N), α -> ()

    Parameters
    ----------
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    wrong : array (N, N) of bool
        Which answers are wrong for each question, see `wrong_pairs`.
    margin : float, default=0.2
        α, by how much the right answer shall be more alike.
    """
    S, Ω = _batch(S, wrong)
    hardest = ops.amax(S.masked_fill(~Ω, -np.inf), 1)
    return hinge(hardest, _right(S), _held(margin, S)).mean()


def semi_hard_hinge(S, wrong, margin=0.2):
    """(7)  L = (6) with j: Ω_ij and S_ij < S_ii, where there is such a j

    Of answers that tie it takes the first.  Errors are those of `in_batch_hinge`.

    Shapes: S (N, N), Ω (N, N), α -> ()

    Parameters
    ----------
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    wrong : array (N, N) of bool
        Which answers are wrong for each question, see `wrong_pairs`.
    margin : float, default=0.2
        α, by how much the right answer shall be more alike.
    """
    S, Ω = _batch(S, wrong)
    beaten = Ω & (S._data < S._data.diagonal()[:, None])
    among = np.where(beaten.any(axis=1, keepdims=True), beaten, Ω)
    hardest = np.where(among, S._data, -np.inf).argmax(axis=1)
    return _hinge_at(S, np.where(Ω.any(axis=1), hardest, -1), _held(margin, S))


def in_batch_softmax(S, wrong, scale=20.0):
    """(8)  L = -Σ_i log(exp τ S_ii / (exp τ S_ii + Σ_j Ω_ij exp τ S_ij)) / N

    Errors are those of `in_batch_hinge`, and a scale that is not above 0.

    Shapes: S (N, N), Ω (N, N), τ -> ()

    Parameters
    ----------
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    wrong : array (N, N) of bool
        Which answers are wrong for each question, see `wrong_pairs`.
    scale : float, default=20.0
        τ: the greater it is, the more the hardest of them counts alone.
    """
    S, Ω = _batch(S, wrong)
    ahead = S - _right(S).unsqueeze(1)
    τ, largest = real_number(scale, "scale", above=0.0), max(1.0, float(np.abs(ahead._data).max()))
    if τ > _most(S) / largest:
        raise ValueError(f"scale={scale!r}: the product with differences of similarities, up to {largest:.3g}, cannot "
                         f"be held in {S.dtype}; lower it")
    ahead = ahead * τ
    return cross_entropy(ahead.masked_fill(~(Ω | np.eye(len(Ω), dtype=bool)), -np.inf), np.arange(len(Ω)))


def both_directions(loss, S, wrong):
    """(9)  (L(S, Ω) + L(Sᵀ, Ωᵀ)) / 2

    Errors are those of `loss`.

    Shapes: L, S (N, N), Ω (N, N) -> ()

    Parameters
    ----------
    loss : callable
        One of the losses above, called with a Tensor and a mask.
    S : Tensor or array (N, N)
        How alike question i and answer j are; the pairs stand on the diagonal.
    wrong : array (N, N) of bool
        Which answers are wrong for each question, see `wrong_pairs`.
    """
    if not callable(loss):
        raise ValueError(f"loss={loss!r}: expected a function of similarities and of what is wrong")
    S = _square(S)
    Ω = _mask(wrong, S.shape)
    return (loss(S, Ω) + loss(S.transpose(0, 1), Ω.T)) / 2


# --- pieces --------------------------------------------------------------------------------------

_NOTHING_WRONG = ("wrong: no answer is wrong for any question, so there is nothing to learn; a batch needs pairs with "
                  "different answers")


def _right(S):
    """S_ii, (N,)."""
    i = np.arange(len(S))
    return S[i, i]


def _hinge_at(S, w, margin):
    """(4) for w (N,), checked."""
    each = hinge(S[np.arange(len(S)), w], _right(S), margin)
    return each.masked_fill(w < 0, 0.0).mean()


def _square(S):
    S = as_tensor(S)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or not S.shape[0]:
        raise ValueError(f"S: expected similarities (N, N) of each question and each answer, got shape {S.shape}")
    largest = np.abs(finite(S._data, "S")).max()
    if largest > _most(S):
        raise ValueError(f"S: the largest magnitude is {largest:.3g}, and differences of such cannot be held in "
                         f"{S.dtype}; scale the similarities")
    return S


def _most(S):
    """What few of can be added up in the type of S."""
    return float(np.finfo(S.dtype).max) / 4


def _held(margin, S):
    """α, if differences with it can be held in the type of S.  Raises ValueError."""
    α = real_number(margin, "margin")
    if α > _most(S):
        raise ValueError(f"margin={margin!r}: expected a number that can be added to similarities in {S.dtype}")
    return α


def _mask(wrong, shape):
    Ω = np.asarray(unmasked(wrong, "wrong"))
    if Ω.dtype != bool or Ω.shape != shape or Ω.ndim != 2 or shape[0] != shape[1]:
        raise ValueError(f"wrong: expected True or False for each question and answer, shape {shape}, got {Ω.dtype} "
                         f"{Ω.shape}")
    if Ω.diagonal().any():
        raise ValueError(f"wrong: the answer of pair {Ω.diagonal().argmax()} is marked as wrong for its own question")
    return Ω


def _batch(S, wrong):
    S = _square(S)
    Ω = _mask(wrong, S.shape)
    if not Ω.any():
        raise ValueError(_NOTHING_WRONG)
    return S, Ω
