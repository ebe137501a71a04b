"""For arrays as small as the tests', threads are there to wait for each other."""
import sys

import pytest

collect_ignore = ["scripts"]                             # they need PyTorch; test_scripts.py runs them


@pytest.fixture(autouse=True, scope="session")
def one_thread_of_pytorch():
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
