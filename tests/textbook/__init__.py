"""Tests of the text: it keeps its word, stands on its floor, runs as printed and touches nothing it should not."""
