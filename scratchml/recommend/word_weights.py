"""Words as features: how often each is in a text, and how much that says about the text.

The name of a thing says what it is.  Count its words, and things with the same words are alike; but that two of them
are "small" says little, and that both are "cutlery" a lot.  So a count is weighed by how few texts have the word.
TF-IDF does that by a logarithm (1), and gives every text the length 1 (2).  BM25 derives such a weight from odds of
being relevant, lets a word that is repeated count ever less, and long texts count less than short ones (3).

Symbols
    t  (N, V)  counts, as sparse rows: t_dw is how often word w is in text d
    n  (V,)    in how many texts w is
    N, V       texts, words
    l_d        the length of a text, Σ_w t_dw; m is the mean of all
    f_w        the weight of a word; x_dw and y_dw those of a word in a text
    k          how fast repeats count less: a word counts at most k + 1 times
    b          how much the length of a text matters, from 0 to 1

Equations
    (1)  f_w = ln((1 + N) / (1 + n_w)) + 1                                              inverse_document_frequency
    (2)  x_dw = t_dw f_w / √Σ_v (t_dv f_v)², 0 where t_dw is                            tf_idf
    (3)  y_dw = ln(1 + (N - n_w + 1/2) / (n_w + 1/2)) t_dw (k + 1) / (t_dw + k (1 - b + b l_d / m))     bm25

Choices
    The 1s in (1) stand for one text more that has every word, so nothing is divided by 0, and the one after it keeps a
    word that all texts have: it counts 1, not 0.  The 1 within the logarithm of (3) does so there, as in Lucene.
    Texts are folded to lower case.  A word has two letters or digits at least; pairs of words that stand side by side
    count as words too, if asked for.  Words are ordered as their characters are.  Two ways to write a letter in Unicode
    stay two: normalise the texts before, if they come from several sources.
    What a text has of words that were not in those of `fit` is passed over.

Cost
    O(W log W) time and O(W) memory for W words in all texts.

>>> names = ["Red retro tin", "red tin red tin", "Retro lamp"]
>>> model = Tfidf().fit(names)
>>> model.get_feature_names_out().tolist(), model.idf_.round(4).tolist()
(['lamp', 'red', 'retro', 'tin'], [1.6931, 1.2877, 1.2877, 1.2877])
>>> x = model.transform(names)
>>> x.indices.tolist(), x.data.round(3).tolist()
([1, 2, 3, 1, 3, 0, 2], [0.577, 0.577, 0.577, 0.707, 0.707, 0.796, 0.605])

Sources: G. Salton and C. Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing and
Management 24 (1988), for (2); S. Robertson and H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond",
Foundations and Trends in Information Retrieval 3 (2009), section 3.4, for (3).
"""
import numbers
import re
from typing import NamedTuple

import numpy as np

from scratchml.core.checks import one_of, real_number, true_or_false, whole_number
from scratchml.core.estimator import Estimator
from scratchml.core.sparse import Rows, known_entries

# --- the weights ---------------------------------------------------------------------------------


def inverse_document_frequency(n, N):
    """(1)  f_w = ln((1 + N) / (1 + n_w)) + 1

    Shapes: n (V), N -> (V)
    """
    return np.log((1 + N) / (1 + n)) + 1


def tf_idf(counts):
    """(2)  x_dw = t_dw f_w / √Σ_v (t_dv f_v)², 0 where t_dw is

    Rows of length 1, or 0 for a text without words.  Raises ValueError for counts below 0 and what is no matrix.

    Shapes: t (N, V) -> (N, V)

    Parameters
    ----------
    counts : array (N, V), Rows or sparse matrix (N, V)
        How often each text has each word; in an array NaN is none.
    """
    t = _counts(counts)
    return unit_length(_weighted(t, inverse_document_frequency(texts_with(t), t.shape[0])))


def bm25(counts, k1=1.2, b=0.75):
    """(3)  y_dw = ln(1 + (N - n_w + 1/2) / (n_w + 1/2)) t_dw (k + 1) / (t_dw + k (1 - b + b l_d / m))

    Raises ValueError for counts below 0, what is no matrix, and parameters out of range.

    Shapes: t (N, V), k, b -> (N, V)

    Parameters
    ----------
    counts : array (N, V), Rows or sparse matrix (N, V)
        How often each text has each word; in an array NaN is none.
    k1 : float, default=1.2
        k, how fast repeats count less; with 0 a word counts once.
    b : float, default=0.75
        How much the length of a text matters, from 0 to 1.
    """
    t = _counts(counts)
    return saturated(t, odds(t), _lengths(t).mean(), *check_bm25(k1, b))


def texts_with(t):
    """n (V,), in how many rows each column of `t` (N, V) is not 0."""
    return np.bincount(t.indices[t.data != 0], minlength=t.shape[1])


def odds(t):
    """The logarithm in (3), (V,), of counts `t` (N, V)."""
    n = texts_with(t)
    return np.log(1 + (t.shape[0] - n + 0.5) / (n + 0.5))


def saturated(t, weights, mean, k, b):
    """(3) from the logarithms `weights` (V,) and the `mean` length, which may be those of other texts."""
    longer = np.repeat(_lengths(t), np.diff(t.indptr)) / (mean if mean > 0 else 1)
    below = t.data + k * (1 - b + b * longer)
    return t._replace(data=weights[t.indices] * t.data * (k + 1) / np.where(below > 0, below, 1))


def unit_length(x):
    """Rows of `x` (N, V) divided by their lengths, 0 where that is."""
    rows = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    lengths = np.sqrt(np.bincount(rows, x.data * x.data, minlength=x.shape[0]))
    return x._replace(data=x.data / np.where(lengths > 0, lengths, 1)[rows])


def check_bm25(k1, b):
    """k and b of (3).  Raises ValueError if they are out of range."""
    if not 0 <= real_number(b, "b") <= 1:
        raise ValueError(f"b={b!r}: expected a number from 0 to 1")
    return real_number(k1, "k1"), float(b)


def _counts(counts):
    t = known_entries(counts, name="counts", dtype=np.float64)
    if t.data.min(initial=0) < 0:
        raise ValueError(f"counts: expected numbers of at least 0, got {t.data.min()}")
    if t.data.max(initial=0) > 1e100:
        raise ValueError(f"counts: {t.data.max()} is no count, and its square cannot be held")
    return t


def _lengths(t):
    return np.bincount(np.repeat(np.arange(t.shape[0]), np.diff(t.indptr)), t.data, minlength=t.shape[0])


def _weighted(t, f):
    return t._replace(data=t.data * f[t.indices])


# --- texts into words, and words into weights ----------------------------------------------------


class Tfidf(Estimator):
    """Texts as rows of TF-IDF: (2), with (1) from the texts of `fit`.

    The parameters are scikit-learn's, and so are the numbers.

    Parameters
    ----------
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        What a word is, as a regular expression.
    ngram_range : tuple of int, default=(1, 1)
        From how many words side by side to how many count as one: (1, 2) is words and pairs.
    min_df : int or float, default=1
        In how many texts a word must be, or in which share of them.
    max_df : int or float, default=1.0
        In how many it may be at most, or in which share.
    sublinear_tf : bool, default=False
        Whether 1 + ln t stands for t in (2).
    norm : {"l2"} or None, default="l2"
        Whether a row has the length 1; None leaves the numerator of (2).
    smooth_idf : bool, default=True
        Whether the 1s are in the fraction of (1).

    Attributes
    ----------
    vocabulary_ : {word: column}
    idf_ : (V,), f_w of each word
    """

    _takes_a_table = False                               # but texts

    def __init__(self, *, token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 1), min_df=1, max_df=1.0, sublinear_tf=False,
                 norm="l2", smooth_idf=True):
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.sublinear_tf = sublinear_tf
        self.norm = norm
        self.smooth_idf = smooth_idf

    def fit(self, texts, y=None):
        """Find the words and how rare they are.  Returns itself.  Errors are those of `fit_transform`.

        Parameters
        ----------
        texts : list of str (N,)
            Names, titles, articles.
        y : None, default=None
            Ignored.
        """
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts, y=None):
        """Rows (N, V) of the texts that are learned from.

        Raises ValueError for what is no text, for parameters that are wrong, and where no word is left.

        Parameters
        ----------
        texts : list of str (N,)
            Names, titles, articles.
        y : None, default=None
            Ignored.
        """
        self._check()
        names, t = _vocabulary(texts, self)
        n = texts_with(t)
        idf = inverse_document_frequency(n, t.shape[0]) if self.smooth_idf else np.log(t.shape[0] / n) + 1
        self.vocabulary_, self.idf_ = {name: w for w, name in enumerate(names)}, idf
        return self._weigh(t)

    def transform(self, texts):
        """Rows (S, V) of other texts.  Raises ValueError for what is no text, and before `fit`.

        Parameters
        ----------
        texts : list of str (S,)
            Of their words, those that `fit` has seen count.
        """
        self._check_fitted()
        self._check()
        return self._weigh(_known_words(texts, self))

    def get_feature_names_out(self):
        """The words (V,), in order of their columns.  Raises ValueError before `fit`."""
        self._check_fitted()
        return np.array(list(self.vocabulary_), dtype=object)

    def _weigh(self, t):
        t = t._replace(data=1 + np.log(t.data)) if self.sublinear_tf else t
        x = _weighted(t, self.idf_)
        return unit_length(x) if self.norm else x

    def _check(self):
        _check_words(self)
        if self.norm is not None:
            one_of(self.norm, "norm", ("l2",))
        true_or_false(self.sublinear_tf, "sublinear_tf")
        true_or_false(self.smooth_idf, "smooth_idf")


class WordCounts(Estimator):
    """Texts as rows of counts, from which `bm25` and `ContentBased(metric="bm25")` take theirs.

    Parameters
    ----------
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        What a word is, as a regular expression.
    ngram_range : tuple of int, default=(1, 1)
        From how many words side by side to how many count as one: (1, 2) is words and pairs.
    min_df : int or float, default=1
        In how many texts a word must be, or in which share of them.
    max_df : int or float, default=1.0
        In how many it may be at most, or in which share.

    Attributes
    ----------
    vocabulary_ : {word: column}
    """

    _takes_a_table = False                               # but texts

    def __init__(self, *, token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 1), min_df=1, max_df=1.0):
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df

    def fit(self, texts, y=None):
        """Find the words.  Returns itself.  Errors are those of `fit_transform`.

        Parameters
        ----------
        texts : list of str (N,)
            Names, titles, articles.
        y : None, default=None
            Ignored.
        """
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts, y=None):
        """Rows (N, V) of the texts that are learned from.  Raises ValueError as `Tfidf.fit_transform` does.

        Parameters
        ----------
        texts : list of str (N,)
            Names, titles, articles.
        y : None, default=None
            Ignored.
        """
        _check_words(self)
        names, t = _vocabulary(texts, self)
        self.vocabulary_ = {name: w for w, name in enumerate(names)}
        return t

    def transform(self, texts):
        """Rows (S, V) of other texts.  Raises ValueError for what is no text, and before `fit`.

        Parameters
        ----------
        texts : list of str (S,)
            Of their words, those that `fit` has seen count.
        """
        self._check_fitted()
        _check_words(self)
        return _known_words(texts, self)

    def get_feature_names_out(self):
        """The words (V,), in order of their columns.  Raises ValueError before `fit`."""
        self._check_fitted()
        return np.array(list(self.vocabulary_), dtype=object)


# --- counting ------------------------------------------------------------------------------------


class _Grams(NamedTuple):
    """What stands in N texts: entry e says that text documents[e] has the word names[words[e]] counts[e] times."""
    names: list
    documents: np.ndarray
    words: np.ndarray
    counts: np.ndarray
    N: int


def _vocabulary(texts, model):
    """The words that are neither too rare nor too common, in order, and their counts as Rows (N, V)."""
    found = _grams(texts, model)
    n = np.bincount(found.words, minlength=len(found.names))
    least, most = (_number_of(getattr(model, name), found.N, name) for name in ("min_df", "max_df"))
    if most < least:
        raise ValueError(f"max_df={model.max_df!r} and min_df={model.min_df!r}: no word is in at most {most} and in at "
                         f"least {least} of {found.N} texts; raise the one or lower the other")
    kept = np.flatnonzero((n >= least) & (n <= most))
    if not kept.size:
        raise ValueError(f"texts: no word is left of {len(found.names)} in {found.N} texts; lower min_df, raise "
                         "max_df, or look at the texts and token_pattern")
    kept = kept[sorted(range(len(kept)), key=[found.names[w] for w in kept.tolist()].__getitem__)]
    return [found.names[w] for w in kept.tolist()], _as_rows(found, kept, len(kept))


def _known_words(texts, model):
    found = _grams(texts, model)
    columns = np.array([model.vocabulary_.get(name, -1) for name in found.names], np.int64)
    kept = np.full(len(model.vocabulary_), -1)
    kept[columns[columns >= 0]] = np.flatnonzero(columns >= 0)
    return _as_rows(found, kept, len(kept))


def _as_rows(found, kept, V):
    """Counts as Rows (N, V) of the words kept[w] (V,), -1 for a word that is nowhere."""
    column = np.full(len(found.names) + 1, -1)
    column[kept] = np.arange(V)
    column[-1] = -1
    w = column[found.words]
    documents, w, counts = (part[w >= 0] for part in (found.documents, w, found.counts))
    order = np.argsort(documents * V + w)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(documents, minlength=found.N))]).astype(np.int64)
    return Rows(indptr, w[order].astype(np.int32), counts[order].astype(np.float64), (found.N, V))


def _grams(texts, model):
    """All words of the texts, and n words side by side as one: an (n-1)-gram and the word after it."""
    find, first, last = re.compile(model.token_pattern).findall, *model.ngram_range
    words = [find(text.lower()) for text in _texts(texts)]
    sizes = np.array([len(some) for some in words])
    number = {}
    word = np.array([number.setdefault(w, len(number)) for some in words for w in some], np.int64)
    single = list(number)
    # words to the end of the text
    names, g, left = single, word, np.repeat(np.cumsum(sizes), sizes) - np.arange(len(word))
    place, text_of = np.arange(len(word)), np.repeat(np.arange(len(words)), sizes)
    all_names, keys = [], []
    for n in range(1, last + 1):
        if n > 1:
            place, g = place[left[place] >= n], g[left[place] >= n]
            pairs, at, g = np.unique(g * len(single) + word[place + n - 1], return_index=True, return_inverse=True)
            names = [f"{names[pair // len(single)]} {single[pair % len(single)]}" for pair in pairs.tolist()]
        if n >= first:
            keys.append((text_of[place], g + len(all_names)))
            all_names += names
    documents, grams = (np.concatenate(parts) for parts in zip(*keys))
    both, counts = np.unique(documents * max(1, len(all_names)) + grams, return_counts=True)
    return _Grams(all_names, *np.divmod(both, max(1, len(all_names))), counts, len(words))


def _texts(texts):
    """`texts` as a list of str.  Raises ValueError for anything else among them."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__") or hasattr(texts, "columns") or \
            isinstance(texts, (dict, set, frozenset)):
        raise ValueError(f"texts: expected a list of str, got {type(texts).__name__}"
                         + ("; put a single text into a list" if isinstance(texts, str) else ""))
    texts = list(texts)
    for d, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"texts: expected str, got {text!r:.40} of type {type(text).__name__} at {d}"
                             + ("; decode it" if isinstance(text, bytes) else "; fill it in or leave it out"))
    if not texts:
        raise ValueError("texts: expected at least one text, got none")
    return texts


def _check_words(model):
    if not isinstance(model.token_pattern, str):
        raise ValueError(f"token_pattern={model.token_pattern!r}: expected a regular expression as str")
    try:
        groups = re.compile(model.token_pattern).groups
    except re.error as error:
        raise ValueError(f"token_pattern={model.token_pattern!r}: no regular expression, {error}") from None
    if groups > 1:
        raise ValueError(f"token_pattern={model.token_pattern!r}: expected at most one group, got {groups}")
    some = model.ngram_range
    if not isinstance(some, (tuple, list)) or len(some) != 2:
        raise ValueError(f"ngram_range={some!r}: expected two whole numbers, such as (1, 2)")
    if whole_number(some[0], "ngram_range[0]") > whole_number(some[1], "ngram_range[1]"):
        raise ValueError(f"ngram_range={some!r}: expected the first to be at most the second")
    for name in ("min_df", "max_df"):
        _number_of(getattr(model, name), 1, name)


def _number_of(value, N, name):
    """A number of texts: `value` itself, or that share of N."""
    if isinstance(value, numbers.Integral):
        return whole_number(value, name)
    if not 0 <= real_number(value, name) <= 1:
        raise ValueError(f"{name}={value!r}: expected a whole number of texts, or a share of them from 0.0 to 1.0")
    return value * N
