"""The order of things: the parts of the book, and the lecture that it is of."""

# The parts of the book as one would read it, each on those before it.
PARTS = ("core", "preprocessing", "metrics", "datasets", "optim", "autograd", "cluster", "nn", "reduction", "sequences",
         "timeseries", "recommend")

# The lecture, by its own order: a topic and the chapters that it is told in.
LECTURE = (
    ("Sequence labelling: inference in a conditional random field", ("crf", "crf_scaled")),
    ("Sequence labelling: training the field, and tagging with it",
     ("crf_training", "lbfgs", "line_search", "crf_online", "tagger")),
    ("Sequence labelling: a bidirectional LSTM, with a CRF layer on top or a softmax", ("bilstm_tagger", "crf_layer")),
    ("Networks for sequences: recurrent, LSTM, GRU, bidirectional", ("elman", "lstm", "gru", "recurrent")),
    ("Networks for sequences: attention and transformers", ("attention", "multihead", "additive", "transformer")),
    ("Networks for sequences: convolutions and pooling", ("convolution", "gated_convolution", "pooling")),
    ("Language models: n-grams by Kneser-Ney, gated convolutions, perplexity",
     ("language_model", "kneser_ney", "gated_cnn")),
    ("Training networks: gradients, losses, optimisers, the loop",
     ("tensor", "table", "cross_entropy", "losses", "similarity", "first_order", "schedules", "training")),
    ("Training networks: initialisation, activations, normalisation, dropout",
     ("initialisation", "activations", "smooth", "normalisation", "layers", "bags")),
    ("Time series: forecasting several steps ahead", ("windows", "ridge", "strategies")),
    ("Time series: how good a forecast is, and how far off it may be", ("forecasting", "backtesting", "conformal")),
    ("Time series: stationarity, and tests for a unit root", ("unit_root", "unit_root_law", "level")),
    ("Time series: up or down, overfitting, dropout, noise as L2, several inputs and outputs", ("direction", "noise")),
    ("Time series: features of a series, and which of them matter",
     ("value_features", "order_features", "relevance_tests", "relevance")),
    ("Time series: trend, season, and what is left", ("loess", "stl")),
    ("Time series: outliers, and anomalies beside the season", ("outliers", "anomalies")),
    ("Time series: Prophet, a trend that bends, seasons and holidays",
     ("trend_season", "trend_season_sums", "trend_season_fit", "trend_paths", "prophet")),
    ("Time series: Prophet, cross-validated by horizon", ("prophet_diagnostics",)),
    ("Recommender systems: alternating least squares", ("objectives", "half_steps", "als", "best_items")),
    ("Recommender systems: neighbours, and a truncated SVD", ("neighbors", "truncated_svd")),
    ("Recommender systems: how good a ranked list is", ("splits", "ranking")),
    ("Clustering: k-means and its variants", ("kmeans", "kmeans_bounds", "minibatch", "bisecting")),
    ("Clustering: mixtures of Gaussians", ("gmm", "gaussian_mixture")),
    ("How good a clustering is", ("clustering", "separation")),
    ("Dimension reduction: principal components", ("pca", "incremental_pca")),
    ("Dimension reduction: SNE and t-SNE", ("sne", "affinities", "tsne", "embedding")),
    ("What all of it stands on: distances, linear algebra, scaling",
     ("distances", "logspace", "elementary", "linalg", "randomized", "scaling", "quantiles")),
)
