"""The graph as text."""
from scratchml.autograd.tensor import Tensor, _newest_first, _place


def draw(tensor):
    """Print the graph that computed a Tensor, in the order of the sweep.

    One line a node: its number, operation, shape, such as (N, D), and operands.  Operands without a gradient are
    `constant`; leaves are numbered as they are met.  Raises RuntimeError for a graph that has been swept.

    Parameters
    ----------
    tensor : Tensor
        The result.
    """
    nodes = _newest_first(_place(tensor))
    names = {node: f"#{len(nodes) - i}" for i, node in enumerate(nodes)}
    rows = []
    for node in nodes:
        for edge in node.edges:
            if type(edge) is Tensor and edge not in names:
                names[edge] = f"leaf {len(names) - len(nodes) + 1}"
        rows.append((names[node], node.name, node.shape,
                     "from " + ", ".join(names.get(edge, "constant") for edge in node.edges)))
    rows += [(name, "", place.shape, "") for place, name in names.items() if type(place) is Tensor]
    widths = [max(len(str(row[k])) for row in rows) for k in range(3)]
    for row in rows:
        print("   ".join(str(cell).ljust(width) for cell, width in zip(row, (*widths, 0))).rstrip())
