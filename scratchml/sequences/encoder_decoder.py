"""One sequence into another: a network that reads, a network that writes, and how the writer learns.

A sentence into its translation, a spelling into its sound: what is written has another length than what is read, and
its symbols do not stand below those of the source.  An encoder, an LSTM both ways, makes a vector of each place; a
decoder writes symbol after symbol, from its state, from what it looks at in these vectors, and from the symbol that it
wrote last.  The product of its distributions is one over all sequences of any length, for the end is a symbol too.

In training the symbol before is that of the target: teacher forcing, and all steps are one pass.  In use it is the
decoder's own, which may be wrong, and what comes after a wrong one training never showed.  Scheduled sampling shows it:
for each symbol a coin says whether the target's or one drawn from the decoder is read, and the coin begins at 1.

Symbols
    N, B          sequences of a corpus, of a batch
    F, H, G       units of a direction of the encoder, of the decoder, of the layer before the scores
    C, D          numbers of a place of the source, of a vector of a symbol
    V             symbols that can be written, the end, number 0, among them
    u, v  (B, F)        last state of the encoder forwards, and backwards
    W, b  (2*H, 2*F), (2*H,)  its map to the first states of the decoder
    h, k  (B, H), (B, C)      state of the decoder, and what it looks at, chapter attentive
    e     (B, D)        vector of the symbol that was written last
    A, a  (G, H+C+D), (G,)    first layer of the scores
    O, o  (V, G), (V,)        and their second
    R             symbols of all targets, their ends counted
    z     (R, V)        scores
    t     (R,)          symbols of the targets, in V
    starts  (N+1,)      where each target begins in these
    l     (N,)          log-likelihoods of targets
    y     (B,)          next symbols of the targets
    p     (B, V)        what the decoder expects in their place
    r     (B, 2)        uniform numbers from 0 to 1
    eps           probability that the target's symbol is read
    i             number of a batch, from 0
    c, least      how fast a schedule falls, and to what

Equations
    (1)  (h, c) = tanh(W (u ; v) + b)                                     first_state
    (2)  z = O tanh(A (h ; k ; e) + a) + o                                scores
    (3)  l_n = Σ_r z_r,t_r - ln Σ_s exp z_rs over the symbols r of target n     log_likelihoods
    (4)  L = -Σ_n l_n / R                                                 symbol_loss
    (5)  y_b if r_b1 < eps, else the least s with p_b0 + ... + p_bs > r_b2        scheduled_input
    (6)  eps_i = max(least, 1 - c i)                                      linear_forcing
    (7)  eps_i = c^i                                                      exponential_forcing
    (8)  eps_i = c / (c + exp(i / c))                                     sigmoid_forcing

Choices
    The loss is a mean over symbols, and ends count: else batches of short targets would weigh more.
    Scores are of what can be written alone: no mark can come out.  Number V is that of the beginning, which is read
    only.  Inputs are drawn first, by a decoder that drops nothing and of which no gradient is kept; then follows a pass
    with them.  So eps = 1 is the pass with the target's, and eps = 0 never reads the target but as what is to be
    written.  A symbol that no source of training had has the vector 0.
    Sequences are packed, chapter packing: what stands in padding has no influence.
    Without attention the decoder knows the source by its first state alone.

Cost
    With eps below 1 a step as in use, B G V multiplications and those of the cell, on top of each step of training.

>>> rng = np.random.default_rng(0)
>>> encoder = Encoder(5, 4, 3, rng=rng)
>>> decoder = AttentiveDecoder(3, 4, 6, 8, attention="bahdanau", rng=rng)
>>> x, lengths = np.array([[1, 2, 4], [3, 1, 0]]), np.array([3, 2])
>>> decoder(*encoder(x, lengths), np.array([[3, 1], [3, 0]]), np.array([2, 1])).shape          # 3 is the beginning
(3, 3)

Source: I. Sutskever, O. Vinyals and Q. Le, "Sequence to sequence learning with neural networks", NIPS 2014; D.
Bahdanau, K. Cho and Y. Bengio, ICLR 2015, appendix A.2, for (1) and (2), with tanh for the maxout there; S. Bengio and
others, "Scheduled sampling for sequence prediction with recurrent neural networks", NIPS 2015, section 2.4.
"""
from typing import NamedTuple

import numpy as np

from scratchml.autograd import no_grad
from scratchml.autograd.ops import concatenate
from scratchml.nn import LSTM, AttentiveLSTM, Dropout, Embedding, Linear, Module
from scratchml.nn.attentive_layer import Source, lstm_step
from scratchml.nn.kept_keys import TokenTransformer
from scratchml.nn.training import in_mode
from scratchml.sequences.gated_cnn import log_softmax
from scratchml.sequences.vocabulary import PAD, UNKNOWN

# --- the equations -------------------------------------------------------------------------------


def first_state(u, v, W, b):
    """(1)  (h, c) = tanh(W (u ; v) + b)

    Shapes: u (B, F), v (B, F), W (2*H, 2*F), b (2*H) -> (B, 2*H)
    """
    return np.tanh(np.concatenate([u, v], axis=1) @ W.T + b)


def scores(h, k, e, A, a, O, o):
    """(2)  z = O tanh(A (h ; k ; e) + a) + o

    Shapes: h (B, H), k (B, C), e (B, D), A (G, H+C+D), a (G), O (V, G), o (V) -> (B, V)
    """
    return np.tanh(np.concatenate([h, k, e], axis=1) @ A.T + a) @ O.T + o


def log_likelihoods(z, t, starts):
    """(3)  l_n = Σ_r z_r,t_r - ln Σ_s exp z_rs over the symbols r of target n

    Shapes: z (R, V), t (R) in V, starts (N+1) -> (N)
    """
    return np.add.reduceat(log_softmax(z)[np.arange(len(z)), t], np.asarray(starts)[:-1])


def symbol_loss(l, R):
    """(4)  L = -Σ_n l_n / R

    Shapes: l (N), R -> ()
    """
    return -np.sum(l) / R


def scheduled_input(y, p, r, eps):
    """(5)  y_b if r_b1 < eps, else the least s with p_b0 + ... + p_bs > r_b2

    Shapes: y (B), p (B, V), r (B, 2), eps -> (B)
    """
    below = p.cumsum(axis=1)
    drawn = (below <= r[:, 1:] * below[:, -1:]).sum(axis=1)
    return np.where(r[:, 0] < eps, y, np.minimum(drawn, p.shape[1] - 1))


def linear_forcing(i, c, least):
    """(6)  eps_i = max(least, 1 - c i)

    Shapes: i, c, least -> ()
    """
    return max(least, 1 - c * i)


def exponential_forcing(i, c):
    """(7)  eps_i = c^i

    Shapes: i, c -> ()
    """
    return c**i


def sigmoid_forcing(i, c):
    """(8)  eps_i = c / (c + exp(i / c))

    Shapes: i, c -> ()
    """
    return 1 / (1 + np.exp(min(i / c, 700.0)) / c)


# --- who reads ------------------------------------------------------------------------------------


class Encoder(Module):
    """Vectors of symbols, and LSTMs both ways.

    Parameters
    ----------
    size : int
        How many numbers there are; that of UNKNOWN has the vector 0.
    embedding_dim, hidden_size : int
        D and F.
    num_layers : int, default=1
        How many LSTMs there are, one on the states of the other.
    dropout : float, default=0.0
        Probability that an entry of a vector, or between LSTMs, becomes 0 in training.
    rng : numpy.random.Generator
        Source of the first weights, and of what is dropped.
    """

    def __init__(self, size, embedding_dim, hidden_size, num_layers=1, dropout=0.0, *, rng):
        self.vectors = Embedding(size, embedding_dim, random_state=rng)
        self.vectors.weight._data[UNKNOWN] = 0
        self.reader = LSTM(embedding_dim, hidden_size, num_layers, batch_first=True, dropout=dropout,
                           bidirectional=True,
                           random_state=rng)
        self.dropout = Dropout(dropout, random_state=rng)

    def forward(self, numbers, lengths):
        """A vector for each place, (B, S, 2F), the last states of both directions, (B, 2F), and the lengths.

        Parameters
        ----------
        numbers : array (B, S) of int
            The sources.
        lengths : array (B,) of int
            How many places each has.
        """
        places, (last, _) = self.reader(self.dropout(self.vectors(numbers)), lengths=lengths)
        return places, concatenate([last[-2], last[-1]], dim=1), lengths


# --- who writes ------------------------------------------------------------------------------------


class Memory(NamedTuple):
    """What a decoder knows of its sources while it writes, in arrays."""
    source: Source | None                                # what it looks at; None without attention
    states: np.ndarray                                   # (B, 2H), (1)


class AttentiveDecoder(Module):
    """Writes with what an Encoder has read, looking at it before the step of its LSTM, after it, or never.

    Parameters
    ----------
    size : int
        V, how many symbols can be written, the end, number 0, among them; V itself is the beginning.
    embedding_dim, source_size, hidden_size : int
        D, C = 2F and H, which is G as well.
    dropout : float, default=0.0
        Probability that an entry of a vector, or before the scores, becomes 0 in training.
    attention : {"bahdanau", "luong"} or None
        Where it looks, see AttentiveLSTM; None for nowhere.
    rng : numpy.random.Generator
        Source of the first weights, and of what is dropped.
    """

    def __init__(self, size, embedding_dim, source_size, hidden_size, dropout=0.0, *, attention, rng):
        D, C, H = embedding_dim, source_size, hidden_size
        self.vectors, self.looks = Embedding(size + 1, D, random_state=rng), attention is not None
        self.first = Linear(C, 2 * H, random_state=rng)
        self.writer = AttentiveLSTM(D, H, C, attention=attention, random_state=rng) if self.looks else \
            LSTM(D, H, batch_first=True, random_state=rng)
        self.mixed = Linear(H + (C if self.looks else 0) + D, H, random_state=rng)
        self.scores = Linear(H, size, random_state=rng)
        self.dropout, self.hidden_size, self.size = Dropout(dropout, random_state=rng), H, size

    def forward(self, places, last, lengths, numbers, steps):
        """Scores (R, V) of the symbols after `numbers` (B, T), of which `steps` (B,) count, one target after the other.

        Parameters
        ----------
        places, last, lengths : Tensors (B, S, C) and (B, C), array (B,)
            What `Encoder` returns.
        numbers : array (B, T) of int
            What has been written before each step: V, and then the target but for its last symbol.
        steps : array (B,) of int
            How many of these count.
        """
        H, e = self.hidden_size, self.dropout(self.vectors(numbers))
        first = self.first(last).tanh()
        h, c = first[:, :H], first[:, H:]
        if self.looks:
            (y, k, _), _ = self.writer(e, places, (h, c), steps, lengths)
            read = [y, k, e]
        else:
            y, _ = self.writer(e, (h.unsqueeze(0), c.unsqueeze(0)), steps)
            read = [y, e]
        read = those_that_count(concatenate(read, dim=2), steps)
        return self.scores(self.dropout(self.mixed(read).tanh()))

    # --- step by step, on arrays

    def memory(self, places, last, lengths):
        """What `step` needs of the sources.

        Parameters
        ----------
        places, last, lengths : Tensors (B, S, C) and (B, C), array (B,)
            What `Encoder` returns.
        """
        last, W, b, C = last.numpy(), self.first.weight._data, self.first.bias._data, self.first.weight.shape[1]
        source = self.writer.source(places.numpy(), lengths) if self.looks else None
        return Memory(source, first_state(last[:, :C // 2], last[:, C // 2:], W, b))

    def start(self, memory):
        """What `step` takes first: which source each row is of, and the states.

        Parameters
        ----------
        memory : Memory
            The sources.
        """
        H = self.hidden_size
        return np.arange(len(memory.states)), memory.states[:, :H], memory.states[:, H:]

    def step(self, memory, state, numbers):
        """Scores (n, V) of what comes after `numbers` (n,), the state then, and P (n, S) or None.

        Parameters
        ----------
        memory : Memory
            The sources.
        state : tuple of arrays (n, ...)
            As `start` returns it.
        numbers : array (n,) of int
            The symbols that were written last; V at the beginning.
        """
        (which, h, c), e = state, self.vectors.weight._data[numbers]
        if self.looks:
            (h, c), k, P = self.writer.step(e, (h, c), memory.source, which)
        else:
            W, U, p, q = (parameter._data for parameter in self.writer.parameters())
            (h, c), k, P = lstm_step(e @ W.T, h, c, U, p + q), np.empty((len(h), 0), e.dtype), None
        z = scores(h, k, e, self.mixed.weight._data, self.mixed.bias._data, self.scores.weight._data,
                   self.scores.bias._data)
        return z, (which, h, c), P


class EncoderDecoder(Module):
    """An `encoder` and a `decoder`.

    Parameters
    ----------
    encoder, decoder : Module
        Who reads, and who writes.
    """

    def __init__(self, encoder, decoder):
        self.encoder, self.decoder, self.size, self.looks = encoder, decoder, decoder.size, decoder.looks

    def forward(self, x, lengths, numbers, steps):
        """The scores (R, V) of the decoder.

        Parameters
        ----------
        x, lengths : array (B, S) and (B,) of int
            Sources, and how many places each has.
        numbers, steps : array (B, T) and (B,) of int
            What has been written before each step, and how many steps count.
        """
        return self.decoder(*self.encoder(x, lengths), numbers, steps)

    def start(self, x, lengths):
        """A function (state, numbers) -> (scores, state, P) that writes step by step, and the first state.

        Parameters
        ----------
        x, lengths : array (B, S) and (B,) of int
            Sources, and how many places each has.
        """
        with in_mode(self, False), no_grad():
            memory = self.decoder.memory(*self.encoder(x, lengths))
        return lambda state, numbers: self.decoder.step(memory, state, numbers), self.decoder.start(memory)


class TransformerNetwork(Module):
    """The same of a transformer, whose decoder keeps keys and values step by step, chapter kept_keys.

    Parameters
    ----------
    sources, size : int
        How many numbers there are on either side; V = size is the beginning, as in AttentiveDecoder.
    width, num_layers : int
        The length of all vectors, and how many layers each side has.
    dropout : float
        Probability that an entry becomes 0 in training.
    rng : numpy.random.Generator
        Source of the first weights, and of what is dropped.
    """

    looks = True

    def __init__(self, sources, size, width, num_layers, dropout, *, rng):
        self.size = size
        self.transformer = TokenTransformer(sources, size + 1, width, 4, num_layers, num_layers, 2 * width, dropout,
                                            random_state=rng)
        self.transformer.source_vectors.weight._data[UNKNOWN] = 0

    def forward(self, x, lengths, numbers, steps):
        """Scores (R, V), as those of EncoderDecoder.

        Parameters
        ----------
        x, lengths : array (B, S) and (B,) of int
            Sources, and how many places each has.
        numbers, steps : array (B, T) and (B,) of int
            What has been written before each step, and how many steps count.
        """
        there = np.arange(x.shape[1]) < np.asarray(lengths)[:, None]
        return those_that_count(self.transformer(np.where(there, x, PAD), numbers), steps)[:, :self.size]

    def start(self, x, lengths):
        """As that of EncoderDecoder.

        Parameters
        ----------
        x, lengths : array (B, S) and (B,) of int
            Sources, and how many places each has.
        """
        def step(state, numbers):
            log_p, state, P = self.transformer.step(state, numbers)
            return log_p[:, :self.size], state, P
        return step, self.transformer.start(np.where(np.arange(x.shape[1]) < np.asarray(lengths)[:, None], x, PAD))


def those_that_count(rows, steps):
    """The rows (R, C) of a Tensor (B, T, C) that are of the first `steps` (B,) of each."""
    B, T, C = rows.shape
    there = np.flatnonzero(np.arange(T) < np.asarray(steps)[:, None])
    rows = rows.reshape(B * T, C)
    return rows if len(there) == B * T else rows[there]


def drawn_inputs(network, x, lengths, numbers, eps, rng):
    """`numbers` (B, T) with each but the first by (5): the target's, or drawn from what the network expects there."""
    step, state = network.start(x, lengths)
    inputs = numbers.copy()
    for t in range(numbers.shape[1] - 1):
        z, state, _ = step(state, inputs[:, t])
        p = np.exp(log_softmax(z))
        inputs[:, t + 1] = scheduled_input(numbers[:, t + 1], p, rng.random((len(x), 2)), eps)
    return inputs
