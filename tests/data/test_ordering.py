import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data import epoch_order
from convolens.data.ordering import balanced_order
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


label_lists = st.lists(st.sampled_from([0, 1, 2, 5]), min_size=1, max_size=40)


@given(label_lists, st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_a_balanced_epoch_is_as_long_as_any_and_shows_every_class_equally_often(
    labels, seed, epoch
):
    labels = np.array(labels)
    order = balanced_order(labels, seed, epoch)
    assert order.shape == labels.shape
    assert order.dtype == np.int64
    counts = np.unique(labels[order], return_counts=True)[1]
    assert len(counts) == len(np.unique(labels)) or len(labels) < 2 * len(counts)
    assert counts.max() - counts.min() <= 1
    np.random.default_rng(0).random(5)
    np.testing.assert_array_equal(balanced_order(labels, seed, epoch), order)


@given(label_lists, st.integers(0, 2**64 - 1), st.integers(1, 30))
def test_all_of_a_class_come_once_before_any_comes_twice_over_the_whole_run(labels, seed, epochs):
    labels = np.array(labels)
    shown = np.zeros(len(labels), dtype=int)
    for epoch in range(epochs):
        shown += np.bincount(balanced_order(labels, seed, epoch), minlength=len(labels))
        for label in np.unique(labels):
            assert np.ptp(shown[labels == label]) <= 1
        by_class = [shown[labels == label].sum() for label in np.unique(labels)]
        assert max(by_class) - min(by_class) <= 1


def test_balanced_orders_of_neighbouring_seeds_epochs_and_classes_have_nothing_in_common():
    labels = np.repeat([0, 1], 500)
    orders = [balanced_order(labels, seed, epoch) for seed in range(3) for epoch in range(4)]
    ranks = np.corrcoef([np.argsort(order) for order in orders])
    assert np.abs(ranks - np.eye(12)).max() < 0.15
    # The decks of two classes of one size are not the same deck.
    assert (orders[0][orders[0] < 500] != orders[0][orders[0] >= 500] - 500).mean() > 0.9


def test_classes_are_mixed_within_a_balanced_epoch():
    labels = np.repeat([0, 1], [9_000, 1_000])
    halves = np.array_split(labels[balanced_order(labels, 3, 2)], 10)
    assert all(0.4 < half.mean() < 0.6 for half in halves)


@pytest.mark.parametrize(
    ("arguments", "name"), [((-1, 0), "seed"), ((0, -1), "epoch"), ((0, 2**40 + 1), "epoch")]
)
def test_impossible_numbers_of_a_balanced_order_are_refused(arguments, name):
    with pytest.raises(ConfigError, match=f"{name} is .*; allowed: a whole number"):
        balanced_order(np.array([0, 1]), *arguments)
    with pytest.raises(ConfigError, match="n is 0; allowed: a whole number"):
        balanced_order(np.array([], dtype=np.int64), 0, 0)
