"""The training loop: a perceptron with batch normalisation and dropout, stopped where it reads unseen digits best.

Every fifth image is held out; of the others a tenth is kept apart to see when to stop.
"""
import numpy as np

from scratchml.datasets import load_digits
from scratchml.nn import BatchNorm1d, Dropout, LeakyReLU, Linear, Sequential, cross_entropy, fit, predict
from scratchml.optim import AdamW
from scratchml.tour.table import Row, timed

CHAPTER = "scratchml.nn.training"
DATA = "digits, every fifth image held out"
PEER = "scikit-learn 1.9.1"
EPOCHS, BATCH, PATIENCE = 80, 64, 15


def run(seed, pictures, full):
    """Rows of the table: the share of held-out digits that are read correctly, with and without the two layers."""
    digits = load_digits()
    X, y = (digits.data / 16).astype(np.float32), digits.target
    held_out = np.arange(len(y)) % 5 == 0
    histories = {}
    for name, reference, package in [("perceptron, 128 hidden units", "97.5 to 97.8 %", PEER),
                                     ("with normalisation and dropout", "", "")]:
        model = perceptron(seed, regularised=name.startswith("with"))
        histories[name], seconds = timed(
            fit, model, AdamW(model.parameters(), lr=0.003), cross_entropy, X[~held_out], y[~held_out],
            batch_size=BATCH, epochs=EPOCHS, validation_split=0.1, patience=PATIENCE, random_state=seed)
        right = (predict(model, X[held_out]).argmax(axis=1) == y[held_out]).mean()
        yield Row(f"{name}: digits read", f"{100 * right:.1f} %", reference, package, seconds)
    if pictures:
        draw_histories(pictures, histories)


def perceptron(seed, regularised):
    """64 pixels, 128 hidden units, 10 logits."""
    rng = np.random.default_rng(seed)
    between = [BatchNorm1d(128), LeakyReLU(), Dropout(0.3, random_state=rng)] if regularised else [LeakyReLU()]
    return Sequential(Linear(64, 128, random_state=rng), *between, Linear(128, 10, random_state=rng))


def draw_histories(pictures, histories):
    """Both losses against the number of epochs, and the epoch whose weights were kept."""
    figure = pictures.figure(7, 3.5)
    for axes, (name, history) in zip(figure.subplots(1, 2, sharey=True), histories.items()):
        epochs = np.arange(1, len(history.loss) + 1)
        axes.semilogy(epochs, history.loss, color="0.6", label="digits for training")
        axes.semilogy(epochs, history.validation_loss, color="C0", label="digits kept apart")
        axes.plot(history.best_epoch, history.validation_loss[history.best_epoch - 1], "o", color="C3",
                  label=f"best: epoch {history.best_epoch}")
        axes.set_title(name, fontsize=10)
        axes.set(xlabel="epoch")
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("mean of -log p(right label)")
    figure.suptitle("Training ends where unseen digits are read no better", fontsize=11)
    pictures.save(figure, "training-histories")
