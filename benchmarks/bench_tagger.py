"""Training and tagging with a conditional random field, beside CRFsuite on the same features.

The corpus is made up: 12,000 sentences, 210,000 tokens, 17 labels, 10 features a token, 47,000 attributes whose
frequencies fall like those of words (Zipf).  An iteration of L-BFGS is the difference of two fits.  A pass with 300
labels shows what a sequence costs that has nothing but its labels' pairs.
"""
import os
import tempfile
import warnings
from functools import lru_cache, partial

import numpy as np

from benchmarks import Case, peer, test_contender          # noqa: F401  pytest runs it
from scratchml.core.estimator import ConvergenceWarning
from scratchml.sequences import CRF
from scratchml.sequences.corpus import Attributes, read_labels, read_tokens

K, WORDS = 17, 16_000


@lru_cache(maxsize=2)
def corpus(S=12_000):
    """S sentences of lists of strings, and their labels."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.gamma(4, 4.2, S).astype(int) + 1, 1, 80)
    follow = rng.dirichlet(np.full(K, 0.3), size=K).cumsum(axis=1)
    label_of = rng.integers(K, size=WORDS)               # the label that a word has four times out of five
    own = [np.flatnonzero(label_of == k) for k in range(K)]
    X, y = [], []
    for T in lengths:
        labels = [rng.integers(K)]
        while len(labels) < T:
            labels.append(min(int(np.searchsorted(follow[labels[-1]], rng.random())), K - 1))
        noise = rng.random(T) < 0.2
        words = [_pick(rng, range(WORDS) if off else own[k]) for k, off in zip(labels, noise)]
        X.append([_features(words, t) for t in range(T)])
        y.append([f"L{k:02}" for k in labels])
    return X, y


def _pick(rng, words):
    """One of `words`, in order of falling frequency, by a power law: the inverse of its distribution."""
    n = len(words)
    return int(words[min(int(np.exp(rng.random() * np.log(n + 1))) - 1, n - 1)])


def _features(words, t):
    w = words[t]
    before = words[t - 1] if t else None
    after = words[t + 1] if t + 1 < len(words) else None
    return ["bias", f"word={w}", f"prefix={w % 1500}", f"suffix={w * 7919 % 2500}", f"ending={w * 31 % 300}",
            f"shape={w % 23}", f"-1:word={before}", f"+1:word={after}",
            f"-1:ending={before and before * 31 % 300}", f"+1:ending={after and after * 31 % 300}"]


# --- reading


def read_ours(X, y):
    starts, rows = read_tokens(X, Attributes(), grow=True)
    labels, _ = read_labels(y, starts)
    return len(labels)


@peer("pycrfsuite")
def read_crfsuite(X, y):
    _trainer(X, y)
    return sum(map(len, y))


def _trainer(X, y):
    import pycrfsuite
    trainer = pycrfsuite.Trainer(verbose=False)
    for x, labels in zip(X, y):
        trainer.append(x, labels)
    return trainer


# --- training


def train_ours(X, y, iterations):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return CRF(c2=1.0, max_iterations=iterations).fit(X, y).loss_


@peer("pycrfsuite")
def train_crfsuite(X, y, iterations):
    trainer = _trainer(X, y)
    trainer.set_params(dict(c1=0.0, c2=1.0, max_iterations=iterations))
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(os.path.join(folder, "model"))
    return trainer.logparser.last_iteration["loss"]


# --- one pass, many labels


@lru_cache(maxsize=1)
def many_labels(labels=300, T=80):
    rng = np.random.default_rng(0)
    X = [[[f"word={w}"] for w in rng.integers(100, size=T)] for _ in range(20)]
    return X, [[f"L{k:03}" for k in (s * T + np.arange(T)) % labels] for s in range(20)]


def pass_of_ours(X, y, algorithm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        CRF(algorithm, max_iterations=1, c2=1.0, random_state=0).fit(X, y)


@peer("pycrfsuite")
def pass_of_crfsuite(X, y, algorithm):
    import pycrfsuite
    trainer = pycrfsuite.Trainer(algorithm=algorithm, verbose=False)
    for x, labels in zip(X, y):
        trainer.append(x, labels)
    trainer.set_params(dict(max_iterations=1))
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(os.path.join(folder, "model"))


# --- tagging


@lru_cache(maxsize=1)
def models():
    """Both models of the same 2,000 sentences."""
    X, y = (part[:2000] for part in corpus())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = CRF(c2=1.0, max_iterations=20).fit(X, y)
    return ours


@lru_cache(maxsize=1)
def crfsuite_tagger():
    import pycrfsuite
    X, y = (part[:2000] for part in corpus())
    trainer = _trainer(X, y)
    trainer.set_params(dict(c1=0.0, c2=1.0, max_iterations=20))
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(os.path.join(folder, "model"))
        tagger = pycrfsuite.Tagger()
        tagger.open(os.path.join(folder, "model"))
    return tagger


def tag_ours(X):
    return models().predict(X)


@peer("pycrfsuite")
def tag_crfsuite(X):
    tagger = crfsuite_tagger()
    return [tagger.tag(x) for x in X]


def tag_each_of_ours(X):
    model = models()
    return [model.predict_single(x) for x in X]


def same_loss(theirs, ours):
    """Ten iterations of two line searches: not the same steps, but as far."""
    assert abs(theirs - ours) < 0.1 * abs(ours), f"{theirs} and {ours}"


def same_labels(theirs, ours):
    """Models after twenty iterations differ a little: 99 of 100 labels agree."""
    pairs = [pair for a, b in zip(theirs, ours) for pair in zip(a, b)]
    assert np.mean([a == b for a, b in pairs]) > 0.99


CASES = [
    Case("read 12,000 sentences", data=corpus, contenders={"scratchml": read_ours, "python-crfsuite": read_crfsuite}),
    *(Case(f"fit, {n} iterations", data=partial(lambda n: (*corpus(), n), n), agree=same_loss,
           contenders={"scratchml": train_ours, "python-crfsuite": train_crfsuite}) for n in (5, 25)),
    *(Case(f"{algorithm}, one pass, 300 labels", data=partial(lambda name: (*many_labels(), name), algorithm),
           contenders={"scratchml": pass_of_ours, "python-crfsuite": pass_of_crfsuite})
           for algorithm in ("ap", "l2sgd")),
    Case("tag 4,000 sentences", data=lambda: (corpus()[0][:4000],), agree=same_labels,
         contenders={"scratchml": tag_ours, "python-crfsuite": tag_crfsuite}),
    Case("tag 1,000 sentences, one a call", data=lambda: (corpus()[0][:1000],), agree=same_labels,
         contenders={"scratchml": tag_each_of_ours, "python-crfsuite": tag_crfsuite}),
]
