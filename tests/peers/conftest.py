"""For arrays as small as the tests', threads are there to wait for each other."""
import sys

import pytest

collect_ignore = ["scripts", "in_place_of"]              # they need peers; test_scripts.py and test_prophet.py run them


@pytest.fixture(autouse=True, scope="session")
def one_thread_of_pytorch():
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
