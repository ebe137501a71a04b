"""The tour: every chapter on real data, its numbers beside those of the library that people use.

A module of this package shows the chapter of the same name.  Its docstring says in one line what the chapter
teaches; CHAPTER is the chapter's module, DATA the data it runs on; `run(seed, pictures)` yields a `Row` for each
measure, and draws if `pictures` is not None.
"""
CHAPTERS = ("kmeans", "kmeans_bounds", "gmm", "pca", "tsne", "crf", "als", "autograd", "training", "lstm")
