"""Weights of words from a full matrix t of counts, and words of texts counted one by one."""
import re
from math import log, sqrt


def inverse_document_frequency(n, N):
    """(1)"""
    return [log((1 + N) / (1 + texts)) + 1 for texts in n]


def texts_with(t):
    return [sum(count > 0 for count in column) for column in zip(*t)]


def tf_idf(t):
    """(2)"""
    f = inverse_document_frequency(texts_with(t), len(t))
    weighted = [[count * weight for count, weight in zip(row, f)] for row in t]
    lengths = [sqrt(sum(x * x for x in row)) for row in weighted]
    return [[x / length if length else 0.0 for x in row] for row, length in zip(weighted, lengths)]


def bm25(t, k, b):
    """(3)"""
    N, mean = len(t), sum(map(sum, t)) / len(t)
    n = texts_with(t)
    return [[log(1 + (N - n[w] + 0.5) / (n[w] + 0.5)) * count * (k + 1) / (count + k * (1 - b + b * sum(row) / mean))
             if count else 0.0 for w, count in enumerate(row)] for row in t]


def counts(texts, first, last, least, most):
    """The words that are in `least` to `most` texts, and how often each is in each text."""
    grams = []
    for text in texts:
        words = re.findall(r"(?u)\b\w\w+\b", text.lower())
        grams.append([" ".join(words[i:i + n]) for n in range(first, last + 1) for i in range(len(words) - n + 1)])
    names = sorted({gram for some in grams for gram in some})
    names = [name for name in names if least <= sum(name in some for some in grams) <= most]
    return names, [[some.count(name) for name in names] for some in grams]
