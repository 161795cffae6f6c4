from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convolens.data.grouping import NO_PAIRS, merge_groups
from convolens.data.splits import divide
from convolens.errors import ConfigError, DataError


def components(n, pairs, groups):
    """A plain search from picture to picture."""
    beside = defaultdict(set)
    edges = [*pairs, *((i, j) for i in range(n) for j in range(i) if groups[i] == groups[j])]
    for one, other in edges:
        beside[one].add(other)
        beside[other].add(one)
    number, found = {}, 0
    for start in range(n):
        if start in number:
            continue
        waiting = [start]
        while waiting:
            one = waiting.pop()
            if one not in number:
                number[one] = found
                waiting += beside[one]
        found += 1
    return [number[i] for i in range(n)]


@given(st.data(), st.integers(1, 30))
def test_merged_groups_are_what_can_be_reached(data, n):
    index = st.integers(0, n - 1)
    pairs = data.draw(st.lists(st.tuples(index, index), max_size=20))
    groups = data.draw(st.lists(st.integers(-5, 60), min_size=n, max_size=n))
    merged = merge_groups(n, np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(groups))
    assert merged.tolist() == components(n, pairs, groups)
    assert merged.dtype == np.int64


def test_long_chains_and_their_worst_order_are_joined():
    n = 20_000
    shuffled = np.random.default_rng(0).permutation(n)
    for order in (np.arange(n), np.arange(n)[::-1], shuffled):
        assert not merge_groups(n, np.stack([order[:-1], order[1:]], axis=1)).any()
    one_less = np.stack([shuffled[:-2], shuffled[1:-1]], axis=1)
    assert np.bincount(merge_groups(n, one_less)).tolist() in ([n - 1, 1], [1, n - 1])


def test_pairs_and_groups_that_cannot_be_are_refused():
    with pytest.raises(DataError, match=r"pairs name pictures 0 to 3; allowed: 0 to 2"):
        merge_groups(3, np.array([[0, 3]]))
    with pytest.raises(DataError, match=r"pairs name pictures -1 to 0"):
        merge_groups(3, np.array([[0, -1]]))
    with pytest.raises(DataError, match=r"pairs of shape \(3,\); allowed: \(m, 2\)"):
        merge_groups(3, np.array([0, 1, 2]))
    with pytest.raises(DataError, match=r"groups of shape \(2,\); allowed: \(3,\)"):
        merge_groups(3, NO_PAIRS, np.array([0, 1]))


@st.composite
def grouped_sets(draw):
    """Labels, groups of 1 to 12 pictures, and the fractions of 2 to 4 parts."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=4, max_size=40))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    n_classes = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pure = rng.integers(0, n_classes, len(sizes))[groups]
    labels = draw(st.sampled_from([pure, rng.integers(0, n_classes, len(groups))]))
    order = rng.permutation(len(groups))
    weights = np.array(draw(st.lists(st.integers(1, 9), min_size=2, max_size=4)))
    # A part of less than one picture is refused, and tested elsewhere.
    weights = weights if (weights / weights.sum() * len(groups)).min() >= 1 else weights * 0 + 1
    return labels[order], groups[order], tuple(weights / weights.sum())


@given(grouped_sets(), st.integers(0, 2**64 - 1))
def test_no_group_is_divided_and_the_sizes_are_near(grouped, seed):
    labels, groups, fractions = grouped
    part_of = divide(labels, fractions, seed, groups)
    for group in np.unique(groups):
        assert len(set(part_of[groups == group].tolist())) == 1
    sizes = np.bincount(part_of, minlength=len(fractions))
    assert sizes.min() >= 1
    members = np.bincount(groups)
    off = np.abs(sizes - np.array(fractions) * len(labels)).max()
    assert off < 1 + 2 * members.max() * (members.max() > 1)


@given(grouped_sets(), st.integers(0, 100))
def test_a_class_with_enough_groups_is_in_every_part_with_room(grouped, seed):
    labels, groups, fractions = grouped
    room = 2 * len(np.unique(labels)) * np.bincount(groups).max()
    if min(fractions) * len(labels) < room:
        fractions = (0.5, 0.5)
    if len(labels) / 2 < room:
        return
    part_of = divide(labels, fractions, seed, groups)
    for label in np.unique(labels):
        own = labels == label
        if len(np.unique(groups[own])) >= len(fractions):
            assert len(np.unique(part_of[own])) == len(fractions)


@given(grouped_sets(), st.integers(0, 100))
def test_only_who_belongs_together_matters_not_the_numbers_of_groups(grouped, seed):
    labels, groups, fractions = grouped
    renamed = np.random.default_rng(seed).permutation(100)[groups] - 50
    np.testing.assert_array_equal(
        divide(labels, fractions, seed, groups), divide(labels, fractions, seed, renamed)
    )


@given(st.lists(st.integers(0, 5), min_size=20, max_size=200), st.integers(0, 2**64 - 1))
def test_groups_of_one_picture_change_nothing(labels, seed):
    labels = np.array(labels)
    alone = np.random.default_rng(0).permutation(len(labels))
    np.testing.assert_array_equal(
        divide(labels, (0.7, 0.2, 0.1), seed), divide(labels, (0.7, 0.2, 0.1), seed, alone)
    )


@given(st.permutations(range(4)), st.integers(0, 20))
def test_other_numbers_for_the_classes_change_nothing_essential(renaming, seed):
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 60, 600)
    labels = rng.choice(4, 600, p=[0.5, 0.3, 0.15, 0.05])
    tables = []
    for own in (labels, np.array(renaming)[labels]):
        part_of = divide(own, (0.8, 0.1, 0.1), seed, groups)
        counts = np.zeros((4, 3), dtype=int)
        np.add.at(counts, (own, part_of), 1)
        tables.append(counts)
    first, second = tables[0], tables[1][list(renaming)]
    np.testing.assert_array_equal(first.sum(axis=1), second.sum(axis=1))
    assert np.abs(first - second).max() <= np.bincount(groups).max()


def test_single_pictures_make_up_for_groups_exactly():
    rng = np.random.default_rng(3)
    n = 3000
    labels = rng.choice(10, n, p=rng.dirichlet(np.ones(10)))
    groups = merge_groups(n, rng.integers(0, n, (200, 2)))
    part_of = divide(labels, (0.8, 0.1, 0.1), 0, groups)
    assert np.bincount(part_of).tolist() == [2400, 300, 300]
    table = np.zeros((10, 3))
    np.add.at(table, (labels, part_of), 1)
    quotas = np.bincount(labels)[:, None] * np.array([[0.8, 0.1, 0.1]])
    assert np.abs(table - quotas).max() < 2


def test_every_part_gets_groups_of_all_sizes():
    """Not the large groups to the large part, and the small ones to the others."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 30, 400)
    groups = np.repeat(np.arange(400), sizes)
    part_of = divide(np.zeros(len(groups), dtype=np.int64), (0.8, 0.1, 0.1), 0, groups)
    part_of_group = part_of[np.searchsorted(groups, np.arange(400))]
    for part in range(3):
        assert abs(sizes[part_of_group == part].mean() - sizes.mean()) < 3


def test_the_seed_decides_who_goes_where():
    groups = np.repeat(np.arange(20), np.arange(5, 25))
    labels = np.zeros(len(groups), dtype=np.int64)
    divisions = {tuple(divide(labels, (0.8, 0.2), seed, groups).tolist()) for seed in range(20)}
    assert len(divisions) > 10
    assert len(set().union(*({g for g, p in zip(groups, d, strict=True) if p} for d in divisions)))


def test_one_group_or_fewer_than_parts_is_refused():
    with pytest.raises(ConfigError, match="10 images in 1 groups cannot be divided into 2 parts"):
        divide(np.arange(10) % 2, (0.5, 0.5), 0, np.zeros(10, dtype=np.int64))
    with pytest.raises(ConfigError, match="10 images in 2 groups cannot be divided into 3 parts"):
        divide(np.arange(10) % 2, (0.4, 0.3, 0.3), 0, np.arange(10) // 5)
    assert np.bincount(divide(np.arange(10) % 2, (0.9, 0.1), 0, np.arange(10) // 5)).tolist() == [
        5,
        5,
    ]


def test_labels_that_cannot_be_are_refused():
    for labels in (np.array([0, -1]), np.empty(0, dtype=np.int64), np.zeros((2, 2), np.int64)):
        with pytest.raises((DataError, ConfigError)):
            divide(labels, (0.5, 0.5), 0)
