"""Softmax over a sample of the items: which of these few did the user take, and what that says about all.

A recommender that scores M items can be trained as a classifier with M classes: of all items the one that was taken
should have the greatest score.  But the sum over M in the softmax is dear.  So each pair of a user and an item is held
against the items of the other pairs in its batch, which cost nothing more.  These are a biased sample: what is popular
is a wrong answer all the time, and is pushed down for it.  Subtract the logarithm of how often an item is drawn from
its score (1), and as the sample grows, the gradient tends to that of the whole softmax.  Without, it does not.

Symbols
    B, C          pairs in a batch; candidates, of which the first B are the items of the pairs
    s  (B, C)     scores of candidates, or what was made of them
    q  (C,)       how likely a candidate is to be drawn
    t  (B,)       the item of each pair
    c  (C,)       the item that each candidate is
    r  (B,)       how much a pair counts, at least 0
    f  (M,)       shares of items among all pairs
    D, M          candidates that are drawn uniformly beside those of the batch; items
    x  (B,)       by how much the item of a pair scores above another one
    u, g  (B, F), (B, F)  vectors, and the gradient of L by û = u / ‖u‖

Equations
    (1)  s'_ij = s_ij - ln q_j                                                            log_q_corrected
    (2)  s'_ij = -inf where c_j = t_i and j ≠ i, else s_ij                                without_accidental_hits
    (3)  L = -Σ_i r_i ln(e^s_ii / Σ_j e^s_ij) / Σ_i r_i                                   batch_softmax
    (4)  ∂L/∂s_ij = (e^s_ij / Σ_k e^s_ik - [i = j]) r_i / Σ_k r_k                         softmax_gradient
    (5)  q_m = (B f_m + D / M) / (B + D)                                                  mixed_frequency
    (6)  L = -mean_i ln(1 / (1 + e^-x_i))                                                 bpr_loss
    (7)  ∂L/∂u = (g - (g·û) û) / ‖u‖                                                      unit_gradient

Choices
    A candidate that is the pair's own item by accident is no wrong answer, so (2) takes it out; the pair's own place
    stays.  If all items are candidates once each and q is uniform, (3) is the softmax over all of them.  A constant
    factor of q changes nothing.  Of a batch of one pair the loss is 0, and nothing is learned.
    Items of a batch come as often as they are in the data; with D more that are drawn uniformly, rare items are wrong
    answers now and then, too, and q is (5).  (6) is Rendle's: one wrong answer a pair, drawn uniformly.
    (7) of a zero vector is 0.

Cost
    O(B C F) for the scores of vectors of length F and as much for each of their gradients, in three products of
    matrices; (1) to (4) are one pass over the scores, in which they become their own gradients.

>>> s, t = np.log([[2., 1, 1], [1., 1, 1], [1., 1, 6]]), np.array([0, 1, 0])
>>> q = np.array([0.5, 0.25, 0.5])
>>> round(batch_softmax(log_q_corrected(s, q), np.ones(3)), 6)
0.671634
>>> np.exp(without_accidental_hits(s, t, t)).round().tolist()
[[2.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 6.0]]

Sources: Y. Bengio and J.-S. Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic
language model", IEEE Trans. Neural Networks 19 (2008), for (1); X. Yi et al., "Sampling-bias-corrected neural modeling
for large corpus item recommendations", RecSys 2019, section 3, for (1) and (3); J. Yang et al., "Mixed negative
sampling for learning two-tower neural networks in recommendations", WWW 2020, for (5); S. Rendle et al., "BPR: Bayesian
personalized ranking from implicit feedback", UAI 2009, for (6).
"""
import numpy as np

from scratchml.core.elementary import exp32
from scratchml.core.jit import kernel, run_chunks

# --- the equations -------------------------------------------------------------------------------


def log_q_corrected(s, q):
    """(1)  s'_ij = s_ij - ln q_j

    Shapes: s (B, C), q (C) -> (B, C)
    """
    return s - np.log(q)


def without_accidental_hits(s, t, c):
    """(2)  s'_ij = -inf where c_j = t_i and j ≠ i, else s_ij

    Shapes: s (B, C), t (B), c (C) -> (B, C)
    """
    hits = t[:, None] == c
    np.fill_diagonal(hits, False)
    return np.where(hits, -np.inf, s)


def batch_softmax(s, r):
    """(3)  L = -Σ_i r_i ln(e^s_ii / Σ_j e^s_ij) / Σ_i r_i

    Shapes: s (B, C), r (B) -> ()
    """
    most = s.max(axis=1)
    losses = most + np.log(np.exp(s - most[:, None]).sum(axis=1)) - np.diagonal(s)
    return float((r * losses).sum() / r.sum())


def softmax_gradient(s, r):
    """(4)  ∂L/∂s_ij = (e^s_ij / Σ_k e^s_ik - [i = j]) r_i / Σ_k r_k

    Shapes: s (B, C), r (B) -> (B, C)
    """
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), np.arange(len(p))] -= 1
    return p * (r / r.sum())[:, None]


def mixed_frequency(f, B, D):
    """(5)  q_m = (B f_m + D / M) / (B + D)

    Shapes: f (M), B, D -> (M)
    """
    return (B * f + D / len(f)) / (B + D)


def bpr_loss(x):
    """(6)  L = -mean_i ln(1 / (1 + e^-x_i))

    Shapes: x (B) -> ()
    """
    return float(np.logaddexp(0, -x).mean())


def unit_gradient(g, u):
    """(7)  ∂L/∂u = (g - (g·û) û) / ‖u‖

    Shapes: g (B, F), u (B, F) -> (B, F)
    """
    lengths = np.sqrt((u * u).sum(axis=1, keepdims=True))
    over = 1 / np.where(lengths > 0, lengths, np.inf)
    return (g - (g * u * over).sum(axis=1, keepdims=True) * u * over) * over


# --- compiled ------------------------------------------------------------------------------------


def loss_into_gradient(S, sharpness, shift, t, c):
    """L of (3) with r = 1 of scores s = sharpness S, and S (B, C) float32 becomes ∂L/∂S in place.

    Same result as (3) and (4) after (1) and (2), because a common factor leaves e^s / Σ e^s as it is: each row is taken
    relative to a number that is no less than its greatest.  `shift` (C,) is ln q, or 0.
    """
    S *= np.float32(sharpness)
    shift = shift.astype(np.float32)
    losses, above = np.empty(len(S)), S.max(axis=1) - shift.min()
    run_chunks(_row_by_row, len(S), S, np.concatenate([shift, above]), np.concatenate([c, t]), losses,
               chunk=max(1, 200_000 // S.shape[1]))
    S *= np.float32(sharpness / len(S))
    return float(losses.mean())


@kernel(contract=True)
def _row_by_row(c, start, stop, S, shift, items, losses):
    """Rows start ... stop-1 of S become p - [i = j].

    `shift` is that of the C candidates, and then what each row is relative to; `items` are c, and then t.
    """
    C = S.shape[1]
    for i in range(start, stop):
        row, item, above = S[i], items[C + i], shift[C + i]
        own = row[i] - shift[i] - above
        for j in range(C):
            e = exp32(row[j] - shift[j] - above)
            row[j] = np.float32(0) if items[j] == item else e
        row[i] = exp32(own)
        total = _sum(row)
        losses[i] = np.log(np.float64(total)) - own
        for j in range(C):
            row[j] /= total
        row[i] -= np.float32(1)


@kernel(reassociate=True)
def _sum(row):
    total = np.float32(0)
    for j in range(row.size):
        total += row[j]
    return total
