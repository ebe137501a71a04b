"""The tour: every chapter on real data, its numbers beside those of the library that people use.

A module of this package shows the chapter of the same name.  Its docstring says in one line what the chapter
teaches; CHAPTER is the chapter's module, DATA the data it runs on; `run(seed, pictures, full)` yields a `Row` for each
measure and an `Example` for a person to look at, and draws if `pictures` is not None.  It takes about ten seconds;
what takes longer is done if `full`, and otherwise stands in the table as it was recorded.
"""
CHAPTERS = ("kmeans", "kmeans_bounds", "gmm", "pca", "tsne", "autoencoder", "variational", "crf", "als", "content",
            "two_tower", "rerank", "click_bait", "ranking", "trees", "stages", "exhaustive", "hnsw", "tensor",
            "training",
            "lstm", "bilstm_tagger", "gated_cnn", "seq2seq", "dual_encoder", "strategies", "unit_root", "direction",
            "noise",
            "relevance", "stl", "anomalies", "prophet")
