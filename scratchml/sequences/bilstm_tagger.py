"""A tagger that reads both ways: a bidirectional LSTM over the words of a sentence, with a field on top or without.

The label of a word depends on the words around it.  A field on features is told of them by hand: the word before and
the word after, as attributes.  A recurrent layer that reads the sentence from its first word on, and another that reads
it from its last, have in their states what they have read; so the two states at a word know the whole sentence, and
what of it matters is learned.

With one softmax a word, each label is chosen for itself.  With a field on top they are chosen together, so that what
never follows each other is not found either.

Symbols
    N, M, D         tokens of a sequence, attributes, length of their vectors
    H, K            hidden units of each direction, labels
    G     (N, M)    values of the attributes of the tokens, as sparse Rows
    P     (M, D)    vectors of the attributes
    x     (N, D)    vectors of the tokens
    R, S  (4*H, D+H+1)  the weights of each direction: of its input, of its state, and the biases; S (4*H, D+H+1)
    u, v  (N, H)    states of the two directions; v (N, H) of the one that begins at the last token
    W     (K, 2*H)  weights of the scores
    b     (K,)      their biases
    E     (N, K)    emissions, the scores of the labels
    y     (N,)      labels, -1 where unknown
    n               how many labels are known
    L               the loss without a field; that with a field is (3) of the chapter crf_layer

Equations
    (1)  x_t = Σ_m G_tm P_m                                                          token_vectors
    (2)  u_t = LSTM(x_t, u_{t-1}), v_t = LSTM(x_t, v_{t+1})                          both_ways
    (3)  E_t = W (u_t ; v_t) + b                                                     emissions
    (4)  L = -Σ_t log softmax(E_t)[y_t] / n                                          token_loss
    (5)  p(y_t = j) = softmax(E_t)[j]                                                token_marginals

Choices
    The first states are 0, at the first token and at the last; a batch is packed, so padding costs nothing and nobody
    reads it.  Where a label is unknown, (4) leaves the token out, and the field sums over all labels.
    In training three things are dropped at random: attributes, so that a word is also read from its ending and shape as
    a word must be that nobody has seen; and entries of x and of (u ; v).  What is random is drawn from one generator.
    The steps are those of Adam, on batches of sequences of like length, with the norm of the gradient bounded.
    What all taggers share that are networks stands in neural_tagger.py.

Cost
    An epoch: O(nnz D + N (D + H) H + N H K), with a field N K² more, for N tokens with nnz attributes in all.

>>> X = [[{"word": word} for word in text.split()] for text in ("the cat sat", "the dog sat", "a dog ran", "cat ran")]
>>> y = [["D", "N", "V"], ["D", "N", "V"], ["D", "N", "V"], ["N", "V"]]
>>> tagger = BiLSTMTagger(8, embedding_dim=8, epochs=40, learning_rate=0.02, random_state=0).fit(X, y)
>>> tagger.predict([[{"word": "a"}, {"word": "cat"}, {"word": "ran"}], [{"word": "dog"}, {"word": "sat"}]])
[['D', 'N', 'V'], ['N', 'V']]

Sources: A. Graves and J. Schmidhuber, "Framewise phoneme classification with bidirectional LSTM and other neural
network architectures", Neural Networks 18 (2005); Z. Huang, W. Xu and K. Yu, "Bidirectional LSTM-CRF models for
sequence tagging", arXiv 1508.01991 (2015), section 2; X. Ma and E. Hovy, "End-to-end sequence labeling via
bi-directional LSTM-CNNs-CRF", ACL 2016, for what is dropped before and after the LSTM.
"""
import numpy as np

from scratchml.autograd.ops import as_tensor
from scratchml.autograd.table import SCATTER
from scratchml.core.checks import whole_number
from scratchml.core.sparse import dense
from scratchml.nn.lstm import lstm
from scratchml.nn.module import Module
from scratchml.nn.recurrent import LSTM
from scratchml.sequences.neural_tagger import NeuralTagger

# --- the equations -------------------------------------------------------------------------------


def token_vectors(G, P):
    """(1)  x_t = Σ_m G_tm P_m

    Shapes: G (N, M), P (M, D) -> (N, D)
    """
    return dense(G) @ P


def both_ways(x, R, S):
    """(2)  u_t = LSTM(x_t, u_{t-1}), v_t = LSTM(x_t, v_{t+1})

    Shapes: x (N, D), R (4*H, D+H+1), S (4*H, D+H+1) -> (N, H), (N, H)
    """
    return _one_way(x, R), _one_way(x[::-1], S)[::-1]


def _one_way(x, R):
    D, H = x.shape[1], len(R) // 4
    first, no_bias = np.zeros((1, H)), np.zeros(4 * H)
    states, _, _ = lstm(x[:, None], first, first, R[:, :D], R[:, D:D + H], R[:, D + H], no_bias)
    return states[:, 0]


def emissions(u, v, W, b):
    """(3)  E_t = W (u_t ; v_t) + b

    Shapes: u (N, H), v (N, H), W (K, 2*H), b (K) -> (N, K)
    """
    return np.concatenate([u, v], axis=1) @ W.T + b


def token_loss(E, y):
    """(4)  L = -Σ_t log softmax(E_t)[y_t] / n

    Shapes: E (N, K), y (N) in K -> ()
    """
    known = np.flatnonzero(y >= 0)
    return -np.log(token_marginals(E)[known, y[known]]).mean()


def token_marginals(E):
    """(5)  p(y_t = j) = softmax(E_t)[j]

    Shapes: E (N, K) -> (N, K)
    """
    p = np.exp(E - E.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


# --- the tagger ------------------------------------------------------------------------------------


class BothWays(Module):
    """(2) for sequences that stand one after the other: of vectors (N, D) and `lengths` (B,) the states (N, 2H).

    Same result as (2), because the LSTM begins at each sequence's own first and last token.

    Parameters
    ----------
    embedding_dim, hidden_size, num_layers : int
        D, H, and how many layers there are, one on the states of the other.
    dropout : float
        Probability that an entry between layers becomes 0 in training.
    rng : numpy.random.Generator
        Source of the first weights, and of what is dropped.
    """

    def __init__(self, embedding_dim, hidden_size, num_layers, dropout, rng):
        self.lstm = LSTM(embedding_dim, hidden_size, num_layers, batch_first=True, dropout=dropout, bidirectional=True,
                         random_state=rng)

    def forward(self, x, lengths):
        x, B, T = as_tensor(x), len(lengths), int(lengths.max())
        there = np.flatnonzero(np.arange(T) < np.asarray(lengths)[:, None])
        whole = len(there) == B * T
        padded = x if whole else SCATTER(x, params=(there, (B * T, x.shape[1])))
        states, _ = self.lstm(padded.reshape(B, T, x.shape[1]), lengths=lengths)
        rows = states.reshape(B * T, states.shape[2])
        return rows if whole else rows[there]


class BiLSTMTagger(NeuralTagger):
    """A bidirectional LSTM for labelling sequences, with a conditional random field on top or without.

    X is a list of sequences.  A token is a dict of features (str: bool, number or str) or a list of strings, as for
    `CRF`; or a sequence is an array (T, D).  y is a list of lists of labels, strings or whole numbers; None is a label
    that is not known.  Attributes that were not seen in training count for nothing.

    Parameters
    ----------
    hidden_size : int, default=64
        H, the hidden units of each direction.
    num_layers : int, default=1
        How many layers, one on the states of the other.
    embedding_dim : int, default=64
        D, the length of the vectors of attributes.
    crf : bool, default=True
        Whether a field chooses the labels of a sequence together; else each is chosen for itself, by a softmax.
    forbidden : {"BIO", "IOB1", "IOBES", "BILOU", "BMES"}, collection of pairs or None, default=None
        What must not follow each other: what these schemes do not allow, or pairs (label, next label), where both
        occur.  Without a field it counts when labels are asked for, not in training.
    dropout : float, default=0.4
        Probability that an entry before, between and after the layers becomes 0 in training.
    attribute_dropout : float, default=0.2
        Probability that an attribute of a token is left out in training.
    epochs : int, default=30
        Passes over the data.
    batch_size : int, default=16
        Sequences in a batch at most.
    learning_rate : float, default=0.003
        The step length of Adam.
    validation_split : float, default=0.0
        Share of the sequences, drawn at random, that is kept apart.
    patience : int or None, default=None
        Epochs without a better loss after which training ends; the weights are then those of the best epoch.
    max_norm : float or None, default=5.0
        Gradients of a greater norm are scaled down to it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of what is dropped, and of the order of sequences.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    classes_ : the K labels, sorted
    attributes_ : the attributes, in the order in which they were first seen
    module_ : the network, a Module with the parts `vectors`, `reader`, `scores` and `crf`
    loss_history_ : the loss for each token after each epoch; of the sequences kept apart, if there are any
    n_iter_ : epochs done
    """

    def __init__(self, hidden_size=64, num_layers=1, *, embedding_dim=64, crf=True, forbidden=None, dropout=0.4,
                 attribute_dropout=0.2, epochs=30, batch_size=16, learning_rate=0.003, validation_split=0.0,
                 patience=None, max_norm=5.0, random_state=None, verbose=0, callback=None):
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding_dim = embedding_dim
        self.crf = crf
        self.forbidden = forbidden
        self.dropout = dropout
        self.attribute_dropout = attribute_dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_split = validation_split
        self.patience = patience
        self.max_norm = max_norm
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def _reader(self, rng):
        H = whole_number(self.hidden_size, "hidden_size")
        return BothWays(self.embedding_dim, H, self.num_layers, self.dropout, rng), 2 * H
