"""Features of words: what a tagger looks at when it has never seen the word.

A word that is unknown still has an ending, a shape and neighbours.  `word_features` says what a word is made of, and
`with_neighbours` adds what stands beside it.  Both make dicts, as `CRF` and python-crfsuite read them.

>>> word_features("McKinley's")["shape"], word_features("1600")["digits"]
("XxXx'x", 'all')
>>> sentence = with_neighbours([word_features(word, affixes=0) for word in "12 Oak St.".split()])
>>> sorted(sentence[0])[:4], sentence[1]["-1:word"], sentence[1]["+1:shape"]
(['+1:case', '+1:digits', '+1:length', '+1:shape'], '12', 'Xx.')
"""
from itertools import groupby
from numbers import Integral

from scratchml.core.checks import in_order, whole_number


def word_features(word, *, affixes=3):
    """A dict of what one word (a str, of shape ()) is made of: itself in small letters, affixes, case, digits, shape,
    length.

    `affixes` is the length of the longest prefix and suffix.  Raises ValueError if `word` is not a str or empty, and
    if `affixes` is no whole number of at least 0.
    """
    if not isinstance(word, str) or not word:
        raise ValueError(f"word: expected a str that is not empty, got {word!r}")
    whole_number(affixes, "affixes", least=0)
    features = {"word": word.lower(), "case": case(word), "digits": digits(word), "shape": shape(word),
                "length": str(len(word))}
    for n in range(1, min(affixes, len(word)) + 1):
        features[f"prefix{n}"], features[f"suffix{n}"] = word[:n], word[-n:]
    return features


def case(word):
    """upper, lower, title, mixed, or none if `word`, a str of shape (), has no letters.  Raises no error for any
    str."""
    if word.lower() == word.upper():
        return "none"
    return "upper" if word.isupper() else "lower" if word.islower() else "title" if word.istitle() else "mixed"


def digits(word):
    """all, some or none: are the characters of `word`, a str of shape (), digits?  Raises no error for any str."""
    count = sum(c.isdigit() for c in word)
    return "none" if count == 0 else "all" if count == len(word) else "some"


def shape(word):
    """`word`, a str of shape (), with X for capitals, x for small letters, 0 for digits, each run once.  Raises no
    error."""
    kinds = ("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in groupby(kinds))


def with_neighbours(tokens, window=(-1, 1)):
    """The features of T tokens, dicts of shape (T,), each with those of the tokens at the distances `window` too.

    The word before lends its "word" as "-1:word"; the first and last token have the feature "-1:outside", "+1:outside".
    Raises ValueError for distances that are 0 or no whole numbers, and for tokens that are no dicts.
    """
    tokens, window = _tokens(tokens), _distances(window)
    named = {d: [{f"{d:+d}:{name}": value for name, value in token.items()} for token in tokens] for d in window}
    result = []
    for t, token in enumerate(tokens):
        features = dict(token)
        for d in window:
            features |= named[d][t + d] if 0 <= t + d < len(tokens) else {f"{d:+d}:outside": True}
        result.append(features)
    return result


def sentence_features(words, *, affixes=3, window=(-1, 1)):
    """The two together, for the T words (T,) of a sentence.  Raises ValueError as they do."""
    if not in_order(words):
        raise ValueError(f"words: expected a list of words, got {words!r:.40}; split a sentence first")
    return with_neighbours([word_features(word, affixes=affixes) for word in words], window)


def _tokens(tokens):
    """`tokens`, which may be an iterator, as a list of dicts."""
    if not in_order(tokens):
        raise ValueError(f"tokens: expected a list of dicts, got {type(tokens).__name__}")
    tokens = list(tokens)
    for t, token in enumerate(tokens):
        if not isinstance(token, dict):
            raise ValueError(f"tokens[{t}]: expected a dict of features, got {token!r:.40}; word_features makes one of "
                             "a word")
    return tokens


def _distances(window):
    """`window`, which may be an iterator, as a tuple of whole numbers."""
    if not hasattr(window, "__iter__"):
        raise ValueError(f"window={window!r}: expected distances such as (-1, 1)")
    window = tuple(window)
    for d in window:
        if not isinstance(d, Integral) or isinstance(d, bool):
            raise ValueError(f"window: expected whole numbers such as -1 and 1, got {d!r}")
    if 0 in window:
        raise ValueError("window: expected distances such as -1 and 1, got 0, which is the token itself")
    return window
