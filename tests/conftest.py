"""What every area's tests share: no deadlines, and the real Fashion-MNIST where it is at hand."""

from pathlib import Path

import hypothesis
import pytest

from convolens.data import Dataset, data_directory, load_data

# A deadline is a timing assertion, and would fail on a busy machine.
hypothesis.settings.register_profile("convolens", deadline=None)
hypothesis.settings.load_profile("convolens")


def refuse_network(address: str, destination: Path) -> None:
    raise OSError(f"a test asked the network for {address}")


def pytest_runtest_setup(item):
    needed = data_directory() / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    if item.get_closest_marker("fashion") and not needed.is_file():
        pytest.skip(f"the real Fashion-MNIST is not at hand ({needed}); set CONVOLENS_DATA")


@pytest.fixture(scope="session")
def fashion_mnist() -> Dataset:
    """The real data set; only for tests with the marker ``fashion``."""
    return load_data("fashion-mnist", fetch=refuse_network)
