"""The order of things: the parts of the book, and the lecture that it is of."""

# The parts of the book as one would read it, each on those before it.
PARTS = ("core", "preprocessing", "metrics", "datasets", "optim", "autograd", "cluster", "nn", "reduction", "sequences",
         "timeseries", "recommend")

# The lecture, by its own order: a topic and the chapters that it is told in.
LECTURE = (
    ("Sequence labelling: the chain and its sums", ("crf", "crf_scaled")),
    ("Training a conditional random field, and tagging with it",
     ("crf_training", "lbfgs", "line_search", "crf_online", "tagger")),
    ("Recurrent networks: plain, LSTM, GRU, both directions", ("elman", "lstm", "gru", "recurrent")),
    ("Attention, with many heads, Bahdanau's, and transformers", ("attention", "multihead", "additive", "transformer")),
    ("Convolutions over sequences", ("convolution", "pooling")),
    ("What trains them: gradients, losses, optimisers, the loop",
     ("tensor", "table", "cross_entropy", "losses", "similarity", "first_order", "schedules", "training")),
    ("What keeps them in bounds: start, curves, normalisation, dropout",
     ("initialisation", "activations", "smooth", "normalisation", "layers")),
    ("Time series: forecasting several steps ahead", ("windows", "ridge", "strategies")),
    ("How good a forecast is, and how far off it may be", ("forecasting", "backtesting", "conformal")),
    ("Time series: whether they stand still", ("unit_root", "unit_root_law", "level")),
    ("Time series: trend, season, and what is left", ("loess", "stl")),
    ("Outliers, when nobody knows how many", ("outliers",)),
    ("Recommending by factors: alternating least squares", ("objectives", "half_steps", "als", "best_items")),
    ("Recommending by neighbours, and by a truncated SVD", ("neighbors", "truncated_svd")),
    ("How good a ranked list is", ("splits", "ranking")),
    ("Clustering: k-means and its variants", ("kmeans", "kmeans_bounds", "minibatch", "bisecting")),
    ("Clustering: mixtures of Gaussians", ("gmm", "gaussian_mixture")),
    ("How good a clustering is", ("clustering", "separation")),
    ("Dimension reduction: principal components", ("pca", "incremental_pca")),
    ("Dimension reduction: SNE, and t-SNE", ("sne", "affinities", "tsne", "embedding")),
    ("What all of it stands on",
     ("distances", "logspace", "elementary", "linalg", "randomized", "scaling", "quantiles")),
)
