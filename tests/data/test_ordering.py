import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import epoch_order
from convolens.errors import ConfigError


@given(st.integers(1, 500), st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1))
def test_an_order_has_each_index_once_and_is_a_pure_function(n, seed, epoch):
    order = epoch_order(n, seed, epoch)
    assert sorted(order.tolist()) == list(range(n))
    assert order.dtype == np.int64
    np.random.default_rng(0).random(n)  # nothing global takes part
    np.testing.assert_array_equal(epoch_order(n, seed, epoch), order)


def test_orders_of_neighbouring_seeds_and_epochs_have_nothing_in_common():
    orders = [epoch_order(1000, seed, epoch) for seed in range(4) for epoch in range(4)]
    ranks = np.corrcoef(orders)
    assert np.abs(ranks - np.eye(16)).max() < 0.15  # 4.7 standard deviations of pure chance


def test_every_place_is_as_likely_for_every_index():
    places = np.array([epoch_order(5, 1, epoch) for epoch in range(4000)])
    counts = np.stack([np.bincount(places[:, place], minlength=5) for place in range(5)])
    assert np.abs(counts - 800).max() < 5 * np.sqrt(800 * 0.8)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((0, 0, 0), "n"), ((3, -1, 0), "seed"), ((3, 2**64, 0), "seed"), ((3, 0, -1), "epoch")],
)
def test_impossible_numbers_are_refused(arguments, name):
    with pytest.raises(ConfigError, match=f"{name} is .*; allowed: a whole number"):
        epoch_order(*arguments)
