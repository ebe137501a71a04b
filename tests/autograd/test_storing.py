"""What a script saves comes back with its types; what holds code is refused."""
import numpy as np
import pytest

from scratchml.autograd import Tensor
from scratchml.autograd.plain import Plain
from scratchml.autograd.storing import load, save


def test_a_checkpoint(tmp_path):
    content = {"model": {"w": np.arange(6.0).reshape(2, 3), "n": np.array(3)}, "epoch": 3, "lr": 1e-3, "name": "a",
               "optimiser": {"state": {0: {"step": 2, "m": np.float32([1.0])}}, "groups": [{"betas": (0.9, 0.99)}]},
               "best": None, "done": True, (1, "x"): [Tensor([1.0], requires_grad=True), Plain([1, 2])]}
    save(content, tmp_path / "file")
    found = load(tmp_path / "file")
    assert list(found) == list(content) and found["optimiser"]["groups"] == [{"betas": (0.9, 0.99)}]
    assert (found["model"]["w"] == content["model"]["w"]).all() and found["model"]["n"].shape == ()
    assert found["optimiser"]["state"][0]["m"].dtype == np.float32 and found["done"] is True and found["best"] is None
    x, i = found[1, "x"]
    assert type(x) is Tensor and x.requires_grad and x.data[0] == 1 and type(i) is Plain and i.tolist() == [1, 2]


@pytest.mark.parametrize("content", [Tensor(np.ones((2, 0))), 3.5, "text", [], {}, (), float("inf"), np.arange(3)[::2],
                                     Tensor([1.0], requires_grad=True) * 2])
def test_other_contents(tmp_path, content):
    save(content, tmp_path / "file")
    found = load(tmp_path / "file", map_location="cpu", weights_only=True)
    assert type(found) is type(content)
    if isinstance(content, (Tensor, np.ndarray)):
        assert np.array_equal(found.detach().data if isinstance(found, Tensor) else found, np.asarray(
            content.detach().data if isinstance(content, Tensor) else content))
    else:
        assert found == content


def test_what_cannot_be_saved(tmp_path):
    class Net:
        state_dict = None
    for bad, message in [({"a": [lambda: 1]}, r"obj\['a'\]\[0\]: expected Tensors.*got function"),
                         (Net(), r"got Net; save its state_dict\(\)"), ({1, 2}, "got set")]:
        with pytest.raises(ValueError, match=message):
            save(bad, tmp_path / "file")
    assert not (tmp_path / "file").exists()
    (tmp_path / "other").write_bytes(b"PK nonsense")
    with pytest.raises(ValueError, match="other"):
        load(tmp_path / "other")
