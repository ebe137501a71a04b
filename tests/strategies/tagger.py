import numpy as np

TAGS = ["O", "B-X", "I-X", "B-Y", "I-Y"]


def sentences(S, seed=0, noise=0.3):
    """Sentences of dict tokens and legal BIO labels that the features give away but for some noise."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(S):
        labels, words = ["O"], []
        for _ in range(rng.integers(1, 8)):
            before = labels[-1]
            follow = ["O", "B-X", "B-Y"] + ([f"I{before[1:]}"] * 2 if before != "O" else [])
            labels.append(str(rng.choice(follow)))
        for label in labels[1:]:
            shown = str(rng.choice(TAGS)) if rng.random() < noise else label
            words.append({"word": f"{shown}{rng.integers(3)}", "long": bool(rng.integers(2)),
                          "size": float(rng.integers(1, 5)), "bias": True})
        X.append(words)
        y.append(labels[1:])
    return X, y


def fit_arguments():
    """What `fit` takes."""
    return sentences(12)
