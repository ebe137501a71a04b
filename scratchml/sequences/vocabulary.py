"""Symbols as numbers, for networks that read and write sequences: marks in front, and targets shifted by one.

Marks are numbers and no symbols: "<s>", "<pad>" or None in the data are symbols as all others.

>>> words = Vocabulary.of(["bab", "c"])
>>> words.symbols, words.encode("cab!"), words.decode([6, 4, END, PAD])
(['b', 'a', 'c'], [6, 5, 4, 3], ['c', 'b'])
>>> before, after = shifted([words.encode("bab"), words.encode("c")])
>>> print(before, after, sep="\\n")
[[1 4 5 4]
 [1 6 0 0]]
[[4 5 4 2]
 [6 2 0 0]]
"""
from numbers import Integral

import numpy as np

from scratchml.core.checks import in_order

PAD, BEGIN, END, UNKNOWN = range(4)  # what fills a row, stands before and behind, and was never seen
MARKS = 4


class Vocabulary:
    """Numbers for symbols, from 4; 0 to 3 are PAD, BEGIN, END and UNKNOWN.  len() counts these.

    Parameters
    ----------
    symbols : iterable of hashable
        Each once, in the order of their numbers.  Raises ValueError for a symbol that comes twice, or cannot be a key.
    """

    def __init__(self, symbols):
        self.symbols = list(symbols)
        try:
            self._number = {symbol: MARKS + k for k, symbol in enumerate(self.symbols)}
            unequal = [symbol for symbol in self.symbols if not symbol == symbol]
        except TypeError as error:                       # pandas.NA does not say whether it equals itself
            raise ValueError(f"symbols: expected symbols that can be keys of a dict: {error}") from None
        if unequal:
            raise ValueError(f"symbols: {unequal[0]!r} is not equal to itself, so it can be no symbol; leave it out")
        if len(self._number) < len(self.symbols):
            twice = next(s for k, s in enumerate(self.symbols) if self._number[s] != MARKS + k)
            raise ValueError(f"symbols: expected each symbol once, got {twice!r} twice")

    @classmethod
    def of(cls, sequences):
        """The symbols of the sequences, in the order in which they are first met.  Raises ValueError as the class does.

        Parameters
        ----------
        sequences : iterable of sequences
            Strings, or lists of hashable symbols.
        """
        if not in_order(sequences):
            raise ValueError(f"sequences: expected a list of sequences, got {sequences!r:.40}; put a single one into a "
                             "list")
        try:
            return cls(dict.fromkeys(symbol for sequence in sequences for symbol in sequence))
        except TypeError as error:
            raise ValueError("sequences: expected strings, or lists of symbols that can be keys of a dict: "
                             f"{error}") from None

    def __len__(self):
        return MARKS + len(self.symbols)

    def encode(self, sequence):
        """The numbers of a sequence, a list; UNKNOWN for a symbol that is not among them.

        Raises ValueError for what is no sequence of hashable symbols.

        Parameters
        ----------
        sequence : iterable of hashable
            A string, or a list of symbols.
        """
        try:
            return [self._number.get(symbol, UNKNOWN) for symbol in sequence]
        except TypeError as error:
            raise ValueError(f"sequence: expected a string, or a list of hashable symbols: {error}") from None

    def decode(self, numbers):
        """The symbols of the numbers, a list, as far as the first END; marks among them are left out.

        Raises ValueError for a number that is none of a symbol.

        Parameters
        ----------
        numbers : iterable of int
            As `encode` returns them.
        """
        symbols = []
        for number in numbers:
            if not isinstance(number, Integral) or not 0 <= number < len(self):
                raise ValueError(f"numbers: expected whole numbers from 0 to {len(self) - 1}, got {number!r}")
            if number == END:
                break
            if number >= MARKS:
                symbols.append(self.symbols[number - MARKS])
        return symbols


def shifted(numbers):
    """What a decoder is given, BEGIN and the target; what it is to answer, the target and END: two arrays (N, T + 1).

    T is the length of the longest; behind what is shorter stands PAD.  Raises ValueError for a target that has one of
    PAD, BEGIN and END in it, or anything else that is no number of a symbol or UNKNOWN.

    Parameters
    ----------
    numbers : list (N,) of lists of int
        Targets, as `Vocabulary.encode` returns them.
    """
    numbers = list(map(list, numbers))
    before = np.full((len(numbers), 1 + max(map(len, numbers), default=0)), PAD)
    after = before.copy()
    for n, target in enumerate(numbers):
        if not all(isinstance(number, Integral) and number >= UNKNOWN for number in target):
            raise ValueError(f"numbers[{n}]: expected whole numbers of at least {UNKNOWN}, as encode returns them, got "
                             f"{target!r:.40}")
        before[n, :len(target) + 1] = [BEGIN, *target]
        after[n, :len(target) + 1] = [*target, END]
    return before, after
