"""Sequences: labels, words and time, where what comes next depends on what came before."""
CHAPTERS = ("crf",)
