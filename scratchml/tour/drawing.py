"""The folder that pictures go to, and the one place that knows matplotlib."""
from pathlib import Path


class Pictures:
    """Writes PNG files into `folder`, which is made if it is missing.

    Raises ImportError where matplotlib is missing and OSError where no folder can be, both with the remedy.
    """

    def __init__(self, folder):
        try:
            from matplotlib.figure import Figure         # no pyplot: no global state, no window
        except ImportError as error:
            raise ImportError('pictures need matplotlib: pip install "scratchml[tour]"') from error
        self.folder, self._figure = Path(folder), Figure
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"{folder} cannot be one ({error.strerror})"
            raise OSError(f"pictures go into a folder, and {reason}; name another") from error

    def figure(self, width=7.0, height=5.0):
        """An empty matplotlib figure, its size in inches."""
        return self._figure(figsize=(width, height), layout="constrained")

    def save(self, figure, name, dpi=150):
        """Write `figure` to name.png, with so many dots an inch."""
        figure.savefig(self.folder / f"{name}.png", dpi=dpi)


def bare(axes):
    """`axes` without ticks and frame, for images."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return axes


def scatter_classes(axes, points, target, names, marker="o"):
    """The `points` (N, 2), a colour for each class, with a legend."""
    for k, name in enumerate(names):
        axes.scatter(*points[target == k].T, s=9, color=f"C{k}", label=str(name), alpha=0.7, linewidths=0,
                     marker=marker)
    axes.legend(markerscale=2, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
