"""Choosing an answer from a pool: two encoders, whose vectors are alike for what belongs together.

A model that writes answers may say anything.  One that chooses says only what has been said before, by someone who
meant it: replies of a chat, products for a query, pronunciations of a spelling.  Both sides are sequences, and each has
an encoder that makes a vector of it.  The cosine of two vectors says how well an answer suits a context, and training
raises it for pairs that belong together above that for pairs that do not; how, is the chapter contrastive.

Since neither encoder sees the other side, a pool is encoded once.  A context then costs one encoding and one product
with the matrix of the pool, however many answers are in it.

The encoders are those of encoders.py: a GRU, gated convolutions, or a bag.  Symbols are numbered as training meets
them; one that it has not met is a vector of zeros.  Equal answers, and all answers of equal contexts, are never wrong
for each other: the sequences themselves are compared, not their vectors.

>>> numbers = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fuenf", "six": "sechs"}
>>> model = DualEncoder(8, hidden_size=8, epochs=40, learning_rate=0.02, random_state=0)
>>> model.fit(list(numbers), list(numbers.values())).index(["drei", "eins", "fuenf", "sechs", "vier", "zwei"])
DualEncoder(dim=8, hidden_size=8, epochs=40, learning_rate=0.02, random_state=0)
>>> found, how_alike = model.search(["two", "five"], 2)
>>> found[:, 0].tolist(), how_alike.shape
([5, 2], (2, 2))

Sources: R. Lowe, N. Pow, I. Serban and J. Pineau, "The Ubuntu dialogue corpus", SIGDIAL 2015, section 4; M. Henderson
and others, "Efficient natural language response suggestion for Smart Reply", arXiv 1705.00652 (2017).
"""
from functools import partial

import numpy as np

from scratchml.autograd import no_grad
from scratchml.core import storage
from scratchml.core.checks import one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator, warn_not_converged
from scratchml.core.progress import report
from scratchml.core.random import generator
from scratchml.core.selection import largest
from scratchml.metrics.candidates import recall_of, rivals
from scratchml.nn.contrastive import (RightAnswers, both_directions, cosines_of_all, draw_wrong, hardest_hinge,
                                      in_batch_hinge, in_batch_softmax, semi_hard_hinge, single_hinge)
from scratchml.nn.module import Module
from scratchml.nn.training import fit
from scratchml.optim import Adam
from scratchml.optim.schedules import OneCycleLR
from scratchml.sequences.encoders import ENCODERS, Numbered, SequenceEncoder, encoded, told_apart
from scratchml.sequences.language_model import read_sequences
from scratchml.sequences.vocabulary import Vocabulary

KIND = "scratchml.sequences.DualEncoder"
HINGES = {"in_batch": in_batch_hinge, "hard": hardest_hinge, "semi_hard": semi_hard_hinge}
SCORES_AT_ONCE = 2**24                                   # similarities that are held together
ALIKE = 0.99                                             # vectors whose mean similarity is above have collapsed

# --- two encoders, and what they learn from ------------------------------------------------------


class TwoEncoders(Module):
    """Encoders of `contexts` and of `answers`, the same one for both if `shared`."""

    def __init__(self, sizes, E, H, D, kind, shared, rng):
        self.contexts = SequenceEncoder(sizes[0], E, H, D, kind, rng)
        self.answers = self.contexts if shared else SequenceEncoder(sizes[1], E, H, D, kind, rng)


class _Lessons(Module):
    """Encoders and what they learn from: numbers of pairs become the sum of their losses, and how many these are.

    network : TwoEncoders
    sides : the contexts and the answers, Numbered
    told : numbers (N,) of both, equal ones for equal sequences
    loss : of similarities (B, B) and a mask of what is wrong
    """

    def __init__(self, network, sides, told, loss):
        self.network, self.sides, self.told, self.loss = network, sides, told, loss
        self.right = RightAnswers.of(*told)
        self.taught = None                               # whether a batch had a wrong answer; None before the first

    def forward(self, which):
        S, wrong = self.compared(which)
        self.taught = bool(self.taught or wrong.any())
        return (self.loss(S, wrong) * len(which), len(which)) if wrong.any() else (S.sum() * 0, 0)

    def compared(self, which):
        """The similarities (B, B) of the pairs of these numbers, and which are wrong."""
        u, v = (encoder(*side.batch(which)) for encoder, side in
                zip((self.network.contexts, self.network.answers), self.sides))
        if not (np.isfinite(u.data).all() and np.isfinite(v.data).all()):
            raise ValueError("contexts, answers: their vectors became NaN or infinite in training; lower "
                             "learning_rate, or set max_norm")
        return cosines_of_all(u, v), self.right.wrong(*(numbers[which] for numbers in self.told))

    def can_teach(self):
        """Whether any answer is wrong for any context."""
        c, a = self.told
        return len(self.right.answers) < (c.max() + 1) * (a.max() + 1)

    def likeness(self):
        """The mean similarity of what does not belong together, of the first pairs."""
        with no_grad():
            S, wrong = self.compared(np.arange(min(len(self.told[0]), 256)))
        return S.data[wrong].mean() if wrong.any() else 0.0


# --- the estimator -------------------------------------------------------------------------------


class DualEncoder(Estimator):
    """Two encoders that choose an answer from a pool: fit(contexts, answers), then index(pool) and search(contexts, k).

    Contexts and answers are lists of sequences: strings, which are sequences of characters, or lists of symbols,
    whatever can be the key of a dict; pass text.split() to have words.

    Training runs through Adam with the schedule of OneCycleLR, in batches drawn at random.  Ctrl-C, like a callback
    that says stop, leaves the last whole epoch.

    Parameters
    ----------
    dim : int, default=64
        D, the length of the vectors.
    hidden_size : int, default=64
        H, the hidden units of an encoder, for a GRU of each direction.
    embedding_dim : int, default=32
        E, the length of the vectors of symbols.
    encoder : {"gru", "bag", "conv"}, default="gru"
        What reads a sequence.
    shared : bool, default=False
        Whether both sides have one encoder, and one set of symbols.
    loss : {"hinge", "softmax"}, default="hinge"
        Whether the right answer is to be ahead by a margin, or to be chosen by a softmax.
    negatives : {"in_batch", "hard", "semi_hard", "random"}, default="in_batch"
        Which wrong answers a hinge is of: all of the batch, the hardest, the hardest that is beaten, or one drawn.  A
        softmax is of all.
    margin : float, default=0.2
        α of the hinge, by how much the right answer shall be more alike.
    scale : float, default=20.0
        τ of the softmax.
    symmetric : bool, default=True
        Whether answers choose among contexts, too.
    epochs : int, default=6
        Passes over the pairs.
    batch_size : int, default=64
        Pairs in a batch at most.
    learning_rate : float, default=0.006
        The greatest step length.
    max_norm : float or None, default=1.0
        Gradients of a greater norm are scaled down to it.
    random_state : int, numpy.random.Generator or None, default=None
        Seed or source of first weights, of the order of pairs, and of wrong answers that are drawn.
    verbose : int, default=0
        1 for a line to stderr after each epoch.
    callback : callable or None, default=None
        Called with a `Progress` after each epoch; returning True stops the fit.

    Attributes
    ----------
    context_symbols_, answer_symbols_ : the symbols of each side, in the order in which they were first seen
    module_ : the network, a Module with the parts `contexts` and `answers`
    loss_history_ : the loss in each epoch, while the weights move
    n_iter_ : epochs done
    """

    _takes_a_table = False                               # but sequences of symbols

    def __init__(self, dim=64, *, hidden_size=64, embedding_dim=32, encoder="gru", shared=False, loss="hinge",
                 negatives="in_batch", margin=0.2, scale=20.0, symmetric=True, epochs=6, batch_size=64,
                 learning_rate=0.006, max_norm=1.0, random_state=None, verbose=0, callback=None):
        self.dim = dim
        self.hidden_size = hidden_size
        self.embedding_dim = embedding_dim
        self.encoder = encoder
        self.shared = shared
        self.loss = loss
        self.negatives = negatives
        self.margin = margin
        self.scale = scale
        self.symmetric = symmetric
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_norm = max_norm
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    # --- training

    def fit(self, contexts, answers):
        """Learn from pairs: answers[n] belongs to contexts[n].  Returns itself; what `index` has kept is gone.

        A ConvergenceWarning says that all vectors have become alike.
        Raises ValueError for parameters out of range, no pairs, more of one side than of the other, sequences that are
        empty or no sequences, and where no answer is wrong for any context, so that nothing can be learned.

        Parameters
        ----------
        contexts : list (N,) of sequences
            What is answered.
        answers : list (N,) of sequences
            What belongs to it.
        """
        rng = generator(self.random_state)
        loss, epochs = self._loss(rng), whole_number(self.epochs, "epochs")
        batch_size = whole_number(self.batch_size, "batch_size", least=2)
        contexts, answers = read_pairs(contexts, answers)
        vocabularies = self._vocabularies(contexts, answers)
        built = dict(E=self.embedding_dim, H=self.hidden_size, D=self.dim, kind=self.encoder, shared=bool(self.shared))
        network = TwoEncoders(list(map(len, vocabularies)), **built, rng=rng).eval()
        told = tuple(told_apart(side)[0] for side in (contexts, answers))
        sides = [Numbered.of(*side) for side in zip((contexts, answers), vocabularies)]
        lessons = _Lessons(network, sides, told, loss)
        if not lessons.can_teach():
            raise ValueError(f"answers: none of the {len(answers)} is wrong for any of the contexts, so there is "
                             "nothing to learn; expected at least two pairs with different contexts and answers")
        history = []
        optimizer = Adam(network.parameters(), lr=real_number(self.learning_rate, "learning_rate", above=0.0))
        schedule = OneCycleLR(optimizer, self.learning_rate, epochs * -(-len(contexts) // batch_size) + 1)

        def after(progress):
            history.append(progress.loss)
            lessons.taught = None                        # in the next epoch
            vars(self).update(_vocabularies_=vocabularies, _built=built, _pool=None, module_=network,
                              context_symbols_=vocabularies[0].symbols, answer_symbols_=vocabularies[1].symbols,
                              loss_history_=list(history), n_iter_=len(history))
            return report(self, len(history), progress.loss)
        try:
            fit(lessons, optimizer, lambda pair: pair, np.arange(len(contexts)), None, batch_size=batch_size,
                epochs=epochs, max_norm=self.max_norm, schedule=schedule, random_state=rng, callback=after)
        except ValueError:
            if lessons.taught is not False:
                raise
            raise ValueError(f"batch_size={batch_size}: no batch of an epoch had an answer that is wrong for one of "
                             "its contexts, so there was nothing to learn; raise it") from None
        network.zero_grad()                              # nobody needs the last gradients
        if (alike := lessons.likeness()) > ALIKE:
            warn_not_converged(f"all vectors have become alike, with a mean cosine of {alike:.3f}; take other "
                               "negatives than the hardest, or lower learning_rate")
        return self

    def _vocabularies(self, contexts, answers):
        """The symbols of each side as a Vocabulary; of both together, if they share an encoder."""
        if self.shared:
            return [Vocabulary.of(contexts + answers)] * 2
        return [Vocabulary.of(contexts), Vocabulary.of(answers)]

    def _loss(self, rng):
        """The loss of similarities (N, N) and a mask of what is wrong."""
        for name in ("dim", "hidden_size", "embedding_dim"):
            whole_number(getattr(self, name), name)
        one_of(self.encoder, "encoder", ENCODERS)
        true_or_false(self.shared, "shared")
        negatives = one_of(self.negatives, "negatives", (*HINGES, "random"))
        margin, scale = real_number(self.margin, "margin"), real_number(self.scale, "scale", above=0.0)
        if one_of(self.loss, "loss", ("hinge", "softmax")) == "softmax":
            if negatives != "in_batch":
                raise ValueError(f"negatives={negatives!r}: a softmax is of all wrong answers of a batch; leave it at "
                                 "'in_batch', or take loss='hinge'")
            one_way = partial(in_batch_softmax, scale=scale)
        elif negatives == "random":
            def one_way(S, wrong):
                return single_hinge(S, draw_wrong(wrong, rng), margin)
        else:
            one_way = partial(HINGES[negatives], margin=margin)
        return partial(both_directions, one_way) if true_or_false(self.symmetric, "symmetric") else one_way

    # --- asking

    def encode_contexts(self, contexts):
        """The vectors of contexts, (N, D), of length 1, or 0 for one that is all zeros.

        Equal sequences have equal vectors, to the last bit.  Raises ValueError for what are no sequences, and an empty
        one.

        Parameters
        ----------
        contexts : list (N,) of sequences
            What is answered.
        """
        vectors, numbers = self._encoded(contexts, "contexts")
        return vectors[numbers]

    def encode_answers(self, answers):
        """The vectors of answers, (N, D), as `encode_contexts`.  Raises ValueError as that does.

        Parameters
        ----------
        answers : list (N,) of sequences
            What may be chosen.
        """
        vectors, numbers = self._encoded(answers, "answers")
        return vectors[numbers]

    def similarity(self, contexts, answers):
        """The cosine of each context and each answer, (N, M), the same to the last bit for equal answers.

        Raises ValueError as `encode_contexts` does.

        Parameters
        ----------
        contexts : list (N,) of sequences
            What is answered.
        answers : list (M,) of sequences
            What may be chosen.
        """
        return cosines(self.encode_contexts(contexts), *self._encoded(answers, "answers"))

    def index(self, answers):
        """Encode a pool of answers, which `search` then chooses from.  Returns itself.

        Raises ValueError as `encode_answers` does, and for an empty pool.

        Parameters
        ----------
        answers : list (M,) of sequences
            What may be chosen.
        """
        pool = self._encoded(answers, "answers")
        if not len(pool[1]):
            raise ValueError("answers: expected at least one to choose from, got none")
        self._pool = pool
        return self

    def search(self, contexts, k=1):
        """The k answers of the pool that suit each context best: their numbers (N, k) and cosines (N, k), best first.

        Of equals the one with the lower number comes first.  Raises ValueError as `encode_contexts` does, before
        `index`, and for k above the number of answers.

        Parameters
        ----------
        contexts : list (N,) of sequences
            What is answered.
        k : int, default=1
            How many answers.
        """
        self._check_fitted()
        k = whole_number(k, "k")
        if self._pool is None:
            raise ValueError("search: there is no pool to choose from; call index(answers) after fit")
        M = len(self._pool[1])
        if k > M:
            raise ValueError(f"k={k}: the pool has only {M} answers; lower k")
        u = self.encode_contexts(contexts)
        found = [largest(cosines(some, *self._pool), k)
                 for some in np.array_split(u, max(1, -(-len(u) * M // SCORES_AT_ONCE)))]
        return tuple(map(np.concatenate, zip(*found)))

    def score(self, contexts, answers, k=1, n=100):
        """Recall at k of n: how often the right answer is among the first k of itself and n - 1 wrong ones.

        All draws of wrong answers from those given count, and all orders of ties, see `recall_at_k_of_n`.  Raises
        ValueError as `fit` does, and where there are fewer than n answers that are right or wrong for a context.

        Parameters
        ----------
        contexts : list (N,) of sequences
            What is answered.
        answers : list (N,) of sequences
            What belongs to it.
        k : int, default=1
            How many places count.
        n : int or None, default=100
            How many answers are shown; None for all.
        """
        self._check_fitted()
        contexts, answers = read_pairs(contexts, answers)
        c, a = (told_apart(side)[0] for side in (contexts, answers))
        u, pool, known = self.encode_contexts(contexts), self._encoded(answers, "answers"), RightAnswers.of(c, a)
        counts = [rivals(cosines(u[some], *pool), some, known.wrong(c[some], a))
                  for some in np.array_split(np.arange(len(u)), -(-len(u) * len(u) // SCORES_AT_ONCE))]
        return recall_of(*map(np.concatenate, zip(*counts)), k, n)

    def _encoded(self, sequences, side):
        """Vectors (M, D) of length 1 of all that differ, and the number of that of each sequence, (N,)."""
        self._check_fitted()
        sequences = not_empty(read_sequences(sequences, side), side)
        numbers, first = told_apart(sequences)
        different = Numbered.of([sequences[n] for n in first], self._vocabularies_[side == "answers"])
        return encoded(getattr(self.module_, side), different), numbers

    # --- keeping

    def save(self, path):
        """Write the model, and the pool that it has, to a file.

        callback, verbose and random_state are not kept.  Raises ValueError if it is not fitted, or for symbols that are
        no strings or numbers; OSError if it cannot be written.

        Parameters
        ----------
        path : str or path
            The file.
        """
        self._check_fitted()
        for symbol in self.context_symbols_ + self.answer_symbols_:
            if not isinstance(symbol, (str, bool, int, float, np.generic)) and symbol is not None:
                raise ValueError(f"a file holds strings and numbers, got the symbol {symbol!r}; number the symbols")
        parameters = {name: value for name, value in self.get_params().items()
                      if name not in ("callback", "verbose", "random_state")}
        arrays = {f"weight {name}": array for name, array in self.module_.state_dict().items()}
        arrays |= {} if self._pool is None else dict(zip(("pool", "pool numbers"), self._pool))
        storage.save(path, KIND, arrays, dict(
            parameters=parameters, built=self._built, history=self.loss_history_,
            symbols=[vocabulary.symbols for vocabulary in self._vocabularies_]))

    @classmethod
    def load(cls, path):
        """The model that `save` wrote.  Raises ValueError if the file is damaged or holds something else.

        Parameters
        ----------
        path : str or path
            The file.
        """
        arrays, rest = storage.load(path, KIND)
        model, vocabularies = cls(**rest["parameters"]), list(map(Vocabulary, rest["symbols"]))
        network = TwoEncoders(list(map(len, vocabularies)), **rest["built"], rng=generator(0)).eval()
        network.load_state_dict({name.removeprefix("weight "): array for name, array in arrays.items()
                                 if name.startswith("weight ")})
        pool = (arrays["pool"], arrays["pool numbers"]) if "pool" in arrays else None
        vars(model).update(_vocabularies_=vocabularies, _built=rest["built"], _pool=pool, module_=network,
                           context_symbols_=vocabularies[0].symbols, answer_symbols_=vocabularies[1].symbols,
                           loss_history_=rest["history"], n_iter_=len(rest["history"]))
        return model


# --- pieces --------------------------------------------------------------------------------------


def cosines(u, different, numbers):
    """Those of unit vectors u (N, D) and of different[numbers], (N, M).

    What is equal ties: a product of all columns may round the same column differently at another place.
    """
    S = u @ different.T
    return S if len(different) == len(numbers) else S.take(numbers, axis=1)


def read_pairs(contexts, answers):
    """Both sides as lists of sequences, as many of one as of the other.  Raises ValueError."""
    contexts, answers = (not_empty(read_sequences(side, name), name)
                         for side, name in ((contexts, "contexts"), (answers, "answers")))
    if len(contexts) != len(answers) or not contexts:
        raise ValueError(f"contexts, answers: expected as many of one as of the other, at least one, got "
                         f"{len(contexts)} and {len(answers)}")
    return contexts, answers


def not_empty(sequences, name):
    for n, sequence in enumerate(sequences):
        if not len(sequence):
            raise ValueError(f"{name}[{n}]: expected at least one symbol, got an empty sequence; leave it out, or mark "
                             "it by a symbol")
    return sequences
