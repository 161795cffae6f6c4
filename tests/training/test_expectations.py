"""What is expected lies between what was measured, and nothing is said beyond."""

import pytest

from convolens import recipes
from convolens.training import expectations
from convolens.training.expectations import expected_accuracy


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = {("apples", "fast"): {1.0: 0.8, 4.0: 0.9}}
    monkeypatch.setattr(expectations, "REACHED", reached)
    monkeypatch.setattr(expectations, "PICTURES", {"apples": 1_000})


@pytest.mark.parametrize(
    ("epochs", "accuracy"), [(1, 0.8), (2, 0.85), (4, 0.9), (5.9, 0.9), (0.7, 0.8)]
)
def test_between_measurements_by_the_logarithm_of_the_epochs(
    epochs: float, accuracy: float
) -> None:
    assert expected_accuracy("apples", recipes.fast(epochs=epochs), 1_000) == pytest.approx(
        accuracy
    )


@pytest.mark.parametrize("epochs", [0.6, 6.1, None])
def test_nothing_is_said_far_from_what_was_measured(epochs: float | None) -> None:
    assert expected_accuracy("apples", recipes.fast(epochs=epochs), 1_000) is None


def test_nothing_is_said_of_what_was_not_measured() -> None:
    fast = recipes.fast(epochs=2)
    assert expected_accuracy("apples", fast, 1_000) is not None
    assert expected_accuracy("pears", fast, 1_000) is None
    assert expected_accuracy("apples", recipes.notes(), 1_000) is None
    assert expected_accuracy("apples", recipes.fast(epochs=2, sampling="balanced"), 1_000) is None
    for part in (100, 899, 5_000):
        assert expected_accuracy("apples", fast, part) is None
