"""What every area's tests share: no deadlines, and the real Fashion-MNIST where it is at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from convolens.data import Dataset, data_directory, load_data

# A deadline is a timing assertion, and would fail on a busy machine.
hypothesis.settings.register_profile("convolens", deadline=None)
hypothesis.settings.load_profile("convolens")


@pytest.fixture(scope="session", autouse=True)
def cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither find nor leave anything in the user's cache."""
    before = os.environ.get("CONVOLENS_CACHE")
    os.environ["CONVOLENS_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["CONVOLENS_CACHE"]
    else:
        os.environ["CONVOLENS_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from a second thread, and on a busy machine wait for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def refuse_network(address: str, destination: Path) -> None:
    raise OSError(f"a test asked the network for {address}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with tests of the real data set first: they take longest, and one of them at the end
    would leave all other workers of a parallel run without work."""
    slow = {item.path for item in items if item.get_closest_marker("fashion")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = data_directory() / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    if item.get_closest_marker("fashion") and not needed.is_file():
        pytest.skip(f"the real Fashion-MNIST is not at hand ({needed}); set CONVOLENS_DATA")


@pytest.fixture(scope="session")
def fashion_mnist() -> Dataset:
    """The real data set; only for tests with the marker ``fashion``."""
    return load_data("fashion-mnist", fetch=refuse_network)
